//! The static embedder: every token has a vector, a text is their sum.
//!
//! `row(text) = normalise(Σ scales[t] · vectors[t])` over the text's tokens `t`. How much a token counts is folded into its scale;
//! a token of scale 0 does not count, and a text of such tokens only has the zero row.

use super::files::Files;
use super::settings::StaticSettings;
use super::tensors::TensorFile;
use super::tokens::Tokens;
use super::{Embedded, EmbeddingError, normalise};

const VECTORS: &str = "vectors";
const SCALES: &str = "scales";
/// The largest scale accepted: sums of the longest text stay finite by a wide margin.
const MOST_SCALE: f32 = 1048576.0;

/// A table of token vectors in 8 bits.
///
/// # Shapes
/// - `vectors`: `[rows, dimension]` i8 · `scales`: `[rows]` f32
#[derive(Debug)]
pub(super) struct TokenVectors {
    tokens: Tokens,
    dimension: usize,
    vectors: Vec<i8>,
    scales: Vec<f32>,
}

impl TokenVectors {
    /// Reads tokenizer and table.
    ///
    /// # Errors
    /// If a file is missing or malformed, a tensor has another shape or a number that cannot be, or a token has no vector.
    pub(super) fn read(
        files: &Files<'_>,
        settings: &StaticSettings,
    ) -> Result<TokenVectors, EmbeddingError> {
        let tokens = Tokens::read(files)?;
        let file = TensorFile::read(files)?;
        let tensors = file.tensors()?;
        let rows = tensors.rows(SCALES)?;
        if tokens.rows() > rows {
            return Err(tensors.refuse(
                SCALES,
                format!("{rows} rows"),
                format!("one for each of the tokenizer's {} tokens", tokens.rows()),
            ));
        }
        Ok(TokenVectors {
            dimension: settings.dimension,
            vectors: tensors.int8(VECTORS, &[rows, settings.dimension])?,
            scales: tensors.floats(SCALES, &[rows], MOST_SCALE)?,
            tokens,
        })
    }

    pub(super) fn dimension(&self) -> usize {
        self.dimension
    }

    pub(super) fn bytes(&self) -> u64 {
        (self.vectors.len() + self.scales.len() * size_of::<f32>()) as u64
    }

    /// The rows of `texts`, of each the first `max_tokens` tokens.
    pub(super) fn embed(
        &self,
        texts: &[&str],
        max_tokens: usize,
    ) -> Result<Embedded, EmbeddingError> {
        let mut embedded = Embedded {
            rows: Vec::with_capacity(texts.len()),
            tokens: 0,
        };
        for text in texts {
            let ids = self.tokens.inner(text, max_tokens)?;
            embedded.tokens += ids.len();
            embedded.rows.push(self.row(&ids));
        }
        Ok(embedded)
    }

    fn row(&self, ids: &[u32]) -> Vec<f32> {
        let mut sum = vec![0.0; self.dimension];
        for &id in ids {
            let id = id as usize;
            let scale = self.scales[id];
            if scale == 0.0 {
                continue;
            }
            let vector = &self.vectors[id * self.dimension..][..self.dimension];
            for (value, &code) in sum.iter_mut().zip(vector) {
                *value += scale * f32::from(code);
            }
        }
        normalise(&mut sum);
        sum
    }
}
