//! Adapters that are numbers, and the tests on them.

mod concurrent;
mod leases;
mod moves;
mod preloads;

use super::adapters::{Adapters, Measured, Version};
use super::cache::Cache;
use super::ledger::Tiered;
use crate::api::Tier;
use crate::cancel::Cancel;
use crate::error::EngineError;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What is on the disk of the tests.
#[derive(Default)]
pub(super) struct Disk {
    files: Mutex<HashMap<String, (u64, u32)>>,
    /// Bytes of adapters that exist in main memory and in device memory, counted by the adapters themselves.
    pub alive: Arc<Tiered<AtomicU64>>,
    pub loads: AtomicUsize,
    pub uploads: AtomicUsize,
    pub downloads: AtomicUsize,
    pub model: AtomicU64,
    /// Called in the middle of each load with the id; says whether the files stay the same.
    during: Mutex<Option<During>>,
}

pub(super) type During = Box<dyn Fn(&str) -> bool + Send>;

/// An adapter in some memory; it counts itself.
pub(super) struct Numbers {
    pub id: String,
    pub generation: u32,
    bytes: u64,
    tier: Tier,
    alive: Arc<Tiered<AtomicU64>>,
}

impl Numbers {
    fn new(id: &str, generation: u32, bytes: u64, tier: Tier, disk: &Disk) -> Numbers {
        let alive = Arc::clone(&disk.alive);
        if let Some(counter) = alive.of(tier) {
            counter.fetch_add(bytes, Ordering::SeqCst);
        }
        Numbers {
            id: id.to_owned(),
            generation,
            bytes,
            tier,
            alive,
        }
    }
}

impl Drop for Numbers {
    fn drop(&mut self) {
        if let Some(counter) = self.alive.of(self.tier) {
            counter.fetch_sub(self.bytes, Ordering::SeqCst);
        }
    }
}

impl Disk {
    pub fn with(files: &[(&str, u64)]) -> Disk {
        let disk = Disk::default();
        for (id, bytes) in files {
            disk.write(id, *bytes, 1);
        }
        disk
    }

    pub fn write(&self, id: &str, bytes: u64, generation: u32) {
        let mut files = self.files.lock().expect("no panic inside");
        files.insert(id.to_owned(), (bytes, generation));
    }

    pub fn during_loads(&self, during: impl Fn(&str) -> bool + Send + 'static) {
        *self.during.lock().expect("no panic inside") = Some(Box::new(during));
    }

    fn read(&self, id: &str) -> Result<(u64, u32), EngineError> {
        let files = self.files.lock().expect("no panic inside");
        files.get(id).copied().ok_or(EngineError::UnknownExpert {
            id: id.to_owned(),
            near: Vec::new(),
        })
    }
}

impl Adapters for Disk {
    type Host = Numbers;
    type Device = Numbers;

    fn measure(&self, id: &str) -> Result<Measured, EngineError> {
        let (bytes, generation) = self.read(id)?;
        let version = Version {
            generation: generation.to_string(),
            model: self.model.load(Ordering::SeqCst),
        };
        Ok(Measured { version, bytes })
    }

    fn load(
        &self,
        id: &str,
        version: &Version,
        keep_going: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Numbers>, EngineError> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        let same = match &*self.during.lock().expect("no panic inside") {
            Some(during) => during(id),
            None => true,
        };
        let (bytes, generation) = self.read(id)?;
        if !keep_going() || !same || generation.to_string() != version.generation {
            return Ok(None);
        }
        Ok(Some(Numbers::new(id, generation, bytes, Tier::Ram, self)))
    }

    fn upload(&self, host: &Numbers) -> Result<Numbers, EngineError> {
        self.uploads.fetch_add(1, Ordering::SeqCst);
        let (id, generation, bytes) = (&host.id, host.generation, host.bytes);
        Ok(Numbers::new(id, generation, bytes, Tier::Vram, self))
    }

    fn download(&self, device: &Numbers) -> Result<Numbers, EngineError> {
        self.downloads.fetch_add(1, Ordering::SeqCst);
        let (id, generation, bytes) = (&device.id, device.generation, device.bytes);
        Ok(Numbers::new(id, generation, bytes, Tier::Ram, self))
    }
}

fn cache(files: &[(&str, u64)], vram: u64, ram: u64) -> Cache<Disk> {
    let cache = Cache::new(Disk::with(files), || 7);
    cache.set_budget(Tiered { vram, ram });
    cache
}

/// Leases and keeps.
fn lease(cache: &Cache<Disk>, id: &str, tier: Tier) -> super::Lease<Disk> {
    let lease = cache.lease(id, tier, &Cancel::new());
    lease.expect("it fits").expect("nobody cancels")
}

/// Leases and gives back at once.
fn touch(cache: &Cache<Disk>, id: &str) {
    drop(lease(cache, id, Tier::Ram));
}

fn ids(cache: &Cache<Disk>, tier: Tier) -> Vec<String> {
    cache.report(tier, true, String::new()).experts
}

/// A small fast generator (Marsaglia's xorshift64); a seed gives the same numbers everywhere.
pub(crate) struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % end
    }
}
