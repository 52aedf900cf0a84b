//! The semantic stage: what the embedding of a question says.
//!
//! A small head, fitted per embedder, gives the seven experts their scores. An expert that the head does not know takes part
//! through its example questions: the nearer the question is to the nearest of them, the larger the share it takes from the
//! others. The same rule lets corrections of a user speak near the question they were made for.

use super::linear::{CLASSES, Scores};
use crate::api::NearestExample;
use crate::error::EngineError;
use r3mes_model::embedding::Embedder;

/// Gives normalised embeddings.
pub trait Embeds: Send + Sync {
    /// Which embedder: heads are fitted for one.
    fn name(&self) -> &str;

    /// One normalised vector for each text; all zero where nothing of a text is known.
    ///
    /// # Errors
    /// If the embedder cannot work.
    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EngineError>;
}

/// A small network over embeddings: `logits = top · relu(hidden · x + hidden_bias) + bias`.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// The embedder it was fitted for.
    pub embedder: String,
    /// Weights of the hidden units, `[dimension, units]`.
    pub hidden: Vec<f32>,
    /// Bias of each hidden unit.
    pub hidden_bias: Vec<f32>,
    /// Weights from the hidden units, `[units, CLASSES]`.
    pub top: Vec<Scores>,
    /// Bias of each class.
    pub bias: Scores,
}

impl Head {
    /// Logits before calibration.
    pub(super) fn logits(&self, embedding: &[f32]) -> Scores {
        let mut units = vec![0.0; self.hidden_bias.len()];
        self.units(embedding, &mut units);
        self.above(&units)
    }

    /// Values of the hidden units.
    pub(super) fn units(&self, embedding: &[f32], units: &mut [f32]) {
        units.copy_from_slice(&self.hidden_bias);
        for (x, weights) in embedding.iter().zip(self.hidden.chunks_exact(units.len())) {
            for (unit, weight) in units.iter_mut().zip(weights) {
                *unit += x * weight;
            }
        }
        for unit in units {
            *unit = unit.max(0.0);
        }
    }

    /// Logits from the values of the hidden units.
    pub(super) fn above(&self, units: &[f32]) -> Scores {
        let mut logits = self.bias;
        for (unit, weights) in units.iter().zip(&self.top) {
            for (logit, weight) in logits.iter_mut().zip(weights) {
                *logit += unit * weight;
            }
        }
        logits
    }

    /// The file: dimension and units as `u32`, then hidden, hidden bias, top and bias as `f32`, all little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let units = self.hidden_bias.len();
        let sizes = [self.hidden.len() / units.max(1), units];
        let mut bytes: Vec<u8> = sizes
            .iter()
            .flat_map(|n| (*n as u32).to_le_bytes())
            .collect();
        let numbers = self.hidden.iter().chain(&self.hidden_bias);
        let numbers = numbers.chain(self.top.as_flattened()).chain(&self.bias);
        bytes.extend(numbers.flat_map(|x| x.to_le_bytes()));
        bytes
    }

    /// Reads what [`Head::to_bytes`] wrote; nothing if it is not that, or a number is not finite.
    pub fn from_bytes(embedder: &str, bytes: &[u8]) -> Option<Head> {
        let (sizes, numbers) = bytes.split_at_checked(8)?;
        let size =
            |at: usize| Some(u32::from_le_bytes(sizes[at..at + 4].try_into().ok()?) as usize);
        let (dimension, units) = (size(0)?, size(4)?);
        let hidden = dimension.checked_mul(units)?;
        let count = hidden
            .checked_add(units)?
            .checked_add(units.checked_mul(CLASSES)?)?
            + CLASSES;
        if units == 0 || numbers.len() != count.checked_mul(4)? {
            return None;
        }
        let numbers: Vec<f32> = numbers
            .chunks_exact(4)
            .map(|four| f32::from_le_bytes(four.try_into().expect("four bytes")))
            .collect();
        if !numbers.iter().all(|x| x.is_finite()) {
            return None;
        }
        let (hidden, rest) = numbers.split_at(hidden);
        let (hidden_bias, rest) = rest.split_at(units);
        let (top, bias) = rest.split_at(units * CLASSES);
        Some(Head {
            embedder: embedder.to_owned(),
            hidden: hidden.to_vec(),
            hidden_bias: hidden_bias.to_vec(),
            top: top.as_chunks::<CLASSES>().0.to_vec(),
            bias: bias.try_into().ok()?,
        })
    }
}

impl Embeds for Embedder {
    fn name(&self) -> &str {
        Embedder::name(self)
    }

    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EngineError> {
        Ok(Embedder::embed(self, texts)?)
    }
}

/// Example questions of one expert with their embeddings.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Examples {
    texts: Vec<String>,
    embeddings: Vec<Vec<f32>>,
}

/// Most examples of one expert that are kept: more say little new and cost time for every question.
pub const MOST_EXAMPLES: usize = 512;

impl Examples {
    /// Embeds the examples; those of which the embedder knows nothing are left out.
    pub fn new(texts: &[String], embedder: &dyn Embeds) -> Result<Examples, EngineError> {
        let texts: Vec<&str> = texts
            .iter()
            .map(|text| text.trim())
            .filter(|text| !text.is_empty())
            .take(MOST_EXAMPLES)
            .collect();
        let embeddings = embedder.embed(&texts)?;
        let known = texts
            .iter()
            .zip(embeddings)
            .filter(|(_, embedding)| embedding.iter().any(|x| *x != 0.0));
        let (texts, embeddings) = known
            .map(|(text, embedding)| ((*text).to_owned(), embedding))
            .unzip();
        Ok(Examples { texts, embeddings })
    }

    pub fn len(&self) -> usize {
        self.texts.len()
    }

    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Cosine of the angle to the nearest example; −1 where there is none.
    pub fn closest(&self, embedding: &[f32]) -> f32 {
        self.embeddings
            .iter()
            .map(|example| dot(example, embedding))
            .fold(-1.0, f32::max)
    }

    /// The `most` nearest examples, nearest first.
    pub fn nearest(&self, embedding: &[f32], most: usize) -> Vec<NearestExample> {
        let mut all: Vec<(f32, usize)> = self
            .embeddings
            .iter()
            .enumerate()
            .map(|(at, example)| (dot(example, embedding), at))
            .collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0));
        all.truncate(most);
        all.into_iter()
            .map(|(similarity, at)| NearestExample {
                text: self.texts[at].clone(),
                similarity,
            })
            .collect()
    }
}

/// How far two normalised vectors point the same way, −1 to 1.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    // Eight sums at once: the compiler keeps them in one vector register.
    let mut sums = [0.0_f32; 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a8
        .remainder()
        .iter()
        .zip(b8.remainder())
        .map(|(a, b)| a * b)
        .sum();
    for (a, b) in a8.zip(b8) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// A probability from a similarity: `1 / (1 + e^(−slope · (similarity − middle)))`.
pub(super) fn near(similarity: f32, middle: f32, slope: f32) -> f32 {
    1.0 / (1.0 + (-slope * (similarity - middle)).exp())
}

/// Gives `share` of the probability to `class` and leaves the rest to all as it was.
pub(super) fn lean(scores: &mut Scores, class: usize, share: f32) {
    for (at, score) in scores.iter_mut().enumerate() {
        *score = *score * (1.0 - share) + if at == class { share } else { 0.0 };
    }
}

const _: () = assert!(CLASSES == crate::api::KNOWN_EXPERTS.len());
