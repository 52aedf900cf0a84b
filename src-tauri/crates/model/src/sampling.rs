//! Sampling: from the logits of one position to one token, the same on every machine.
//!
//! Order (as in transformers): logit bias → repetition penalty → presence and frequency penalties → temperature → top-k →
//! top-p → min-p → one draw. Temperature 0 is greedy: the largest adjusted logit, ties to the lowest id, no draw.
//! Candidates are ordered by (adjusted logit descending, id ascending), probabilities are f64 and use a portable exponential,
//! and the generator ([`Random`]) is a function of the seed and the number of draws. So the same logits and the same seed give
//! the same token on every platform.
//!
//! Useful for: choosing tokens from exact logits of all tokens or from an exact top-k. Not for: log-probabilities, beams.

mod candidates;
mod history;
mod random;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use candidates::{Candidate, sort_best_first};
pub use history::History;
pub use random::Random;

/// Above this top-k the whole row of logits is computed: re-scoring that many rows costs as much.
pub const TOP_K_OF_SCREEN: usize = 1024;

/// How the next token is chosen. All values are checked by [`Sampler::new`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sampling {
    /// Divides the logits; 0 is greedy.
    pub temperature: f32,
    /// Keeps the `top_k` best tokens; 0 keeps all.
    pub top_k: usize,
    /// Keeps the smallest set of best tokens whose probability reaches `top_p`; 1 keeps all.
    pub top_p: f32,
    /// Keeps tokens at least `min_p` times as probable as the best; 0 keeps all.
    pub min_p: f32,
    /// Divides positive and multiplies negative logits of tokens in the prompt or the answer; 1 is off (CTRL, Keskar et al. 2019).
    pub repetition_penalty: f32,
    /// Subtracted once from the logit of a token that occurs in the answer; 0 is off.
    pub presence_penalty: f32,
    /// Subtracted from the logit of a token for each time it occurs in the answer; 0 is off.
    pub frequency_penalty: f32,
    /// Start of the random sequence.
    pub seed: u64,
    /// Added to the logits of these token ids, before everything else.
    pub logit_bias: BTreeMap<u32, f32>,
    /// Texts that end the answer; they are not part of it.
    pub stop: Vec<String>,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            temperature: 0.7,
            top_k: 40,
            top_p: 0.95,
            min_p: 0.0,
            seed: 0,
            ..Self::greedy()
        }
    }
}

impl Sampling {
    /// Always the most probable token, nothing adjusted.
    pub fn greedy() -> Self {
        Self {
            temperature: 0.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            repetition_penalty: 1.0,
            presence_penalty: 0.0,
            frequency_penalty: 0.0,
            seed: 0,
            logit_bias: BTreeMap::new(),
            stop: Vec::new(),
        }
    }

    /// Checks every value against its range and the vocabulary.
    ///
    /// # Errors
    /// The first value out of range, with its name and the range.
    pub fn validate(&self, vocab: usize) -> Result<(), SamplingError> {
        let range = |name, value: f32, expected, inside: bool| {
            if value.is_finite() && inside {
                Ok(())
            } else {
                Err(SamplingError::OutOfRange {
                    name,
                    value,
                    expected,
                })
            }
        };
        let unit = |value: f32| (0.0..=1.0).contains(&value);
        let (t, r) = (self.temperature, self.repetition_penalty);
        range("temperature", t, "0 to 100", (0.0..=100.0).contains(&t))?;
        range("top_p", self.top_p, "0 to 1", unit(self.top_p))?;
        range("min_p", self.min_p, "0 to 1", unit(self.min_p))?;
        range(
            "repetition_penalty",
            r,
            "above 0, at most 100",
            r > 0.0 && r <= 100.0,
        )?;
        for (name, value) in [
            ("presence_penalty", self.presence_penalty),
            ("frequency_penalty", self.frequency_penalty),
        ] {
            range(name, value, "-100 to 100", value.abs() <= 100.0)?;
        }
        for (&id, &bias) in &self.logit_bias {
            if id as usize >= vocab {
                return Err(SamplingError::BiasOutsideVocabulary { id, vocab });
            }
            range("logit_bias", bias, "a finite number", true)?;
        }
        Ok(())
    }
}

/// A sampling value that cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SamplingError {
    /// A number outside its range, or not a number.
    #[error("sampling `{name}`: {value}, expected {expected}")]
    OutOfRange {
        /// The option.
        name: &'static str,
        /// What it held.
        value: f32,
        /// What it may hold.
        expected: &'static str,
    },
    /// A bias for a token that does not exist.
    #[error("sampling `logit_bias`: token {id}, expected an id below {vocab}")]
    BiasOutsideVocabulary {
        /// The token id given.
        id: u32,
        /// Tokens in the vocabulary.
        vocab: usize,
    },
}

/// How many of the best adjusted logits a choice needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The best `k`, exactly.
    Best(usize),
    /// All of them.
    All,
}

/// Chooses the tokens of one answer.
#[derive(Debug, Clone)]
pub struct Sampler {
    sampling: Sampling,
    history: History,
    random: Random,
}

impl Sampler {
    /// A sampler for an answer to `prompt`.
    ///
    /// # Errors
    /// As [`Sampling::validate`].
    pub fn new(sampling: Sampling, vocab: usize, prompt: &[u32]) -> Result<Self, SamplingError> {
        sampling.validate(vocab)?;
        let random = Random::new(sampling.seed);
        let history = History::new(&sampling, prompt);
        Ok(Self {
            sampling,
            history,
            random,
        })
    }

    /// What the next [`choose`](Self::choose) needs.
    pub fn need(&self) -> Need {
        match (self.sampling.temperature, self.sampling.top_k) {
            (0.0, _) => Need::Best(1),
            (_, 1..=TOP_K_OF_SCREEN) => Need::Best(self.sampling.top_k),
            _ => Need::All,
        }
    }

    /// Ids whose adjusted logit can differ from the raw one, ascending.
    pub fn touched(&self) -> &[u32] {
        self.history.touched()
    }

    /// The logit of `id` after bias and penalties.
    pub fn adjust(&self, id: u32, logit: f32) -> f32 {
        self.history.adjust(&self.sampling, id, logit)
    }

    /// Chooses from `candidates`: adjusted logits, best first, at least as many as [`need`](Self::need) says. `None` if there are none.
    pub fn choose(&mut self, candidates: &mut Vec<Candidate>) -> Option<u32> {
        candidates::choose(&self.sampling, candidates, &mut self.random)
    }

    /// Records a token as part of the answer.
    pub fn accept(&mut self, id: u32) {
        self.history.accept(&self.sampling, id);
    }
}

#[cfg(test)]
mod tests;
