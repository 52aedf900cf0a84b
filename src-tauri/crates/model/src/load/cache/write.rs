//! Writing a packed copy, on a thread of its own while its matrices are made.
//!
//! A slow disk holds up that thread and nothing else: matrices wait for it in memory, where they stay anyway, and a load that is
//! cancelled leaves it behind.
//!
//! The copy has a temporary name until all of it is written. It is not synced: a thread that waits for the disk would hold up even
//! the end of its process, and a copy that loses bytes with the power has other checksums and is made anew. A temporary file is
//! locked while it is written; one without a lock was left by a process that ended meanwhile, and the next load removes it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use r3mes_kernels::{ScreenedHead, TernaryMatrix};

use super::format::{Header, PIECE_BYTES, Segments, segments};
use super::{key, places, stem};
use crate::checksum::checksum;
use crate::load::LoadError;
use crate::load::assemble::Layout;
use crate::load::pack::Packed;
use crate::load::plan::Plan;

/// Between two looks at the caller's wish to stop while the copy is finished.
const ASK_EVERY: Duration = Duration::from_millis(10);

/// A copy being written; dropped before [`CacheWriter::finish`], it leaves nothing behind.
pub(in crate::load) struct CacheWriter {
    parts: Sender<Part>,
    ended: Receiver<Result<(), LoadError>>,
    written: Arc<AtomicU64>,
    screen: usize,
    abandon: Abandon,
}

/// A segment and its place among the others.
struct Part {
    index: usize,
    scales: Vec<u8>,
    packed: PackedBytes,
}

enum PackedBytes {
    Matrix(Arc<TernaryMatrix>),
    Screen(Arc<ScreenedHead>),
}

/// Stops the thread and takes its file away, when dropped.
struct Abandon {
    flag: Arc<AtomicBool>,
    temporary: PathBuf,
}

impl CacheWriter {
    /// Creates the file in the first place that can be written, and starts the thread.
    ///
    /// # Errors
    /// If a source cannot be read, no place can be written, or the system starts no thread.
    pub(in crate::load) fn create(
        plan: &Plan,
        layout: &Layout<'_>,
        fallback: Option<&Path>,
    ) -> Result<Self, LoadError> {
        let key = key::of(plan)?;
        let mut refused = None;
        for target in places(plan, fallback, &key) {
            let temporary = target.with_extension(temporary_extension());
            match create_file(&temporary) {
                Ok(file) => {
                    let segments = segments(layout);
                    let flag = Arc::new(AtomicBool::new(false));
                    let copy = CopyFile {
                        file,
                        temporary: temporary.clone(),
                        target,
                        stem: stem(plan.files[0].path()),
                        header: Header {
                            key,
                            file_bytes: segments.file_bytes,
                            checksums: vec![0; segments.pieces],
                        },
                        segments,
                        written: Arc::default(),
                        abandoned: Arc::clone(&flag),
                    };
                    return copy.start(layout.groups.len(), Abandon { flag, temporary });
                }
                Err(error) => refused = Some(LoadError::io("write", &temporary)(error)),
            }
        }
        Err(refused.expect("there is at least one place"))
    }

    /// Hands over the matrix of group `index`; never waits.
    pub(in crate::load) fn add_matrix(&self, index: usize, packed: &Packed) {
        let scales = packed.row_scales.iter();
        self.add(Part {
            index,
            scales: scales.flat_map(|scale| scale.to_le_bytes()).collect(),
            packed: PackedBytes::Matrix(Arc::clone(&packed.matrix)),
        });
    }

    /// Hands over the screened head; never waits.
    pub(in crate::load) fn add_screen(&self, screen: &Arc<ScreenedHead>) {
        self.add(Part {
            index: self.screen,
            scales: Vec::new(),
            packed: PackedBytes::Screen(Arc::clone(screen)),
        });
    }

    fn add(&self, part: Part) {
        // A thread that has failed says why when it is asked for the end.
        let _ended = self.parts.send(part);
    }

    /// Waits until the copy is in its place; `ask` is told the packed bytes written.
    ///
    /// # Errors
    /// If the system refuses, most likely because the disk is full, or `ask` says stop.
    pub(in crate::load) fn finish(
        self,
        ask: &mut dyn FnMut(u64) -> Result<(), LoadError>,
    ) -> Result<(), LoadError> {
        let Self {
            parts,
            ended,
            written,
            abandon: _abandon,
            ..
        } = self;
        drop(parts);
        loop {
            match ended.recv_timeout(ASK_EVERY) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Timeout) => ask(written.load(Ordering::Relaxed))?,
                Err(RecvTimeoutError::Disconnected) => unreachable!("the thread says how it ended"),
            }
        }
    }
}

impl Drop for Abandon {
    fn drop(&mut self) {
        self.flag.store(true, Ordering::Relaxed);
        // Gone already when the copy was finished or its thread has noticed.
        fs::remove_file(&self.temporary).ok();
    }
}

/// What the thread has.
struct CopyFile {
    file: File,
    temporary: PathBuf,
    target: PathBuf,
    stem: String,
    segments: Segments,
    header: Header,
    written: Arc<AtomicU64>,
    abandoned: Arc<AtomicBool>,
}

impl CopyFile {
    fn start(self, screen: usize, abandon: Abandon) -> Result<CacheWriter, LoadError> {
        let (parts, waiting) = channel();
        let (end, ended) = channel();
        let written = Arc::clone(&self.written);
        let temporary = self.temporary.clone();
        let work = move || {
            let result = self.write(&waiting);
            if result.is_err() {
                fs::remove_file(&temporary).ok();
            }
            // Nobody waits for a copy that was abandoned.
            let _abandoned = end.send(result);
        };
        std::thread::Builder::new()
            .name("r3mes-packed-copy".into())
            .spawn(work)
            .map_err(LoadError::io("start a thread for", &abandon.temporary))?;
        Ok(CacheWriter {
            parts,
            ended,
            written,
            screen,
            abandon,
        })
    }

    /// Writes every part that comes, then the header, and puts the copy in its place; older copies of the same model go.
    fn write(mut self, parts: &Receiver<Part>) -> Result<(), LoadError> {
        let mut missing = self.segments.list.len();
        for part in parts {
            self.add(&part)?;
            missing -= 1;
        }
        if missing > 0 {
            return Err(LoadError::Cancelled);
        }
        let header = self.header.encode();
        self.write_at(0, &header)?;
        let Self {
            file,
            temporary,
            target,
            stem,
            ..
        } = self;
        drop(file);
        fs::rename(temporary, &target).map_err(LoadError::io("write", &target))?;
        remove_older(&stem, &target);
        Ok(())
    }

    fn add(&mut self, part: &Part) -> Result<(), LoadError> {
        let packed = match &part.packed {
            PackedBytes::Matrix(matrix) => matrix.packed_bytes(),
            PackedBytes::Screen(screen) => screen.packed_bytes(),
        };
        let segment = self.segments.list[part.index].clone();
        assert_eq!(
            (part.scales.len(), packed.len()),
            (segment.scales_bytes, segment.packed_bytes),
            "a segment has the size of its layout"
        );
        self.write_at(segment.scales_offset, &part.scales)?;
        let mut scales = &part.scales[..];
        for (index, piece) in packed.chunks(PIECE_BYTES).enumerate() {
            let offset = segment.packed_offset + (index * PIECE_BYTES) as u64;
            self.header.checksums[segment.first_piece + index] = checksum(&[scales, piece]);
            self.write_at(offset, piece)?;
            self.written
                .fetch_add(piece.len() as u64, Ordering::Relaxed);
            scales = &[];
        }
        Ok(())
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), LoadError> {
        if self.abandoned.load(Ordering::Relaxed) {
            return Err(LoadError::Cancelled);
        }
        self.file
            .seek(SeekFrom::Start(offset))
            .and_then(|_| self.file.write_all(bytes))
            .map_err(LoadError::io("write", &self.temporary))
    }
}

/// Copies of earlier states of the same file are only space; one that cannot be removed does no harm.
fn remove_older(stem: &str, target: &Path) {
    for path in siblings(target.parent()) {
        if is_copy_of(stem, &name(&path)) && path != target {
            fs::remove_file(path).ok();
        }
    }
}

/// Removes what processes that ended while they wrote a copy of `plan` have left behind.
pub(in crate::load) fn remove_abandoned(plan: &Plan, fallback: Option<&Path>) {
    let stem = stem(plan.files[0].path());
    // The key does not matter: the file was changed since, perhaps.
    for place in places(plan, fallback, &[0; 32]) {
        for path in siblings(place.parent()) {
            let temporary = rest(&stem, &name(&path)).is_some_and(|rest| rest.starts_with("tmp-"));
            let open = || OpenOptions::new().write(true).open(&path).ok();
            if temporary && open().is_some_and(|file| file.try_lock().is_ok()) {
                // One that cannot be removed is only space.
                fs::remove_file(&path).ok();
            }
        }
    }
}

/// Whether a file name is that of a packed copy of the model file `stem`.
pub(super) fn is_copy_of(stem: &str, name: &str) -> bool {
    rest(stem, name) == Some("t3")
}

/// What follows `stem-<key>.` in the name of a copy of `stem`, finished or not.
fn rest<'a>(stem: &str, name: &'a str) -> Option<&'a str> {
    let (key, rest) = name
        .strip_prefix(stem)?
        .strip_prefix('-')?
        .split_once('.')?;
    (key.len() == 16 && key.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(rest)
}

fn siblings(folder: Option<&Path>) -> impl Iterator<Item = PathBuf> {
    let entries = folder.and_then(|folder| fs::read_dir(folder).ok());
    entries
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
}

fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Differs for each copy that is being written, in this process and others.
fn temporary_extension() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("tmp-{}-{number}", std::process::id())
}

fn create_file(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let file = OpenOptions::new().write(true).create_new(true).open(path)?;
    // Where files cannot be locked, one that is left behind stays.
    file.try_lock().ok();
    Ok(file)
}
