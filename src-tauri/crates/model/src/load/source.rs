//! A model file read by position.
//!
//! Files are not mapped: a file that shrinks under a map kills the process, pages of a map count as resident, and reading
//! from the page cache into the buffer that is needed anyway costs the same. The length is taken once at opening and every
//! read is checked against it, so an offset from a header can never ask for more than the file has.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::LoadError;

/// An open model file of known length.
#[derive(Debug)]
pub(crate) struct Source {
    path: PathBuf,
    file: File,
    bytes: u64,
    modified_ns: u128,
}

impl Source {
    /// Opens a regular file.
    ///
    /// # Errors
    /// If it is missing, unreadable or not a regular file.
    pub(crate) fn open(path: &Path) -> Result<Self, LoadError> {
        // Opening a FIFO would wait for a writer for ever: look before opening.
        let metadata = std::fs::metadata(path).map_err(LoadError::io("open", path))?;
        if !metadata.is_file() {
            let found = if metadata.is_dir() {
                "a folder"
            } else {
                "a special file"
            };
            return Err(LoadError::malformed(
                path,
                "file kind",
                found,
                "a regular file",
            ));
        }
        let file = File::open(path).map_err(LoadError::io("open", path))?;
        let metadata = file.metadata().map_err(LoadError::io("open", path))?;
        let modified = metadata
            .modified()
            .ok()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Ok(Self {
            path: path.to_owned(),
            file,
            bytes: metadata.len(),
            modified_ns: modified.map_or(0, |since| since.as_nanos()),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Length in bytes when it was opened.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Time of the last change, in nanoseconds since 1970; 0 where the platform has none.
    pub(crate) fn modified_ns(&self) -> u128 {
        self.modified_ns
    }

    /// Fills `out` from `offset`.
    ///
    /// # Errors
    /// If the range ends past the file, or the system refuses.
    pub(crate) fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<(), LoadError> {
        let end = offset.checked_add(out.len() as u64);
        if end.is_none_or(|end| end > self.bytes) {
            return Err(LoadError::malformed(
                &self.path,
                format!("byte {offset}"),
                format!("the end of the file at byte {}", self.bytes),
                format!("{} bytes", out.len()),
            ));
        }
        read_exact_at(&self.file, offset, out).map_err(LoadError::io("read", &self.path))
    }

    /// Reads `bytes` bytes from `offset` into a new vector, allocated only after the length was checked.
    pub(crate) fn read_vec(&self, offset: u64, bytes: u64) -> Result<Vec<u8>, LoadError> {
        if offset.checked_add(bytes).is_none_or(|end| end > self.bytes) {
            return self
                .read_at(offset.saturating_add(bytes), &mut [0])
                .map(|()| Vec::new());
        }
        let mut out = vec![0; bytes as usize];
        self.read_at(offset, &mut out)?;
        Ok(out)
    }
}

/// Fills `out` from `offset` without moving a cursor.
#[cfg(unix)]
pub(crate) fn read_exact_at(file: &File, offset: u64, out: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, offset)
}

/// Fills `out` from `offset`; the file's own cursor moves and is never used.
#[cfg(windows)]
pub(crate) fn read_exact_at(file: &File, mut offset: u64, mut out: &mut [u8]) -> io::Result<()> {
    while !out.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, out, offset) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                out = &mut out[read..];
                offset += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
