//! One loader for all layouts: headers become a [`plan`], the plan becomes [`Weights`].
//!
//! A first load decodes and packs every linear and, for a large model, leaves the packed matrices in a cache file beside it;
//! later loads read that file straight into huge pages. Exact embedding and head rows stay in the model file.
//!
//! Invariants: everything is hostile until checked; one bad file gives one error and never a panic; nothing is allocated
//! from a count that was not first compared with the file's length.

mod assemble;
mod batches;
mod cache;
mod check;
mod decode;
mod error;
mod gguf;
mod head;
pub(crate) mod header;
mod hub;
mod pack;
pub(crate) mod plan;
mod rows;
pub(crate) mod source;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use r3mes_kernels::Pool;

pub(crate) use cache::packed_copy_bytes;
pub(crate) use check::check_tensors;
pub use error::LoadError;
pub(crate) use hub::read_json;

use crate::weights::Weights;
use plan::Plan;

/// What loading may use.
#[derive(Clone, Copy)]
pub struct LoadOptions<'a> {
    /// Threads that decode, pack and read.
    pub pool: &'a Pool,
    /// Where packed copies of large models may go.
    pub cache: CacheUse<'a>,
    /// Elements from which an embedding or a head stays in its file, and a head is screened.
    pub large_table: u64,
}

impl<'a> LoadOptions<'a> {
    /// The usual [`LoadOptions::large_table`]: 32 MiB in bf16.
    pub const LARGE_TABLE: u64 = 16 << 20;

    /// Options with the usual size of a large table.
    pub fn new(pool: &'a Pool, cache: CacheUse<'a>) -> Self {
        Self {
            pool,
            cache,
            large_table: Self::LARGE_TABLE,
        }
    }
}

/// Whether a packed copy is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheUse<'a> {
    /// Neither read nor written.
    Off,
    /// In `.r3mes-packed-v1` beside the model, or in `fallback` where that folder cannot be written.
    BesideModel {
        /// A folder of the application's own.
        fallback: Option<&'a Path>,
        /// Packed bytes from which a model is worth a copy.
        from_bytes: u64,
    },
}

impl<'a> CacheUse<'a> {
    /// Below this packing takes no longer than reading a copy would.
    pub const FROM_BYTES: u64 = 24 << 20;

    /// A copy of every large model, beside it where that folder can be written.
    pub fn beside_model(fallback: Option<&'a Path>) -> Self {
        Self::BesideModel {
            fallback,
            from_bytes: Self::FROM_BYTES,
        }
    }
}

/// Where a load stands; told between pieces of work of some ten milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub enum LoadPhase {
    /// Headers, or weights that are not packed, are being read.
    Reading,
    /// Matrices are being packed: `done` of `total` bytes.
    Packing {
        /// Packed bytes ready.
        done: u64,
        /// Packed bytes of the whole model.
        total: u64,
    },
    /// The packed copy is being read: `done` of `total` bytes.
    ReadingCache {
        /// Bytes read.
        done: u64,
        /// Bytes of the copy.
        total: u64,
    },
    /// The packed copy is being finished: `done` of `total` bytes.
    WritingCache {
        /// Bytes written.
        done: u64,
        /// Bytes of the copy.
        total: u64,
    },
    /// No packed copy could be kept, so the next load packs again.
    CacheNotWritten {
        /// Why, for people.
        reason: String,
    },
}

/// Told of progress; [`ControlFlow::Break`] cancels the load.
pub type Progress<'a> = dyn FnMut(LoadPhase) -> ControlFlow<()> + 'a;

/// Loads the model at `path`: a Hub folder or a `.gguf` file.
///
/// # Errors
/// If there is no model, a file is malformed or of a kind this build does not read, memory is short, or `progress` broke off
/// ([`LoadError::Cancelled`]).
pub fn load(
    path: &Path,
    options: &LoadOptions<'_>,
    progress: &mut Progress<'_>,
) -> Result<Weights, LoadError> {
    report(progress, LoadPhase::Reading)?;
    let plan = read_plan(path)?;
    assemble::weights(plan, options, progress)
}

/// Reads configuration and headers only.
pub(crate) fn read_plan(path: &Path) -> Result<Plan, LoadError> {
    let metadata = std::fs::metadata(path).map_err(LoadError::io("open", path))?;
    if metadata.is_dir() {
        return match path.join("config.json").exists() {
            true => hub::plan(path),
            false => match only_gguf(path)? {
                Some(file) => gguf::plan(&file),
                None => Err(LoadError::NoModel {
                    path: path.to_owned(),
                    found: "a folder with neither".into(),
                }),
            },
        };
    }
    gguf::plan(path)
}

/// The single `.gguf` file of a folder.
pub(crate) fn only_gguf(folder: &Path) -> Result<Option<PathBuf>, LoadError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(LoadError::io("list", folder))? {
        let path = entry.map_err(LoadError::io("list", folder))?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "gguf")
        {
            found.push(path);
        }
    }
    match found.len() {
        0 => Ok(None),
        1 => Ok(found.pop()),
        count => Err(LoadError::NoModel {
            path: folder.to_owned(),
            found: format!("{count} `.gguf` files, name one of them"),
        }),
    }
}

fn report(progress: &mut Progress<'_>, phase: LoadPhase) -> Result<(), LoadError> {
    match progress(phase) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(LoadError::Cancelled),
    }
}
