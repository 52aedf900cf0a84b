//! The experts of one answer.

use super::adapter::Adapter;
use super::files::Files;
use crate::api::{ExpertDropped, ExpertUsed};
use crate::tiers::{Lease, Place, Quiet};
use std::sync::Arc;

/// The experts of a plan, in use. Kept for as long as anything computes with them, a cache of keys and values included: what
/// a mix holds is counted here.
pub(crate) struct Leased {
    /// Each with its share; the shares add up to 1. None is the base model.
    pub experts: Vec<(Lease<Files>, f32)>,
    /// Those that could not be brought after all.
    pub dropped: Vec<ExpertDropped>,
    /// While the answer runs nothing is preloaded on a guess.
    pub(super) quiet: Option<Quiet>,
}

impl Leased {
    /// The answer has ended, what it computed stays: the experts are held on to, guesses may go on.
    pub fn rest(&mut self) {
        self.quiet = None;
    }

    /// Another answer with the same experts begins; the claims stay these.
    pub fn go_on(&mut self, next: Leased) {
        self.quiet = next.quiet;
    }

    /// What a mix is made of.
    pub fn adapters(&self) -> Vec<(Arc<Adapter>, f32)> {
        let one = |(lease, share): &(Lease<Files>, f32)| {
            let (Place::Ram(adapter) | Place::Vram(adapter)) = lease.place();
            (Arc::clone(adapter), *share)
        };
        self.experts.iter().map(one).collect()
    }

    /// Who takes part, as an answer tells it; also what a cache of keys and values belongs to.
    pub fn used(&self) -> Vec<ExpertUsed> {
        let one = |(lease, share): &(Lease<Files>, f32)| ExpertUsed {
            expert_id: lease.id().to_owned(),
            weight: *share,
            generation: lease.generation().to_owned(),
        };
        self.experts.iter().map(one).collect()
    }

    /// How many were found in memory, and how many were fetched from disk.
    pub fn hits_and_misses(&self) -> (usize, usize) {
        let hits = self
            .experts
            .iter()
            .filter(|(lease, _)| lease.was_hit())
            .count();
        (hits, self.experts.len() - hits)
    }
}
