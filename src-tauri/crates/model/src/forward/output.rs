//! Logits of the last position: all of them, or exactly the best.
//!
//! `logit[t] = head[t] · final_norm(x)`, each a dot product in the kernels' fixed order over the row as f32, whichever way it is asked
//! for. Where the head carries a screen, the best are found from its 4-bit image and only rows that could be among them are read.

use r3mes_kernels::{dense_matmul, exact_logits};

use super::ForwardError;
use super::linear::project;
use super::state::State;
use crate::load::LoadError;
use crate::model::Model;
use crate::sampling::{Candidate, Need, Sampler, sort_best_first};

impl Model {
    /// Logits of the last token, of the whole vocabulary.
    ///
    /// # Errors
    /// If the state is empty, a row of the head cannot be read, or a logit is not finite.
    pub fn logits<'s>(&self, state: &'s mut State) -> Result<&'s [f32], ForwardError> {
        let position = state.tokens.len().saturating_sub(1);
        state.check_ready()?;
        let State { scratch, row, .. } = state;
        let hidden = &scratch.last[..];
        row.resize(self.config().vocab, 0.0);
        let table = &self.weights.head.table;
        match (&self.weights.head.bit_linear, table.matrix()) {
            (Some(bit_linear), _) => {
                let parts = std::slice::from_ref(bit_linear);
                project(
                    self.machine(),
                    (parts, &[]),
                    hidden,
                    1,
                    &mut scratch.linear,
                    row,
                );
            }
            (None, Some(matrix)) => dense_matmul(self.isa, &self.pool, matrix, hidden, row),
            (None, None) => {
                let fetch = |id: u32, row: &mut [f32]| table.row(id, row);
                exact_logits(self.isa, &self.pool, hidden, &fetch, row)?;
            }
        }
        match row.iter().all(|logit| logit.is_finite()) {
            true => Ok(row),
            false => Err(ForwardError::NotFinite { position }),
        }
    }

    /// The tokens a choice can fall on with their adjusted logits, best first: as many as `sampler` needs, or more.
    ///
    /// # Errors
    /// As [`logits`](Self::logits).
    pub fn candidates(
        &self,
        state: &mut State,
        sampler: &Sampler,
        out: &mut Vec<Candidate>,
    ) -> Result<(), ForwardError> {
        out.clear();
        let need = sampler.need();
        if let (Need::Best(count), Some(_)) = (need, &self.weights.head.screen) {
            self.screened(state, sampler, count, out)?;
        } else {
            out.extend((0..).zip(self.logits(state)?.iter().copied()));
            for &id in sampler.touched() {
                if let Some((_, logit)) = out.get_mut(id as usize) {
                    *logit = sampler.adjust(id, *logit);
                }
            }
        }
        let keep = match need {
            Need::Best(count) => count,
            Need::All => out.len(),
        };
        sort_best_first(out, keep);
        Ok(())
    }

    /// The best `count` of the tokens that are not adjusted, and all that are: the best `count` of all are among them.
    fn screened(
        &self,
        state: &mut State,
        sampler: &Sampler,
        count: usize,
        out: &mut Vec<Candidate>,
    ) -> Result<(), ForwardError> {
        let position = state.tokens.len().saturating_sub(1);
        let Some(screen) = &self.weights.head.screen else {
            return Ok(());
        };
        state.check_ready()?;
        let hidden = &state.scratch.last;
        let table = &self.weights.head.table;
        let fetch = |id: u32, row: &mut [f32]| -> Result<(), LoadError> { table.row(id, row) };
        let found = screen.top_k(
            self.isa,
            &self.pool,
            hidden,
            count,
            sampler.touched(),
            &fetch,
        )?;
        out.extend(&found.best);
        out.extend(
            found
                .always
                .iter()
                .map(|&(id, logit)| (id, sampler.adjust(id, logit))),
        );
        match out.iter().all(|(_, logit)| logit.is_finite()) {
            true => Ok(()),
            false => Err(ForwardError::NotFinite { position }),
        }
    }
}
