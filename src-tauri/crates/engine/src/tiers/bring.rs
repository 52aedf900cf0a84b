//! Up and down: an adapter to the tier it is wanted in, others out of its way.
//!
//! Everything here is done by whoever has the right to move; the state's lock is held for bookkeeping only, never while
//! something is read or copied.

use super::adapters::{Adapters, Measured, Version};
use super::cache::{Cache, Entry};
use super::ledger::{Reservation, Tiered};
use super::movement::Moving;
use super::resident::{Place, Resident};
use crate::api::Tier;
use crate::error::EngineError;
use std::sync::Arc;

/// Whether others may be pushed down to make room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// Only what is free: a guess takes nothing from anybody.
    Free,
    /// Whoever was used longest ago goes.
    Made,
}

impl<A: Adapters> Cache<A> {
    /// Brings an adapter at least to `tier`; nothing when `keep_going` said no or the files are another version by now.
    pub(super) fn bring(
        &self,
        moving: &Moving,
        id: &str,
        measured: &Measured,
        tier: Tier,
        room: Room,
        keep_going: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Arc<Resident<A>>>, EngineError> {
        let resident = match self.current(id, &measured.version) {
            Some(resident) => resident,
            None => {
                let reservation = self.room(moving, id, Tier::Ram, measured.bytes, room)?;
                let loaded = self.adapters.load(id, &measured.version, keep_going)?;
                let Some(host) = loaded else {
                    return Ok(None);
                };
                self.put(id, measured.version.clone(), Place::Ram(host), reservation)
            }
        };
        match (&resident.place, tier) {
            (Place::Ram(host), Tier::Vram) => {
                // Held by this function, so it is not evicted to make room for itself.
                let bytes = resident.bytes();
                let reservation = self.room(moving, id, Tier::Vram, bytes, room)?;
                let device = self.adapters.upload(host)?;
                let version = measured.version.clone();
                Ok(Some(self.put(
                    id,
                    version,
                    Place::Vram(device),
                    reservation,
                )))
            }
            _ => Ok(Some(resident)),
        }
    }

    /// The adapter in memory if it is of this version; one of another version leaves.
    fn current(&self, id: &str, version: &Version) -> Option<Arc<Resident<A>>> {
        let stale = {
            let mut state = self.lock();
            match state.entries.get(id) {
                Some(entry) if entry.resident.version == *version => {
                    return Some(Arc::clone(&entry.resident));
                }
                _ => state.entries.remove(id),
            }
        };
        drop(stale);
        None
    }

    fn put(
        &self,
        id: &str,
        version: Version,
        place: Place<A>,
        reservation: Reservation,
    ) -> Arc<Resident<A>> {
        let resident = Arc::new(Resident {
            version,
            place,
            reservation,
        });
        let replaced = {
            let mut state = self.lock();
            let used_at = state.tick();
            let entry = Entry {
                resident: Arc::clone(&resident),
                used_at,
            };
            state.entries.insert(id.to_owned(), entry)
        };
        drop(replaced);
        resident
    }

    /// Bytes of a tier, made free by pushing others down. Nobody is pushed down for something that does not fit anyway.
    fn room(
        &self,
        moving: &Moving,
        id: &str,
        tier: Tier,
        bytes: u64,
        room: Room,
    ) -> Result<Reservation, EngineError> {
        let no_room = || {
            let of = |tiered: Tiered<u64>| *tiered.of(tier).unwrap_or(&0);
            let budget_bytes = of(self.ledger.budget());
            EngineError::NoRoom {
                id: id.to_owned(),
                tier,
                needed_bytes: bytes,
                free_bytes: budget_bytes.saturating_sub(of(self.fixed().bytes)),
                budget_bytes,
            }
        };
        if let Some(reservation) = self.ledger.reserve(tier, bytes) {
            return Ok(reservation);
        }
        if room == Room::Free {
            return Err(no_room());
        }
        if let EngineError::NoRoom { free_bytes, .. } = no_room()
            && free_bytes < bytes
        {
            return Err(no_room());
        }
        while let Some((victim, entry)) = self.take_victim(tier) {
            self.push_down(moving, victim, entry);
            if let Some(reservation) = self.ledger.reserve(tier, bytes) {
                return Ok(reservation);
            }
        }
        Err(no_room())
    }

    /// Takes the one of `tier` that was used longest ago out, if any may go.
    pub(super) fn take_victim(&self, tier: Tier) -> Option<(String, Entry<A>)> {
        let mut state = self.lock();
        let victims = state
            .entries
            .iter()
            .filter(|(id, entry)| entry.resident.tier() == tier && state.may_go(id, entry));
        let id = victims
            .min_by_key(|(_, entry)| entry.used_at)
            .map(|(id, _)| id.clone())?;
        let entry = state.entries.remove(&id)?;
        state.counts.evicted(tier);
        Some((id, entry))
    }

    /// Down one tier when that has room, otherwise to the disk, where its files are anyway.
    pub(super) fn push_down(&self, moving: &Moving, id: String, entry: Entry<A>) {
        let used_at = entry.used_at;
        // Nobody leased it when it was taken out, and nobody could since.
        let Some(resident) = Arc::into_inner(entry.resident) else {
            return;
        };
        let Place::Vram(device) = &resident.place else {
            return;
        };
        let reserved = self.room(moving, &id, Tier::Ram, resident.bytes(), Room::Made);
        let Ok(reservation) = reserved else {
            return;
        };
        // A device that does not give it back leaves the files.
        let Ok(host) = self.adapters.download(device) else {
            return;
        };
        let below = Entry {
            resident: Arc::new(Resident {
                version: resident.version.clone(),
                place: Place::Ram(host),
                reservation,
            }),
            used_at,
        };
        self.lock().entries.insert(id, below);
    }
}
