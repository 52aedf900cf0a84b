//! The semantic stage: what the embedding of a question says.
//!
//! A linear head, fitted per embedder, gives the seven experts their scores. An expert that the head does not know takes part
//! through its example questions: the nearer the question is to the nearest of them, the larger the share it takes from the
//! others. The same rule lets corrections of a user speak near the question they were made for.

use super::linear::{CLASSES, Scores};
use crate::api::NearestExample;
use crate::error::EngineError;
use serde::{Deserialize, Serialize};

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

/// A linear head over embeddings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// The embedder it was fitted for.
    pub embedder: String,
    /// Weights, `[dimension, CLASSES]`.
    pub weights: Vec<Scores>,
    /// Bias of each class.
    pub bias: Scores,
}

impl Head {
    /// Logits before calibration.
    pub(super) fn logits(&self, embedding: &[f32]) -> Scores {
        let mut logits = self.bias;
        for (x, weights) in embedding.iter().zip(&self.weights) {
            for (logit, weight) in logits.iter_mut().zip(weights) {
                *logit += x * weight;
            }
        }
        logits
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
