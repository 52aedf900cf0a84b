//! Why an embedder could not be opened or used: where it was, what it held, what was expected.

use std::path::PathBuf;

use crate::text::TextError;

/// Everything that an embedder can refuse. One bad file gives one of these, never a panic.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddingError {
    /// The operating system refused a file.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// `open`, `read` ….
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file of the folder is not there.
    #[error("`{place}` is missing: an embedder is a folder with {expected}")]
    Missing {
        /// The file.
        place: String,
        /// What belongs in the folder.
        expected: &'static str,
    },
    /// A JSON file that does not parse.
    #[error("`{place}` is not the JSON expected here")]
    Json {
        /// The file.
        place: String,
        /// Line, column and reason.
        #[source]
        source: serde_json::Error,
    },
    /// A file's content breaks its format or contradicts another file.
    #[error("`{place}`, {part}: found {found}, expected {expected}")]
    Malformed {
        /// The file.
        place: String,
        /// Field or tensor in it.
        part: String,
        /// What was there.
        found: String,
        /// What would have been right.
        expected: String,
    },
    /// The tokenizer cannot be read, or refuses a text.
    #[error("cannot turn text into tokens")]
    Text(#[from] TextError),
    /// The tensor library refused.
    #[error("embedder `{name}` cannot {action}")]
    Tensor {
        /// The embedder.
        name: String,
        /// What was being done.
        action: &'static str,
        /// What the library said.
        #[source]
        source: candle_core::Error,
    },
    /// The numbers of the model ran over while a text was read.
    #[error("embedder `{name}`: the vector of text {text} is not finite, expected finite numbers")]
    NotFinite {
        /// The embedder.
        name: String,
        /// Place of the text among those given, counted from 0.
        text: usize,
    },
}

impl EmbeddingError {
    pub(super) fn malformed(
        place: impl Into<String>,
        part: impl Into<String>,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> EmbeddingError {
        EmbeddingError::Malformed {
            place: place.into(),
            part: part.into(),
            found: found.into(),
            expected: expected.into(),
        }
    }
}
