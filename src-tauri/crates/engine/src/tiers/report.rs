//! What the tiers hold, as hosts are told.

use super::adapters::Adapters;
use super::cache::Cache;
use crate::api::{Tier, TierReport};

impl<A: Adapters> Cache<A> {
    /// What a tier of memory holds; whether it is there, and why, is for the caller to say.
    pub fn report(&self, tier: Tier, present: bool, reason: String) -> TierReport {
        let (budget, used) = self.bytes();
        let counted = self.tier_used(tier);
        let residents = self.residents().into_iter();
        TierReport {
            tier,
            present,
            reason,
            budget_bytes: budget.of(tier).copied().unwrap_or_default(),
            used_bytes: used.of(tier).copied().unwrap_or_default(),
            experts: residents
                .filter(|(_, found)| *found == tier)
                .map(|(id, _)| id)
                .collect(),
            hits: counted.hits,
            evictions: counted.evictions,
        }
    }
}
