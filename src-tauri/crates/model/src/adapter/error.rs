//! Why an adapter could not be used: which, where in it, what it held, what was expected.

use std::path::PathBuf;

use r3mes_kernels::AllocError;
use r3mes_kernels::low_rank::LowRankError;

use crate::load::LoadError;

/// Everything that loading an adapter can refuse. One bad file gives one of these, never a panic, never the base model's answer.
#[derive(Debug, thiserror::Error)]
pub enum AdapterError {
    /// A file that cannot be read or breaks its own format.
    #[error(transparent)]
    File(#[from] LoadError),
    /// A setting of `adapter_config.json` that cannot be right.
    #[error("`{path}`, `{field}`: {found}, expected {expected}")]
    Config {
        /// The file.
        path: PathBuf,
        /// The setting.
        field: String,
        /// What it held.
        found: String,
        /// What it may hold.
        expected: String,
    },
    /// An adapter of a kind that is not applied here.
    #[error("`{path}`, `{field}`: {found}; {reason}")]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The setting or tensor.
        field: String,
        /// What it held.
        found: String,
        /// Why that is not applied.
        reason: String,
    },
    /// A part of an adapter that does not fit the model or itself.
    #[error("adapter `{adapter}`, layer {layer} `{linear}`: {found}, expected {expected}")]
    Linear {
        /// Which adapter.
        adapter: String,
        /// Which block.
        layer: usize,
        /// Which linear of it.
        linear: &'static str,
        /// What was found.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// Something that concerns the adapter as a whole.
    #[error("adapter `{adapter}`: {found}, expected {expected}")]
    Whole {
        /// Which adapter.
        adapter: String,
        /// What was found.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// Too many adapters, or a share that is no number.
    #[error("mix of adapters: {found}, expected {expected}")]
    Mix {
        /// What was found.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// The caller asked to stop.
    #[error("loading the adapter was cancelled")]
    Cancelled,
    /// No memory for it.
    #[error(transparent)]
    Alloc(#[from] AllocError),
}

/// Names the linear for an error about its numbers.
pub(super) fn in_linear(
    adapter: &str,
    (layer, linear): (usize, &'static str),
    error: LowRankError,
) -> AdapterError {
    let (found, expected) = match &error {
        LowRankError::Dimension { name, value } => {
            (format!("{name} is {value}"), "1 to 16777216".to_owned())
        }
        LowRankError::Length {
            name,
            found,
            expected,
        } => (format!("{name} has {found} values"), expected.to_string()),
        LowRankError::NotFinite { name, index, value } => (
            format!("value {index} of {name} is {value}"),
            "a finite number".to_owned(),
        ),
        LowRankError::Alloc(_) => (error.to_string(), "more free memory".to_owned()),
    };
    AdapterError::Linear {
        adapter: adapter.to_owned(),
        layer,
        linear,
        found,
        expected,
    }
}
