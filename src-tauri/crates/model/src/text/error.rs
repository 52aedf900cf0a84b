//! What can be wrong with a tokenizer, a chat template or a text.

use std::path::PathBuf;

/// Why text could not be turned into tokens, or a tokenizer or template could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// A file of the model folder cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file of the model folder is far larger than any real one.
    #[error("`{}`: {bytes} bytes, at most {limit} expected", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        bytes: u64,
        /// The largest size read, in bytes.
        limit: u64,
    },
    /// The folder has no tokenizer in a form this build reads.
    #[error("`{}` has no `tokenizer.json`", dir.display())]
    NoTokenizer {
        /// The model folder.
        dir: PathBuf,
    },
    /// A JSON file is not valid JSON, or not of the shape it should have.
    #[error("`{place}`: {source}")]
    Json {
        /// The file, and the field where known.
        place: String,
        /// What the parser said.
        #[source]
        source: serde_json::Error,
    },
    /// A part of a tokenizer holds something it cannot hold.
    #[error("{place}: {found}, expected {expected}")]
    Tokenizer {
        /// Where it was.
        place: String,
        /// What it held.
        found: String,
        /// What it should have held.
        expected: String,
    },
    /// A GGUF file's header cannot be read.
    #[error(transparent)]
    Gguf(#[from] crate::load::LoadError),
    /// A metadata entry of a GGUF file has another type.
    #[error(transparent)]
    Metadata(#[from] crate::gguf::MetadataError),
    /// The tokenizer library refused.
    #[error("{place}: {message}")]
    Library {
        /// Where it was.
        place: String,
        /// The library's message.
        message: String,
    },
    /// A chat template does not compile, or failed while rendering.
    #[error("chat template from {origin}, line {line}: {message}")]
    Template {
        /// Where the template came from.
        origin: String,
        /// Line in the template, 0 when unknown.
        line: usize,
        /// What went wrong, in the template engine's or the template's own words.
        message: String,
    },
    /// The tokenizer knows ids that the model has no embedding row for.
    #[error(
        "tokenizer and model do not match: highest token id {highest} (`{token}`), the embedding has {rows} rows"
    )]
    TooManyTokens {
        /// The highest token id.
        highest: u32,
        /// Its text.
        token: String,
        /// Rows of the model's embedding.
        rows: usize,
    },
}

impl TextError {
    pub(crate) fn tokenizer(
        place: impl Into<String>,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        TextError::Tokenizer {
            place: place.into(),
            found: found.into(),
            expected: expected.into(),
        }
    }
}
