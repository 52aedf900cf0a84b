//! GGUF files, versions 2 and 3: metadata, tensor table, nothing about models.
//!
//! The file is hostile until parsed: every count is compared with the bytes that are left before anything is allocated for
//! it, strings and arrays have upper bounds of their own, and every tensor is checked to lie inside the file, aligned and
//! apart from the others.
//!
//! Source: `docs/gguf.md` of ggml.

mod cursor;
mod kind;
mod metadata;
mod tensors;

use std::path::Path;
use std::sync::Arc;

pub use kind::{I2S_BLOCK, Kind, TQ_BLOCK, TQ1_BYTES, TQ2_BYTES};
pub use metadata::{Metadata, MetadataError, Value};
pub use tensors::TensorInfo;

use crate::load::LoadError;
use crate::load::source::Source;
use cursor::Cursor;

/// Largest metadata and tensor table accepted together; tokenizers of a million tokens stay far below.
const MAX_HEADER_BYTES: u64 = 256 << 20;
/// Most metadata entries or tensors accepted.
const MAX_ENTRIES: u64 = 1 << 16;
/// Alignment of tensor data when the file names none.
const DEFAULT_ALIGNMENT: u64 = 32;
/// Largest alignment accepted.
const MAX_ALIGNMENT: u64 = 1 << 20;

/// A GGUF file whose header has been read and checked.
#[derive(Debug)]
pub struct Gguf {
    pub(crate) source: Arc<Source>,
    /// Everything the file says about itself.
    pub metadata: Metadata,
    /// Where each tensor lies, by name.
    pub tensors: Vec<TensorInfo>,
    /// Where tensor data begins.
    pub data_offset: u64,
}

impl Gguf {
    /// Reads and checks the header of the file at `path`.
    ///
    /// # Errors
    /// If the file is not GGUF version 2 or 3, is cut short, or its header breaks the format.
    pub fn open(path: &Path) -> Result<Self, LoadError> {
        let source = Arc::new(Source::open(path)?);
        let mut cursor = Cursor::new(&source, MAX_HEADER_BYTES);
        let magic = cursor.array::<4>("magic")?;
        if &magic != b"GGUF" {
            return Err(LoadError::malformed(
                path,
                "magic",
                format!("{magic:02x?}"),
                "`GGUF`",
            ));
        }
        let version = cursor.u32("version")?;
        if !matches!(version, 2 | 3) {
            let big_endian = matches!(version.swap_bytes(), 1..=3);
            return Err(LoadError::Unsupported {
                path: path.to_owned(),
                place: "GGUF version".into(),
                found: match big_endian {
                    true => format!("big-endian version {}", version.swap_bytes()),
                    false => version.to_string(),
                },
                supported: "little-endian versions 2 and 3",
            });
        }
        let tensor_count = cursor.count("tensor count", MAX_ENTRIES, tensors::MIN_BYTES)?;
        let entry_count = cursor.count("metadata count", MAX_ENTRIES, metadata::MIN_ENTRY_BYTES)?;
        let metadata = Metadata::read(&mut cursor, entry_count)?;
        let alignment = match metadata.unsigned("general.alignment") {
            Ok(found) => found.unwrap_or(DEFAULT_ALIGNMENT),
            Err(error) => return Err(error.at(path)),
        };
        if !alignment.is_power_of_two() || alignment > MAX_ALIGNMENT {
            return Err(LoadError::malformed(
                path,
                "`general.alignment`",
                alignment.to_string(),
                format!("a power of two up to {MAX_ALIGNMENT}"),
            ));
        }
        let mut tensors = tensors::read(&mut cursor, tensor_count)?;
        // Bounded by the file's length, so the rounding cannot overflow.
        let data_offset = cursor.offset().next_multiple_of(alignment);
        tensors::check(&source, &mut tensors, data_offset, alignment)?;
        Ok(Self {
            source,
            metadata,
            tensors,
            data_offset,
        })
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        self.source.path()
    }

    /// The tensor called `name`.
    pub fn tensor(&self, name: &str) -> Option<&TensorInfo> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }
}
