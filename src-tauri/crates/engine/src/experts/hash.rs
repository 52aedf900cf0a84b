//! Hashes of files, and the one number that names a version of an adapter.

use super::card::Installed;
use super::contents::{CONFIG, WEIGHTS};
use super::stamp::{FileStamp, Stamp};
use crate::catalogue::hex;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

const PIECE: usize = 1 << 20;

/// A file's sha-256 in lower-case hexadecimal.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn of_file(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hex(&hash.finalize())),
            read => hash.update(&piece[..read]),
        }
    }
}

/// The version of an adapter: a hash over the hashes of its two files, which are all that decides what it computes.
pub(crate) fn generation(config_sha256: &str, weights_sha256: &str) -> String {
    let mut whole = Sha256::new();
    for (name, hash) in [(CONFIG, config_sha256), (WEIGHTS, weights_sha256)] {
        whole.update(format!("{hash} {name}\n"));
    }
    format!("sha256:{}", hex(&whole.finalize()))
}

/// The version of the adapter in a folder. Files that are as they were installed are not read again.
///
/// # Errors
/// If they cannot be read.
pub(crate) fn generation_of(
    folder: &Path,
    stamp: &Stamp,
    installed: Option<&Installed>,
) -> io::Result<String> {
    let one = |name: &str, found: &FileStamp| match noted(installed, name, found) {
        Some(sha256) => Ok(sha256),
        None => of_file(&folder.join(name)),
    };
    let config = one(CONFIG, &stamp.config)?;
    let weights = one(WEIGHTS, &stamp.weights)?;
    Ok(generation(&config, &weights))
}

/// The hash noted at the installation, if the file is still the same by size and time.
fn noted(installed: Option<&Installed>, name: &str, found: &FileStamp) -> Option<String> {
    let mut files = installed?.files.iter();
    files
        .find(|file| {
            file.path == name && file.size == found.size && file.modified_ns == found.modified_ns
        })
        .map(|file| file.sha256.clone())
}
