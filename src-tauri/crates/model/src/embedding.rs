//! Texts become vectors that lie near each other when the texts mean something alike.
//!
//! Two kinds behind one [`Embedder`], told apart by `model_type` in `config.json`: `r3mes_static` looks a vector up for every
//! token and adds them (microseconds), `bert` is a MiniLM-class encoder (milliseconds). Both give rows of length 1.
//!
//! Invariants: a row has [`Embedder::dimension`] finite numbers and length 1, or is all zero when nothing in the text counts;
//! a text's row does not depend on the texts beside it; files are hostile until checked and never cause a panic.
//!
//! Not for: generating text, cross-encoders, poolings other than the mean over tokens.

mod bert;
mod error;
mod files;
mod settings;
mod tensors;
mod token_vectors;
mod tokens;

use std::path::Path;

use bert::Bert;
pub use error::EmbeddingError;
use files::Files;
use settings::Settings;
use token_vectors::TokenVectors;

/// How an embedder makes its vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmbedderKind {
    /// The sum of a vector for each token.
    Static,
    /// A BERT encoder, averaged over tokens.
    Bert,
}

impl EmbedderKind {
    /// The word `config.json` uses for it.
    pub fn as_str(self) -> &'static str {
        match self {
            EmbedderKind::Static => "r3mes_static",
            EmbedderKind::Bert => "bert",
        }
    }
}

/// Vectors of texts, and how many tokens were read to make them.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedded {
    /// One row for each text, in their order: length 1, or all zero.
    pub rows: Vec<Vec<f32>>,
    /// Tokens that went into them, after truncation.
    pub tokens: usize,
}

/// A model that turns texts into vectors. Shared freely between threads.
#[derive(Debug)]
pub struct Embedder {
    name: String,
    version: Option<String>,
    max_tokens: usize,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Static(Box<TokenVectors>),
    Bert(Box<Bert>),
}

impl Embedder {
    /// Opens an embedder's folder: `config.json`, `tokenizer.json` and `model.safetensors`.
    ///
    /// # Errors
    /// If a file is missing, unreadable, malformed, or contradicts another; the message names file, tensor, found and expected.
    pub fn open(folder: &Path) -> Result<Embedder, EmbeddingError> {
        Embedder::read(&Files::Folder(folder))
    }

    /// Opens an embedder from the names and bytes of its files; `place` stands for their folder in errors.
    ///
    /// # Errors
    /// As [`Embedder::open`].
    pub fn from_memory(place: &str, files: &[(&str, &[u8])]) -> Result<Embedder, EmbeddingError> {
        Embedder::read(&Files::Memory { place, files })
    }

    fn read(files: &Files<'_>) -> Result<Embedder, EmbeddingError> {
        match Settings::read(files)? {
            Settings::Static(settings) => Ok(Embedder {
                form: Form::Static(Box::new(TokenVectors::read(files, &settings)?)),
                name: settings.name.unwrap_or_else(|| files.name()),
                version: settings.version,
                max_tokens: settings.max_tokens,
            }),
            Settings::Bert(settings) => Ok(Embedder {
                form: Form::Bert(Box::new(Bert::read(files, &settings)?)),
                name: files.name(),
                version: None,
                max_tokens: settings.max_tokens,
            }),
        }
    }

    /// What it calls itself, or the name of its folder; for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version it states, if it does.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// How it works.
    pub fn kind(&self) -> EmbedderKind {
        match self.form {
            Form::Static(_) => EmbedderKind::Static,
            Form::Bert(_) => EmbedderKind::Bert,
        }
    }

    /// Numbers in a row.
    pub fn dimension(&self) -> usize {
        match &self.form {
            Form::Static(vectors) => vectors.dimension(),
            Form::Bert(bert) => bert.dimension(),
        }
    }

    /// The tokens of a text that are read; what follows them does not count.
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// Bytes of the numbers it holds in memory.
    pub fn bytes(&self) -> u64 {
        match &self.form {
            Form::Static(vectors) => vectors.bytes(),
            Form::Bert(bert) => bert.bytes(),
        }
    }

    /// The vectors of `texts`, one row each.
    ///
    /// # Shapes
    /// - returns `[texts.len(), dimension]`, each row of length 1 or all zero
    ///
    /// # Errors
    /// If the tokenizer refuses a text, or the numbers of the model run over.
    pub fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbeddingError> {
        self.embed_counted(texts).map(|embedded| embedded.rows)
    }

    /// As [`Embedder::embed`], with the number of tokens read.
    ///
    /// # Errors
    /// As there.
    pub fn embed_counted(&self, texts: &[&str]) -> Result<Embedded, EmbeddingError> {
        match &self.form {
            Form::Static(vectors) => vectors.embed(texts, self.max_tokens),
            Form::Bert(bert) => bert.embed(&self.name, texts, self.max_tokens),
        }
    }
}

/// Scales `row` to length 1. A row without a direction (all zero, or next to it) becomes all zero.
fn normalise(row: &mut [f32]) {
    let length = row
        .iter()
        .map(|&value| f64::from(value) * f64::from(value))
        .sum::<f64>()
        .sqrt();
    if length < f64::from(f32::MIN_POSITIVE) {
        row.fill(0.0);
        return;
    }
    for value in row {
        *value = (f64::from(*value) / length) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::{Embedder, normalise};

    #[test]
    fn an_embedder_is_shared_between_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Embedder>();
    }

    #[test]
    fn rows_have_length_one_or_are_zero() {
        for (mut row, expected) in [
            (vec![3.0, 4.0], [0.6, 0.8]),
            (vec![3e30, 4e30], [0.6, 0.8]),
            (vec![0.0, 0.0], [0.0, 0.0]),
            (vec![1e-40, 0.0], [0.0, 0.0]),
        ] {
            normalise(&mut row);
            for (found, expected) in row.iter().zip(expected) {
                assert!((found - expected).abs() <= f32::EPSILON, "{row:?}");
            }
        }
    }
}
