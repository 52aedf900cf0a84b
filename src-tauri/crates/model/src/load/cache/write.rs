//! Writing a packed copy while its matrices are made.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::checksum::checksum;
use super::format::{Header, Segment, segments};
use super::{key, places, stem};
use crate::load::LoadError;
use crate::load::assemble::Layout;
use crate::load::plan::Plan;

/// Bytes written between two syncs; one sync of everything at the end would hold up a cancelled load.
const BYTES_PER_SYNC: u64 = 64 << 20;

/// A copy being written; dropped before [`CacheWriter::finish`], it leaves nothing behind.
pub(in crate::load) struct CacheWriter {
    file: File,
    temporary: PathBuf,
    target: PathBuf,
    stem: String,
    segments: Vec<Segment>,
    header: Header,
    unsynced: u64,
    finished: bool,
}

impl CacheWriter {
    /// Creates the file in the first place that can be written.
    ///
    /// # Errors
    /// If a source cannot be read or no place can be written.
    pub(in crate::load) fn create(
        plan: &Plan,
        layout: &Layout<'_>,
        fallback: Option<&Path>,
    ) -> Result<Self, LoadError> {
        let key = key::of(plan)?;
        let (segments, file_bytes) = segments(layout);
        let mut refused = None;
        for target in places(plan, fallback, &key) {
            let temporary = target.with_extension(format!("tmp-{}", std::process::id()));
            match create_file(&temporary) {
                Ok(file) => {
                    return Ok(Self {
                        file,
                        temporary,
                        target,
                        stem: stem(plan.files[0].path()),
                        segments,
                        header: Header {
                            key,
                            file_bytes,
                            checksums: Vec::new(),
                        },
                        unsynced: 0,
                        finished: false,
                    });
                }
                Err(error) => refused = Some(LoadError::io("write", &temporary)(error)),
            }
        }
        Err(refused.expect("there is at least one place"))
    }

    /// Writes the next matrix.
    ///
    /// # Errors
    /// If the system refuses, most likely because the disk is full.
    pub(in crate::load) fn add_matrix(
        &mut self,
        row_scales: &[f32],
        packed: &[u8],
    ) -> Result<(), LoadError> {
        let scales: Vec<u8> = row_scales
            .iter()
            .flat_map(|scale| scale.to_le_bytes())
            .collect();
        self.add(&scales, packed)
    }

    /// Writes the screened head.
    ///
    /// # Errors
    /// As [`CacheWriter::add_matrix`].
    pub(in crate::load) fn add_screen(&mut self, packed: &[u8]) -> Result<(), LoadError> {
        self.add(&[], packed)
    }

    fn add(&mut self, scales: &[u8], packed: &[u8]) -> Result<(), LoadError> {
        let segment = self.segments[self.header.checksums.len()].clone();
        assert_eq!(
            (scales.len(), packed.len()),
            (segment.scales_bytes, segment.packed_bytes),
            "a segment has the size of its layout"
        );
        self.header.checksums.push(checksum(&[scales, packed]));
        self.unsynced += packed.len() as u64;
        let written = self.write_at(segment.scales_offset, scales).and_then(|()| {
            self.write_at(segment.packed_offset, packed)?;
            if self.unsynced >= BYTES_PER_SYNC {
                self.unsynced = 0;
                self.file.sync_data()?;
            }
            Ok(())
        });
        written.map_err(LoadError::io("write", &self.temporary))
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(offset))?;
        self.file.write_all(bytes)
    }

    /// Writes the header, syncs, and puts the copy in its place; older copies of the same model go.
    ///
    /// # Errors
    /// If the system refuses.
    pub(in crate::load) fn finish(mut self) -> Result<(), LoadError> {
        assert_eq!(
            self.header.checksums.len(),
            self.segments.len(),
            "every segment was written"
        );
        let header = self.header.encode();
        self.write_at(0, &header)
            .and_then(|()| self.file.sync_all())
            .and_then(|()| fs::rename(&self.temporary, &self.target))
            .map_err(LoadError::io("write", &self.target))?;
        self.finished = true;
        self.remove_older();
        Ok(())
    }

    /// Copies of earlier states of the same file are only space; one that cannot be removed does no harm.
    fn remove_older(&self) {
        let Some(entries) = self
            .target
            .parent()
            .and_then(|folder| fs::read_dir(folder).ok())
        else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if is_copy_of(&self.stem, &name) && entry.path() != self.target {
                fs::remove_file(entry.path()).ok();
            }
        }
    }
}

impl Drop for CacheWriter {
    fn drop(&mut self) {
        if !self.finished {
            // Nothing can be done about a temporary file that cannot be removed.
            fs::remove_file(&self.temporary).ok();
        }
    }
}

/// Whether a file name is that of a packed copy of the model file `stem`.
pub(super) fn is_copy_of(stem: &str, name: &str) -> bool {
    let key = name
        .strip_prefix(stem)
        .and_then(|rest| rest.strip_prefix('-'));
    key.and_then(|key| key.strip_suffix(".t3"))
        .is_some_and(|key| key.len() == 16 && key.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn create_file(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    File::create(path)
}
