//! Vectors of texts as hosts see them.

use serde::Serialize;

/// Vectors of texts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Embeddings {
    /// One vector for each text, in their order; of length 1, or all zero when nothing in the text counts.
    pub embeddings: Vec<Vec<f32>>,
    /// What the embedder calls itself.
    pub embedder: String,
    /// Numbers in a vector.
    pub dimension: usize,
    /// Tokens read.
    pub tokens: usize,
    /// Tokens read in a second.
    pub tokens_per_second: f64,
}
