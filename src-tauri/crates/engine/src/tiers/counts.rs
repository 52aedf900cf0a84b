//! How often adapters were found where they should be.

use crate::api::Tier;
use std::collections::HashMap;

/// What is known of one adapter's use since the program started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Used {
    /// Leases that found it in memory.
    pub hits: u64,
    /// Leases that fetched it from disk.
    pub misses: u64,
    /// When it was leased last, in milliseconds since 1970.
    pub last_used_ms: Option<u64>,
}

/// What is known of one tier's use since the program started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TierUsed {
    /// Leases served from here.
    pub hits: u64,
    /// Adapters pushed down from here.
    pub evictions: u64,
}

/// Everything that is counted.
#[derive(Debug, Default)]
pub(super) struct Counts {
    experts: HashMap<String, Used>,
    tiers: HashMap<Tier, TierUsed>,
}

impl Counts {
    /// A lease that found the adapter in `tier`; on disk is a miss.
    pub fn leased(&mut self, id: &str, tier: Tier, now_ms: u64) {
        let used = self.experts.entry(id.to_owned()).or_default();
        match tier {
            Tier::Disk => used.misses += 1,
            Tier::Ram | Tier::Vram => used.hits += 1,
        }
        used.last_used_ms = Some(now_ms);
        self.tiers.entry(tier).or_default().hits += 1;
    }

    /// An adapter that was pushed down from `tier`.
    pub fn evicted(&mut self, tier: Tier) {
        self.tiers.entry(tier).or_default().evictions += 1;
    }

    pub fn expert(&self, id: &str) -> Used {
        self.experts.get(id).copied().unwrap_or_default()
    }

    pub fn tier(&self, tier: Tier) -> TierUsed {
        self.tiers.get(&tier).copied().unwrap_or_default()
    }
}
