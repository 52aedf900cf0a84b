//! The BERT encoder of MiniLM-class embedders, on candle.
//!
//! `x = norm(word + position + type)`; each layer `x = norm(x + attention(x))`, then `x = norm(x + down(gelu(up(x))))`; a text's
//! row is the mean of its tokens' `x`, scaled to length 1. Post-norm, absolute positions, exact GELU, as published.
//!
//! Nothing is padded: the tokens of all texts of a batch lie one after another in one matrix `[tokens, hidden]`, and attention is
//! computed text by text. That is what a padded batch with an attention mask computes, without the padding's work.
//!
//! Source: Devlin et al. 2018, "BERT"; transformers `models/bert/modeling_bert.py`; sentence-transformers' mean pooling.

mod layer;
mod operations;
mod table;
mod weights;

use super::files::Files;
use super::settings::BertSettings;
use super::tokens::Tokens;
use super::{Embedded, EmbeddingError, normalise};
use layer::Layer;
use table::InputTable;

/// Tokens of one batch: enough to use the caches well, little enough that memory stays small whatever is asked.
const BATCH_TOKENS: usize = 1024;

/// A BERT encoder with its tokenizer.
#[derive(Debug)]
pub(super) struct Bert {
    tokens: Tokens,
    hidden: usize,
    input: InputTable,
    layers: Vec<Layer>,
}

/// Where a text lies among the tokens of its batch.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: usize,
    length: usize,
}

impl Bert {
    /// Reads tokenizer and weights.
    ///
    /// # Errors
    /// If a file is missing or malformed, a tensor is missing, of another shape or not finite, or a token has no vector.
    pub(super) fn read(files: &Files<'_>, settings: &BertSettings) -> Result<Bert, EmbeddingError> {
        let tokens = Tokens::read(files)?;
        if tokens.rows() > settings.vocabulary {
            return Err(EmbeddingError::malformed(
                files.place("config.json"),
                "`vocab_size`",
                settings.vocabulary.to_string(),
                format!("at least the tokenizer's {} tokens", tokens.rows()),
            ));
        }
        if tokens.surrounding() >= settings.max_tokens {
            return Err(EmbeddingError::malformed(
                files.place("tokenizer.json"),
                "post_processor",
                format!("{} tokens around a text", tokens.surrounding()),
                format!(
                    "fewer than the {} tokens that are read",
                    settings.max_tokens
                ),
            ));
        }
        let (input, layers) = weights::read(files, settings)?;
        Ok(Bert {
            tokens,
            hidden: settings.hidden,
            input,
            layers,
        })
    }

    pub(super) fn dimension(&self) -> usize {
        self.hidden
    }

    pub(super) fn bytes(&self) -> u64 {
        self.input.bytes() + self.layers.iter().map(Layer::bytes).sum::<u64>()
    }

    /// The rows of `texts`, of each the first `max_tokens` tokens.
    pub(super) fn embed(
        &self,
        name: &str,
        texts: &[&str],
        max_tokens: usize,
    ) -> Result<Embedded, EmbeddingError> {
        let mut embedded = Embedded {
            rows: Vec::with_capacity(texts.len()),
            tokens: 0,
        };
        let mut batch = Batch::default();
        for text in texts {
            let ids = self.tokens.around(text, max_tokens)?;
            embedded.tokens += ids.len();
            if !batch.is_empty() && batch.ids.len() + ids.len() > BATCH_TOKENS {
                self.run(name, &std::mem::take(&mut batch), &mut embedded.rows)?;
            }
            batch.add(&ids);
        }
        if !batch.is_empty() {
            self.run(name, &batch, &mut embedded.rows)?;
        }
        Ok(embedded)
    }

    /// Adds the rows of a batch to `rows`.
    fn run(
        &self,
        name: &str,
        batch: &Batch,
        rows: &mut Vec<Vec<f32>>,
    ) -> Result<(), EmbeddingError> {
        let states = self
            .states(batch)
            .map_err(|source| EmbeddingError::Tensor {
                name: name.to_owned(),
                action: "encode a text",
                source,
            })?;
        for span in &batch.spans {
            let states = &states[span.start * self.hidden..][..span.length * self.hidden];
            let row = mean(states, self.hidden);
            if row.iter().any(|value| !value.is_finite()) {
                return Err(EmbeddingError::NotFinite {
                    name: name.to_owned(),
                    text: rows.len(),
                });
            }
            rows.push(row);
        }
        Ok(())
    }

    /// The last layer's output for every token.
    ///
    /// # Shapes
    /// - returns `[tokens · hidden]`
    fn states(&self, batch: &Batch) -> candle_core::Result<Vec<f32>> {
        if batch.ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut x = self.input.look_up(&batch.ids, &batch.spans)?;
        for layer in &self.layers {
            x = layer.forward(&x, &batch.spans)?;
        }
        x.flatten_all()?.to_vec1()
    }
}

/// Texts that go through the encoder together.
#[derive(Debug, Default)]
struct Batch {
    ids: Vec<u32>,
    spans: Vec<Span>,
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    fn add(&mut self, ids: &[u32]) {
        self.spans.push(Span {
            start: self.ids.len(),
            length: ids.len(),
        });
        self.ids.extend(ids);
    }
}

/// The mean of a text's states, of length 1; all zero when it has none.
fn mean(states: &[f32], hidden: usize) -> Vec<f32> {
    let mut sum = vec![0.0; hidden];
    for state in states.chunks_exact(hidden) {
        for (sum, value) in sum.iter_mut().zip(state) {
            *sum += value;
        }
    }
    // The length of the mean does not matter: it becomes 1.
    normalise(&mut sum);
    sum
}
