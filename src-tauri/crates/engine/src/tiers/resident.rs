//! An adapter in a tier, and a question's claim to it.

use super::adapters::{Adapters, Version};
use super::ledger::Reservation;
use crate::api::Tier;
use std::sync::Arc;

/// Where the numbers of a resident are.
pub(crate) enum Place<A: Adapters> {
    /// In main memory.
    Ram(A::Host),
    /// In the memory of a device.
    Vram(A::Device),
}

/// An adapter in memory. Its bytes are given back when it is dropped.
pub(super) struct Resident<A: Adapters> {
    pub version: Version,
    pub place: Place<A>,
    /// Declared after the place: the memory is free before its bytes are.
    pub reservation: Reservation,
}

impl<A: Adapters> Resident<A> {
    pub fn tier(&self) -> Tier {
        self.reservation.tier()
    }

    pub fn bytes(&self) -> u64 {
        self.reservation.bytes()
    }
}

/// An adapter in use. While it lives the adapter is neither evicted nor replaced.
pub(crate) struct Lease<A: Adapters> {
    pub(super) id: String,
    pub(super) resident: Arc<Resident<A>>,
    /// Whether it was in memory already.
    pub(super) hit: bool,
}

impl<A: Adapters> Lease<A> {
    /// The adapter's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Version of its files.
    pub fn generation(&self) -> &str {
        &self.resident.version.generation
    }

    /// Where it is.
    pub fn tier(&self) -> Tier {
        self.resident.tier()
    }

    /// Its numbers.
    pub fn place(&self) -> &Place<A> {
        &self.resident.place
    }

    /// Whether it was in memory already; otherwise it was fetched from disk.
    pub fn was_hit(&self) -> bool {
        self.hit
    }
}

impl<A: Adapters> std::fmt::Debug for Lease<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lease({} in {:?})", self.id, self.tier())
    }
}
