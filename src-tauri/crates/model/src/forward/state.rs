//! One sequence: its tokens, their cache, and the buffers of a pass.

use std::sync::Arc;

use r3mes_kernels::KvCache;

use super::ForwardError;
use super::linear::{Machine, normalise};
use super::scratch::Scratch;
use crate::adapter::Mix;
use crate::weights::Norm;

/// The tokens processed so far and everything needed to go on from there.
///
/// Invariant: the cache holds exactly the positions of `tokens`, or more while a chunk is under way.
pub struct State {
    pub(super) cache: KvCache,
    /// The adapters whose keys and values the cache holds.
    pub(super) mix: Arc<Mix>,
    pub(super) tokens: Vec<u32>,
    pub(super) scratch: Scratch,
    /// Whether `scratch.last` belongs to the last of `tokens`.
    pub(super) ready: bool,
    /// The row of logits computed last, for callers that want all of them.
    pub(super) row: Vec<f32>,
}

impl State {
    pub(crate) fn new(cache: KvCache, mix: Arc<Mix>) -> Self {
        Self {
            cache,
            mix,
            tokens: Vec::new(),
            scratch: Scratch::default(),
            ready: false,
            row: Vec::new(),
        }
    }

    /// The adapters of this sequence.
    pub fn mix(&self) -> &Arc<Mix> {
        &self.mix
    }

    /// The tokens processed so far.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// Keeps what this sequence shares with `prompt` and forgets the rest; returns the number of tokens kept.
    ///
    /// At least the last token of `prompt` is left to be processed, so that logits exist afterwards. Only valid for the model that
    /// made the state.
    pub fn reuse(&mut self, prompt: &[u32]) -> usize {
        let shared = self
            .tokens
            .iter()
            .zip(prompt)
            .take_while(|(a, b)| a == b)
            .count();
        self.truncate(shared.min(prompt.len().saturating_sub(1)))
    }

    /// Forgets all but the first `tokens` tokens; returns the number of tokens left.
    pub fn truncate(&mut self, tokens: usize) -> usize {
        if tokens < self.tokens.len() {
            self.tokens.truncate(tokens);
            self.cache.truncate(tokens);
            self.ready = false;
        }
        self.tokens.len()
    }

    /// Bytes held by cache and buffers.
    pub fn bytes(&self) -> u64 {
        let row = self.row.capacity() * size_of::<f32>();
        self.cache.bytes() + (self.scratch.bytes() + row) as u64
    }

    /// Whether the head's input for the last token is at hand.
    pub(super) fn check_ready(&self) -> Result<(), ForwardError> {
        match self.ready {
            true => Ok(()),
            false => Err(ForwardError::NoTokens),
        }
    }

    /// Normalises the last row of the stream for the head.
    pub(super) fn finish(&mut self, norm: &Norm, machine: Machine<'_>, tokens: usize) {
        let width = norm.weight.len();
        let Scratch { stream, last, .. } = &mut self.scratch;
        last.resize(width, 0.0);
        normalise(
            machine,
            norm,
            &stream[(tokens - 1) * width..][..width],
            last,
        );
        self.ready = true;
    }
}
