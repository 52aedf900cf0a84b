//! Who holds how many bytes of which tier.

use crate::api::Tier;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One number for each tier of memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tiered<T> {
    /// Memory of a graphics processor.
    pub vram: T,
    /// Main memory.
    pub ram: T,
}

impl<T> Tiered<T> {
    /// That of `tier`; the disk is counted nowhere.
    pub fn of(&self, tier: Tier) -> Option<&T> {
        match tier {
            Tier::Vram => Some(&self.vram),
            Tier::Ram => Some(&self.ram),
            Tier::Disk => None,
        }
    }

    fn of_mut(&mut self, tier: Tier) -> Option<&mut T> {
        match tier {
            Tier::Vram => Some(&mut self.vram),
            Tier::Ram => Some(&mut self.ram),
            Tier::Disk => None,
        }
    }
}

#[derive(Debug, Default)]
struct Bytes {
    budget: Tiered<u64>,
    used: Tiered<u64>,
}

/// Budgets and what is used of them. Clones share the numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger(Arc<Mutex<Bytes>>);

impl Ledger {
    /// Takes bytes of a tier, if it has them.
    pub fn reserve(&self, tier: Tier, bytes: u64) -> Option<Reservation> {
        let mut all = self.lock();
        let budget = *all.budget.of(tier)?;
        let used = all.used.of_mut(tier)?;
        let after = used.checked_add(bytes).filter(|after| *after <= budget)?;
        *used = after;
        Some(Reservation {
            ledger: self.clone(),
            tier,
            bytes,
        })
    }

    /// Sets what may be used from now on. What is used already stays used until it is given back.
    pub fn set_budget(&self, budget: Tiered<u64>) {
        self.lock().budget = budget;
    }

    /// What may be used.
    pub fn budget(&self) -> Tiered<u64> {
        self.lock().budget
    }

    /// What is used.
    pub fn used(&self) -> Tiered<u64> {
        self.lock().used
    }

    /// Whether more is used than may be: the budget has shrunk.
    pub fn is_over(&self, tier: Tier) -> bool {
        let all = self.lock();
        all.used.of(tier) > all.budget.of(tier)
    }

    fn lock(&self) -> MutexGuard<'_, Bytes> {
        // The numbers are whole after every statement.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes of a tier, given back when dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    ledger: Ledger,
    tier: Tier,
    bytes: u64,
}

impl Reservation {
    /// The tier they are of.
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// How many.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some(used) = self.ledger.lock().used.of_mut(self.tier) {
            *used -= self.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Ledger, Tiered};
    use crate::api::Tier;

    fn ledger(vram: u64, ram: u64) -> Ledger {
        let ledger = Ledger::default();
        ledger.set_budget(Tiered { vram, ram });
        ledger
    }

    #[test]
    fn a_reservation_takes_bytes_of_its_tier_and_gives_them_back() {
        let ledger = ledger(10, 100);
        let held = ledger.reserve(Tier::Ram, 60).expect("60 of 100");
        assert_eq!(ledger.used(), Tiered { vram: 0, ram: 60 });
        assert!(ledger.reserve(Tier::Ram, 41).is_none());
        assert!(ledger.reserve(Tier::Ram, u64::MAX).is_none());
        assert!(ledger.reserve(Tier::Disk, 0).is_none());
        drop(held);
        assert_eq!(ledger.used(), Tiered { vram: 0, ram: 0 });
        assert!(ledger.reserve(Tier::Ram, 100).is_some());
    }

    #[test]
    fn a_budget_that_shrinks_takes_nothing_away() {
        let ledger = ledger(0, 100);
        let _held = ledger.reserve(Tier::Ram, 60).expect("60 of 100");
        ledger.set_budget(Tiered { vram: 0, ram: 50 });
        assert!(ledger.is_over(Tier::Ram) && !ledger.is_over(Tier::Vram));
        assert_eq!(ledger.used().ram, 60);
        assert!(ledger.reserve(Tier::Ram, 0).is_none());
    }
}
