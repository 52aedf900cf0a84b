//! What has been said, as far as bias and penalties need it.

use std::collections::BTreeMap;

use super::Sampling;

/// Tokens of the prompt and of the answer whose logits are adjusted.
#[derive(Debug, Clone)]
pub struct History {
    /// Per touched token, how often it occurs in the answer, and whether it occurs at all.
    tokens: BTreeMap<u32, Occurrence>,
    /// The keys of `tokens`, ascending.
    touched: Vec<u32>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Occurrence {
    /// In the prompt or in the answer.
    seen: bool,
    /// Times in the answer.
    answered: u32,
}

impl History {
    /// The history at the start of an answer to `prompt`.
    pub fn new(sampling: &Sampling, prompt: &[u32]) -> Self {
        let mut tokens: BTreeMap<u32, Occurrence> = sampling
            .logit_bias
            .keys()
            .map(|&id| (id, Occurrence::default()))
            .collect();
        if sampling.repetition_penalty != 1.0 {
            for &id in prompt {
                tokens.entry(id).or_default().seen = true;
            }
        }
        let touched = tokens.keys().copied().collect();
        Self { tokens, touched }
    }

    /// Ids whose logit may change, ascending.
    pub fn touched(&self) -> &[u32] {
        &self.touched
    }

    /// Adds a token of the answer.
    pub fn accept(&mut self, sampling: &Sampling, id: u32) {
        let penalised = sampling.repetition_penalty != 1.0
            || sampling.presence_penalty != 0.0
            || sampling.frequency_penalty != 0.0;
        if !penalised {
            return;
        }
        let occurrence = self.tokens.entry(id).or_default();
        occurrence.seen = true;
        occurrence.answered = occurrence.answered.saturating_add(1);
        if let Err(place) = self.touched.binary_search(&id) {
            self.touched.insert(place, id);
        }
    }

    /// The logit of `id` after bias and penalties.
    pub fn adjust(&self, sampling: &Sampling, id: u32, logit: f32) -> f32 {
        let Some(occurrence) = self.tokens.get(&id) else {
            return logit;
        };
        let mut logit = logit + sampling.logit_bias.get(&id).copied().unwrap_or(0.0);
        if occurrence.seen {
            let penalty = sampling.repetition_penalty;
            logit = if logit > 0.0 {
                logit / penalty
            } else {
                logit * penalty
            };
        }
        if occurrence.answered > 0 {
            logit -= sampling.presence_penalty;
            logit -= sampling.frequency_penalty * occurrence.answered as f32;
        }
        logit
    }
}
