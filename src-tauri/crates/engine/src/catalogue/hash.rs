//! Reading a file to its end with its hash.

use crate::cancel::Cancel;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Bytes read between two looks at the cancel flag.
const PIECE: usize = 1 << 20;

/// Shows `each` piece of a file, and gives its sha-256 in lower-case hexadecimal. Nothing when it was cancelled.
///
/// # Errors
/// If the file cannot be read, or that of `each`.
pub(super) fn hashed(
    path: &Path,
    cancel: &Cancel,
    each: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<Option<String>> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; PIECE];
    while !cancel.is_set() {
        let read = file.read(&mut piece)?;
        if read == 0 {
            return Ok(Some(hex(&hash.finalize())));
        }
        hash.update(&piece[..read]);
        each(&piece[..read])?;
    }
    Ok(None)
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
