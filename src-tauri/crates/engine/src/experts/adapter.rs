//! The seam to the model crate: what an adapter is by its files, and the adapter itself.

use crate::api::AdapterKind;
use r3mes_kernels::{Isa, Pool};
use r3mes_model::adapter::{
    self, AdapterError, AdapterForm, AdapterInfo, AdapterOptions, Kept, Precision,
};
use r3mes_model::config::ModelConfig;
use r3mes_model::weights::Weights;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

pub(crate) use r3mes_model::adapter::Adapter;

/// The resident form of an adapter, beside its files; it can be deleted at any time and is in no pack.
const KEPT: &str = "resident.cache";

/// An adapter as its files describe it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AdapterShape {
    /// How it changes a linear.
    pub kind: AdapterKind,
    /// Its rank.
    pub rank: usize,
    /// Bytes it takes in memory.
    pub resident_bytes: u64,
    /// The model it was trained on, as its configuration names it.
    pub base_model: Option<String>,
}

/// What brings adapters into memory beside a model.
#[derive(Clone)]
pub(crate) struct Computer {
    /// The model's weights: gains depend on them.
    pub weights: Arc<Weights>,
    /// Instruction set of the kernels.
    pub isa: Isa,
    /// Threads of their own: the model's are busy with an answer.
    pub pool: Arc<Pool>,
}

/// Looks at configuration and header of the adapter in `folder`, for a model of these dimensions.
///
/// # Errors
/// If it is none that this model could use: what was found and what was expected, in words.
pub(crate) fn inspect(
    folder: &Path,
    id: &str,
    model: &ModelConfig,
) -> Result<AdapterShape, String> {
    adapter::inspect(folder, id, model, Precision::Auto)
        .map(shape)
        .map_err(|error| words(&error, folder))
}

/// As [`inspect`], and reads every number. Nothing when `keep_going` said no.
///
/// # Errors
/// As there, and if a number is not finite.
pub(crate) fn verify(
    folder: &Path,
    id: &str,
    model: &ModelConfig,
    keep_going: &mut dyn FnMut() -> bool,
) -> Result<Option<AdapterShape>, String> {
    match adapter::verify(folder, id, model, Precision::Auto, keep_going) {
        Ok(info) => Ok(Some(shape(info))),
        Err(AdapterError::Cancelled) => Ok(None),
        Err(error) => Err(words(&error, folder)),
    }
}

/// Brings the adapter in `folder`, of this generation, into memory; its resident form stays beside its files for the next
/// time. Nothing when `keep_going` said no.
///
/// # Errors
/// As [`verify`], and if it does not fit the weights or memory is short.
pub(crate) fn load(
    folder: &Path,
    id: &str,
    generation: &str,
    computer: &Computer,
    keep_going: &mut dyn FnMut() -> bool,
) -> Result<Option<Adapter>, Unloadable> {
    let file = folder.join(KEPT);
    let options = AdapterOptions {
        isa: computer.isa,
        pool: &computer.pool,
        precision: Precision::Auto,
        kept: Some(Kept {
            file: &file,
            content: generation.as_bytes(),
        }),
    };
    match adapter::load(folder, id, &computer.weights, options, keep_going) {
        Ok(adapter) => Ok(Some(adapter)),
        Err(AdapterError::Cancelled) => Ok(None),
        Err(error @ AdapterError::Alloc(_)) => Err(Unloadable::NoMemory(error)),
        Err(error) => Err(Unloadable::Broken(words(&error, folder))),
    }
}

/// Why an adapter did not come into memory.
pub(crate) enum Unloadable {
    /// Its files are wrong, and stay so until somebody changes them.
    Broken(String),
    /// Another time there may be room.
    NoMemory(AdapterError),
}

fn shape(info: AdapterInfo) -> AdapterShape {
    let shown = |name: &String| name.chars().count() <= 200 && !name.chars().any(char::is_control);
    AdapterShape {
        kind: match info.form {
            AdapterForm::WeightDecomposed => AdapterKind::WeightDecomposed,
            AdapterForm::Additive => AdapterKind::Additive,
            AdapterForm::LowRank => AdapterKind::LowRank,
        },
        rank: info.rank,
        resident_bytes: info.resident_bytes,
        base_model: info.base_model.filter(shown),
    }
}

/// An error with its causes, its files by their names: where they lie says nothing to who reads it, and may be temporary.
fn words(error: &AdapterError, folder: &Path) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text.replace(
        &format!("{}{}", folder.display(), std::path::MAIN_SEPARATOR),
        "",
    )
}
