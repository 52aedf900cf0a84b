//! Leases: who has which adapter, since when, and what may go.

use super::adapters::{Adapters, Version};
use super::bring::Room;
use super::counts::{Counts, TierUsed, Used};
use super::ledger::{Ledger, Tiered};
use super::movement::{Movement, Quiet};
use super::resident::{Lease, Resident};
use crate::api::Tier;
use crate::cancel::Cancel;
use crate::error::EngineError;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How often a file may change while it is read before the read is given up.
const TRIES: usize = 3;

/// The adapters in memory. Every method may be called from any thread.
pub(crate) struct Cache<A: Adapters> {
    pub(super) adapters: A,
    pub(super) ledger: Ledger,
    movement: Movement,
    state: Mutex<State<A>>,
    /// Milliseconds since 1970.
    now_ms: fn() -> u64,
}

/// What is in memory, and how it was used.
pub(super) struct State<A: Adapters> {
    pub entries: HashMap<String, Entry<A>>,
    pins: BTreeSet<String>,
    /// Counted up with every use.
    clock: u64,
    pub counts: Counts,
}

/// An adapter in memory, and when it was used last.
pub(super) struct Entry<A: Adapters> {
    pub resident: Arc<Resident<A>>,
    pub used_at: u64,
}

/// What cannot be evicted now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fixed {
    /// Bytes of each tier that are leased, pinned, or of an older version in use.
    pub bytes: Tiered<u64>,
    /// Ids that stay where they are.
    pub ids: BTreeSet<String>,
}

impl<A: Adapters> Cache<A> {
    /// No adapter in memory, and no byte to put one.
    pub fn new(adapters: A, now_ms: fn() -> u64) -> Cache<A> {
        Cache {
            adapters,
            ledger: Ledger::default(),
            movement: Movement::default(),
            state: Mutex::new(State {
                entries: HashMap::new(),
                pins: BTreeSet::new(),
                clock: 0,
                counts: Counts::default(),
            }),
            now_ms,
        }
    }

    /// Sets the bytes that adapters may take. When that is less than before, those used longest ago go until it holds.
    pub fn set_budget(&self, budget: Tiered<u64>) {
        self.ledger.set_budget(budget);
        for tier in [Tier::Vram, Tier::Ram] {
            if !self.ledger.is_over(tier) {
                continue;
            }
            let _quiet = self.movement.quiet();
            let Some(moving) = self.movement.begin(&Cancel::new()) else {
                return;
            };
            while self.ledger.is_over(tier)
                && let Some((id, entry)) = self.take_victim(tier)
            {
                self.push_down(&moving, id, entry);
            }
        }
    }

    /// Claims an adapter, bringing it to `tier` first if it is below. Nothing when it was cancelled.
    ///
    /// # Errors
    /// If there is no such adapter, it cannot be used, it does not fit beside what cannot be evicted, or its files do not
    /// stay the same while they are read.
    pub fn lease(
        &self,
        id: &str,
        tier: Tier,
        cancel: &Cancel,
    ) -> Result<Option<Lease<A>>, EngineError> {
        let _quiet = self.movement.quiet();
        for _ in 0..TRIES {
            let measured = self.adapters.measure(id)?;
            if let Some(resident) = self.hit(id, &measured.version, tier) {
                return Ok(Some(lease(id, resident, true)));
            }
            let Some(moving) = self.movement.begin(cancel) else {
                return Ok(None);
            };
            // Whoever moved before may have brought it.
            if let Some(resident) = self.hit(id, &measured.version, tier) {
                return Ok(Some(lease(id, resident, true)));
            }
            let from = self.tier_of_version(id, &measured.version);
            let mut keep_going = || !cancel.is_set();
            let brought = self.bring(&moving, id, &measured, tier, Room::Made, &mut keep_going)?;
            if let Some(resident) = brought {
                let hit = from != Tier::Disk;
                self.lock().counts.leased(id, from, (self.now_ms)());
                return Ok(Some(lease(id, resident, hit)));
            }
            if cancel.is_set() {
                return Ok(None);
            }
        }
        Err(EngineError::ExpertChanging { id: id.to_owned() })
    }

    /// Brings an adapter to `tier` because somebody asked for it, and tells where it is then; nothing when it was cancelled.
    ///
    /// # Errors
    /// As [`Cache::lease`].
    pub fn preload(
        &self,
        id: &str,
        tier: Tier,
        cancel: &Cancel,
    ) -> Result<Option<Tier>, EngineError> {
        let _quiet = self.movement.quiet();
        for _ in 0..TRIES {
            let measured = self.adapters.measure(id)?;
            let Some(moving) = self.movement.begin(cancel) else {
                return Ok(None);
            };
            let mut keep_going = || !cancel.is_set();
            let brought = self.bring(&moving, id, &measured, tier, Room::Made, &mut keep_going)?;
            if let Some(resident) = brought {
                return Ok(Some(resident.tier()));
            }
            if cancel.is_set() {
                return Ok(None);
            }
        }
        Err(EngineError::ExpertChanging { id: id.to_owned() })
    }

    /// Brings an adapter to `tier` on a guess: only into free room, only while nobody wants quiet. Tells whether it is done
    /// with; otherwise it is worth another try when it is quiet no longer.
    pub(super) fn guess(&self, id: &str, tier: Tier, ended: &dyn Fn() -> bool) -> bool {
        // A guess about an adapter that cannot be used was wrong, no more.
        let Ok(measured) = self.adapters.measure(id) else {
            return true;
        };
        let Some(moving) = self.movement.begin_quietly() else {
            return false;
        };
        let mut keep_going = || !ended() && !self.movement.is_quiet();
        let brought = self.bring(&moving, id, &measured, tier, Room::Free, &mut keep_going);
        !(matches!(brought, Ok(None)) && self.movement.is_quiet())
    }

    /// Takes an adapter out of memory. Leases keep theirs until they end. Tells whether it was there.
    ///
    /// # Errors
    /// If it is pinned.
    pub fn unload(&self, id: &str) -> Result<bool, EngineError> {
        let _quiet = self.movement.quiet();
        // Held so that nothing puts it back at the same moment.
        let _moving = self.movement.begin(&Cancel::new());
        let taken = {
            let mut state = self.lock();
            if state.pins.contains(id) {
                return Err(EngineError::BadRequest {
                    field: "expert".into(),
                    found: format!("`{id}` is pinned"),
                    expected: "one that is not; unpin it first".into(),
                });
            }
            state.entries.remove(id)
        };
        Ok(taken.is_some())
    }

    /// Takes every adapter out of memory: the model they were made resident for is leaving.
    pub fn clear(&self) {
        let taken = std::mem::take(&mut self.lock().entries);
        drop(taken);
    }

    /// Keeps an adapter where it is, once it is there, whatever happens; or no longer.
    pub fn set_pinned(&self, id: &str, pinned: bool) {
        let mut state = self.lock();
        if pinned {
            state.pins.insert(id.to_owned());
        } else {
            state.pins.remove(id);
        }
    }

    /// Whether an adapter is pinned.
    pub fn is_pinned(&self, id: &str) -> bool {
        self.lock().pins.contains(id)
    }

    /// What cannot be evicted now.
    pub fn fixed(&self) -> Fixed {
        let state = self.lock();
        // Reservations are given back without the state's lock, so what is used is asked first and only falls.
        let mut bytes = self.ledger.used();
        let mut ids = BTreeSet::new();
        for (id, entry) in &state.entries {
            if state.may_go(id, entry) {
                let of_tier = match entry.resident.tier() {
                    Tier::Vram => &mut bytes.vram,
                    _ => &mut bytes.ram,
                };
                *of_tier = of_tier.saturating_sub(entry.resident.bytes());
            } else {
                ids.insert(id.clone());
            }
        }
        Fixed { bytes, ids }
    }

    /// Where each adapter in memory is.
    pub fn residents(&self) -> Vec<(String, Tier)> {
        let state = self.lock();
        let mut residents: Vec<(String, Tier)> = state
            .entries
            .iter()
            .map(|(id, entry)| (id.clone(), entry.resident.tier()))
            .collect();
        residents.sort();
        residents
    }

    /// Where an adapter is.
    pub fn tier_of(&self, id: &str) -> Tier {
        let state = self.lock();
        let entry = state.entries.get(id);
        entry.map_or(Tier::Disk, |entry| entry.resident.tier())
    }

    /// How an adapter was used.
    pub fn used(&self, id: &str) -> Used {
        self.lock().counts.expert(id)
    }

    /// How a tier was used.
    pub(super) fn tier_used(&self, tier: Tier) -> TierUsed {
        self.lock().counts.tier(tier)
    }

    /// Bytes that may be used, and that are.
    pub fn bytes(&self) -> (Tiered<u64>, Tiered<u64>) {
        (self.ledger.budget(), self.ledger.used())
    }

    /// Asks for quiet: nothing is preloaded on a guess while the value lives.
    pub fn quiet(&self) -> Quiet {
        self.movement.quiet()
    }

    /// What brings adapters.
    pub fn adapters(&self) -> &A {
        &self.adapters
    }

    pub(super) fn movement(&self) -> &Movement {
        &self.movement
    }

    /// A claim to an adapter that is where it should be, in the version it should be.
    fn hit(&self, id: &str, version: &Version, tier: Tier) -> Option<Arc<Resident<A>>> {
        let mut state = self.lock();
        let used_at = state.tick();
        let entry = state.entries.get_mut(id)?;
        let ready = entry.resident.version == *version && serves(entry.resident.tier(), tier);
        if !ready {
            return None;
        }
        entry.used_at = used_at;
        let resident = Arc::clone(&entry.resident);
        let found = resident.tier();
        state.counts.leased(id, found, (self.now_ms)());
        Some(resident)
    }

    fn tier_of_version(&self, id: &str, version: &Version) -> Tier {
        let state = self.lock();
        let entry = state.entries.get(id);
        entry
            .filter(|entry| entry.resident.version == *version)
            .map_or(Tier::Disk, |entry| entry.resident.tier())
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State<A>> {
        // The state is whole after every statement.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A: Adapters> State<A> {
    pub fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// Whether an entry may be evicted. Claims are made under the state's lock, so one that only the map holds is in
    /// nobody's use, and stays so while the lock is held.
    pub fn may_go(&self, id: &str, entry: &Entry<A>) -> bool {
        !self.pins.contains(id) && Arc::strong_count(&entry.resident) == 1
    }
}

/// Whether an adapter that is in `place` serves one who wants it in `wanted`.
fn serves(place: Tier, wanted: Tier) -> bool {
    place <= wanted
}

fn lease<A: Adapters>(id: &str, resident: Arc<Resident<A>>, hit: bool) -> Lease<A> {
    Lease {
        id: id.to_owned(),
        resident,
        hit,
    }
}
