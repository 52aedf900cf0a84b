//! Logits of every position, for perplexity: each row of the head is read once for several positions.

use std::sync::Mutex;

use r3mes_kernels::dot;

use super::linear::{normalise, project};
use super::rows::by_rows;
use super::{ForwardError, Outcome, State};
use crate::model::Model;

/// Positions whose logits are computed together: 128256 tokens · 32 positions are 16 MiB.
const POSITIONS: usize = 32;

impl Model {
    /// Appends `tokens` to the state and shows `each` position with its logits, the same bits as [`logits`](Self::logits) gives after
    /// that token. Stops when `each` answers `false`.
    ///
    /// # Errors
    /// As [`prefill`](Self::prefill) and [`logits`](Self::logits).
    pub fn prefill_scored(
        &self,
        state: &mut State,
        tokens: &[u32],
        each: &mut dyn FnMut(usize, &[f32]) -> bool,
    ) -> Result<Outcome, ForwardError> {
        self.check(state, tokens)?;
        let hidden = self.config().hidden;
        let mut by_token = Vec::new();
        for part in tokens.chunks(POSITIONS) {
            let first = state.tokens.len();
            if self.pass(state, part, &mut |_| true)? == Outcome::Cancelled {
                return Ok(Outcome::Cancelled);
            }
            self.score(state, part.len(), &mut by_token)?;
            let State { row, scratch, .. } = &mut *state;
            row.resize(self.config().vocab, 0.0);
            for index in 0..part.len() {
                if let Some(bit_linear) = &self.weights.head.bit_linear {
                    let x = &scratch.normed[index * hidden..][..hidden];
                    let parts = std::slice::from_ref(bit_linear);
                    project(self.machine(), (parts, &[]), x, 1, &mut scratch.linear, row);
                } else {
                    for (logit, logits) in row.iter_mut().zip(by_token.chunks_exact(part.len())) {
                        *logit = logits[index];
                    }
                }
                let position = first + index;
                if !row.iter().all(|logit| logit.is_finite()) {
                    return Err(ForwardError::NotFinite { position });
                }
                if !each(position, row) {
                    return Ok(Outcome::Cancelled);
                }
            }
        }
        Ok(Outcome::Done)
    }

    /// Normalises the last `positions` tokens, which the last pass processed, for the head, and unless that is ternary computes their
    /// logits: `[vocab, positions]`.
    fn score(
        &self,
        state: &mut State,
        positions: usize,
        out: &mut Vec<f32>,
    ) -> Result<(), ForwardError> {
        let (hidden, table) = (self.config().hidden, &self.weights.head.table);
        let scratch = &mut state.scratch;
        let normed = &mut scratch.normed[..positions * hidden];
        normalise(
            self.machine(),
            &self.weights.final_norm,
            &scratch.stream,
            normed,
        );
        if self.weights.head.bit_linear.is_some() {
            return Ok(());
        }
        let normed = &*normed;
        out.resize(self.config().vocab * positions, 0.0);
        let failure = Mutex::new(None);
        by_rows(&self.pool, out, positions, &|ids, out| {
            let mut weights = vec![0.0; hidden];
            for (id, logits) in ids.zip(out.chunks_exact_mut(positions)) {
                if let Err(error) = table.row(id as u32, &mut weights) {
                    if let Ok(mut failure) = failure.lock() {
                        failure.get_or_insert(error);
                    }
                    return;
                }
                for (logit, x) in logits.iter_mut().zip(normed.chunks_exact(hidden)) {
                    *logit = dot(self.isa, x, &weights);
                }
            }
        });
        match failure.into_inner() {
            Ok(Some(error)) => Err(error.into()),
            _ => Ok(()),
        }
    }
}
