//! Telling cheaply whether an adapter's files are still the ones that were hashed.

use super::contents::{CARD, CONFIG, WEIGHTS};
use std::fs::Metadata;
use std::io;
use std::path::Path;
use std::time::UNIX_EPOCH;

/// The two files an adapter is, and its description, as the file system tells of them. Two that are equal have the same
/// content, but for someone who sets clocks back on purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// The configuration.
    pub config: FileStamp,
    /// The numbers.
    pub weights: FileStamp,
    /// What it says of itself, where it does.
    card: Option<FileStamp>,
}

/// One file as the file system tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileStamp {
    /// Its bytes.
    pub size: u64,
    /// When it was written, in nanoseconds since 1970.
    pub modified_ns: u64,
    /// Which file it is and when anything about it changed last, where the system tells.
    identity: (u64, i64, i64),
}

impl Stamp {
    /// The files of an adapter's folder.
    ///
    /// # Errors
    /// If one is missing or no file.
    pub fn of(folder: &Path) -> io::Result<Stamp> {
        Ok(Stamp {
            config: FileStamp::of(&folder.join(CONFIG))?,
            weights: FileStamp::of(&folder.join(WEIGHTS))?,
            card: FileStamp::of(&folder.join(CARD)).ok(),
        })
    }
}

impl FileStamp {
    /// One file; links are followed.
    ///
    /// # Errors
    /// If it is missing or no file.
    pub fn of(path: &Path) -> io::Result<FileStamp> {
        let named = |error: io::Error| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            io::Error::new(error.kind(), format!("`{name}`: {error}"))
        };
        let metadata = std::fs::metadata(path).map_err(named)?;
        if !metadata.is_file() {
            return Err(named(io::Error::other("no file")));
        }
        Ok(FileStamp {
            size: metadata.len(),
            modified_ns: modified_ns(&metadata),
            identity: identity(&metadata),
        })
    }
}

fn modified_ns(metadata: &Metadata) -> u64 {
    let since_1970 = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since_1970.map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> (u64, i64, i64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> (u64, i64, i64) {
    (0, 0, 0)
}
