//! Why a model could not be loaded: where it was, what it held, what was expected.

use std::io;
use std::path::{Path, PathBuf};

use r3mes_kernels::{AllocError, LayoutError, ScreenError};

use crate::config::ConfigError;

/// Everything that loading can refuse. One bad file gives one of these, never a panic.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The operating system refused to open, read or write a file.
    #[error("cannot {action} `{path}`")]
    Io {
        /// `open`, `read`, `write` ….
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file's content breaks its own format or contradicts the model's configuration.
    #[error("`{path}`, {place}: found {found}, expected {expected}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Field, tensor or byte offset inside it.
        place: String,
        /// What was there.
        found: String,
        /// What would have been right.
        expected: String,
    },
    /// A JSON file that does not parse.
    #[error("`{path}` is not the JSON expected here")]
    Json {
        /// The file.
        path: PathBuf,
        /// Line, column and reason.
        #[source]
        source: serde_json::Error,
    },
    /// Dimensions that no model can have.
    #[error("`{path}` describes an impossible model")]
    Config {
        /// The file that carries the configuration.
        path: PathBuf,
        /// The field and its bounds.
        #[source]
        source: ConfigError,
    },
    /// A correct file of a kind this build does not read.
    #[error("`{path}`, {place}: {found} is not supported, this build reads {supported}")]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// Field or tensor inside it.
        place: String,
        /// What it holds.
        found: String,
        /// The alternatives.
        supported: &'static str,
    },
    /// Neither a Hub folder nor a GGUF file.
    #[error(
        "`{path}` holds no model: found {found}, expected a `.gguf` file or a folder with `config.json`"
    )]
    NoModel {
        /// The path given.
        path: PathBuf,
        /// What is there.
        found: String,
    },
    /// A packed matrix cannot be made: no memory, or a shape beyond its bounds.
    #[error("cannot pack tensor `{place}`")]
    Layout {
        /// The tensor being packed.
        place: String,
        /// Size or shape.
        #[source]
        source: LayoutError,
    },
    /// The 4-bit image of the LM head cannot be made.
    #[error("cannot screen tensor `{place}`")]
    Screen {
        /// The head's tensor.
        place: String,
        /// Size or shape.
        #[source]
        source: ScreenError,
    },
    /// The weights do not fit.
    #[error("no memory for tensor `{place}`")]
    Memory {
        /// The tensor being prepared.
        place: String,
        /// The size that was refused.
        #[source]
        source: AllocError,
    },
    /// The caller asked to stop.
    #[error("loading was cancelled")]
    Cancelled,
}

impl LoadError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    pub(crate) fn malformed(
        path: &Path,
        place: impl Into<String>,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self::Malformed {
            path: path.to_owned(),
            place: place.into(),
            found: found.into(),
            expected: expected.into(),
        }
    }

    pub(crate) fn config(path: &Path) -> impl FnOnce(ConfigError) -> Self {
        let path = path.to_owned();
        move |source| Self::Config { path, source }
    }
}
