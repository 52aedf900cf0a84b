//! What a packed copy was made from.

use std::fmt::Write;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::load::LoadError;
use crate::load::plan::Plan;

/// Raised when packing gives other bytes for the same plan.
const PACKING_VERSION: u32 = 1;
/// Samples taken of each file, evenly spaced, so that a file replaced within the clock's resolution is noticed.
const SAMPLES: u64 = 16;
/// Bytes of a sample.
const SAMPLE_BYTES: u64 = 4096;

/// SHA-256 of the sources' names, sizes, times and samples, and of the plan: every extent, encoding and scale.
///
/// # Errors
/// If a source cannot be read.
pub(super) fn of(plan: &Plan) -> Result<[u8; 32], LoadError> {
    let mut hash = Sha256::new();
    hash.update(PACKING_VERSION.to_le_bytes());
    for file in &plan.files {
        let name = file.path().file_name().unwrap_or_default();
        hash.update(format!(
            "{name:?} {} {}\n",
            file.bytes(),
            file.modified_ns()
        ));
        for sample in 0..SAMPLES {
            let bytes = SAMPLE_BYTES.min(file.bytes());
            // Dividing first: the product of a length and a small number could overflow.
            let offset = (file.bytes() - bytes) / (SAMPLES - 1) * sample;
            hash.update(file.read_vec(offset, bytes)?);
        }
    }
    hash.update(format!("{:?} {:?}", plan.layers, plan.bit_linear_head));
    hash.update(format!("{:?} {:?}", plan.embedding, plan.head));
    Ok(hash.finalize().into())
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

/// A folder name for the model at `path` among those of other models.
pub(super) fn path_name(path: &Path) -> String {
    let absolute = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    hex(&Sha256::digest(absolute.as_os_str().as_encoded_bytes())[..16])
}
