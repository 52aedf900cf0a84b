//! A full reading of a model: every tensor decoded and checked, every file hashed.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use r3mes_kernels::Pool;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::load::source::Source;
use crate::load::{LoadError, check_tensors, read_plan};

/// Bytes hashed between two looks at the caller's wish to stop.
const CHUNK_BYTES: u64 = 4 << 20;

/// The outcome for a model whose structure is sound.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VerifyReport {
    /// Each weight file, in the order it is read.
    pub files: Vec<VerifiedFile>,
}

impl VerifyReport {
    /// Whether no file has another hash than the one known for it.
    pub fn hashes_agree(&self) -> bool {
        self.files.iter().all(|file| file.matches != Some(false))
    }
}

/// One weight file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VerifiedFile {
    /// Its name in the model's folder.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Lower-case hexadecimal.
    pub sha256: String,
    /// Whether the hash is the known one; `None` if none is known.
    pub matches: Option<bool>,
}

/// Reads the whole model. `known` maps file names to SHA-256 in hexadecimal, as recorded when the model was downloaded.
///
/// `progress` is told the fraction done, from 0 to 1; `Break` stops.
///
/// # Errors
/// If headers are malformed, a weight is not ternary or not finite, a file cannot be read, or `progress` broke off.
pub fn verify(
    path: &Path,
    known: &BTreeMap<String, String>,
    pool: &Pool,
    progress: &mut dyn FnMut(f64) -> ControlFlow<()>,
) -> Result<VerifyReport, LoadError> {
    let plan = read_plan(path)?;
    let file_bytes: u64 = plan.files.iter().map(|file| file.bytes()).sum();
    // Every byte is read twice: once to decode it, once to hash it.
    check_tensors(&plan, pool, &mut |done| progress(done / 2.0))?;
    let mut hashed = 0;
    let mut files = Vec::new();
    for file in &plan.files {
        let sha256 = hash(file, &mut |bytes| {
            hashed += bytes;
            progress(0.5 + hashed as f64 / file_bytes as f64 / 2.0)
        })?;
        let name = file
            .path()
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let matches = known
            .get(&name)
            .map(|known| known.eq_ignore_ascii_case(&sha256));
        files.push(VerifiedFile {
            name,
            bytes: file.bytes(),
            sha256,
            matches,
        });
    }
    Ok(VerifyReport { files })
}

fn hash(
    file: &Source,
    progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<String, LoadError> {
    let mut hash = Sha256::new();
    let mut offset = 0;
    let mut chunk = vec![0; CHUNK_BYTES as usize];
    while offset < file.bytes() {
        let bytes = CHUNK_BYTES.min(file.bytes() - offset);
        let chunk = &mut chunk[..bytes as usize];
        file.read_at(offset, chunk)?;
        hash.update(&*chunk);
        offset += bytes;
        if progress(bytes).is_break() {
            return Err(LoadError::Cancelled);
        }
    }
    Ok(hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}
