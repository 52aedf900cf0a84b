//! Buffers of a forward pass, sized for the widest chunk seen, so that decoding allocates nothing.

use super::linear::LinearScratch;
use super::rotation::Rotation;
use crate::config::ModelConfig;

/// Activations of one chunk.
#[derive(Default)]
pub(super) struct Scratch {
    /// Residual stream: `[tokens, hidden]`.
    pub(super) stream: Vec<f32>,
    /// Output of a norm: `[tokens, max(hidden, attention width, intermediate)]`.
    pub(super) normed: Vec<f32>,
    /// Query, key, value side by side: `[tokens, attention width + 2 · kv width]`.
    pub(super) qkv: Vec<f32>,
    /// Rotated queries: `[tokens, attention width]`.
    pub(super) queries: Vec<f32>,
    /// Attention output, later the gated product: `[tokens, max(attention width, intermediate)]`.
    pub(super) mixed: Vec<f32>,
    /// Gate and up side by side: `[tokens, 2 · intermediate]`.
    pub(super) gate_up: Vec<f32>,
    /// Result of the output and down projections: `[tokens, hidden]`.
    pub(super) update: Vec<f32>,
    /// Angles of the chunk's positions.
    pub(super) rotation: Rotation,
    /// Buffers of the linears.
    pub(super) linear: LinearScratch,
    /// Final norm of the position whose logits are wanted: `[hidden]`.
    pub(super) last: Vec<f32>,
}

impl Scratch {
    /// Gives every buffer exactly the length a chunk of `tokens` needs; capacity only grows.
    pub(super) fn fit(&mut self, config: &ModelConfig, tokens: usize) {
        let (attention, kv) = (config.attention_width(), config.kv_width());
        let mixed = attention.max(config.intermediate);
        for (buffer, width) in [
            (&mut self.stream, config.hidden),
            (&mut self.normed, config.hidden.max(mixed)),
            (&mut self.qkv, attention + 2 * kv),
            (&mut self.queries, attention),
            (&mut self.mixed, mixed),
            (&mut self.gate_up, 2 * config.intermediate),
            (&mut self.update, config.hidden),
        ] {
            buffer.resize(tokens * width, 0.0);
        }
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        let floats = [
            &self.stream,
            &self.normed,
            &self.qkv,
            &self.queries,
            &self.mixed,
            &self.gate_up,
            &self.update,
            &self.last,
        ]
        .iter()
        .map(|buffer| buffer.capacity())
        .sum::<usize>();
        floats * size_of::<f32>() + self.linear.bytes()
    }
}
