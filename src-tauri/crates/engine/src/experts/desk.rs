//! The experts of one data folder and one model: what every thread of the engine shares.

use super::adapter::Computer;
use super::base::Base;
use super::contents::EXAMPLES;
use super::examples;
use super::files::Files;
use super::leased::Leased;
use super::pins;
use super::shelf::{Shelf, broken};
use crate::api::{Change, ExpertDropped, Tier};
use crate::budget::{Held, MemoryBudget, budget};
use crate::cancel::Cancel;
use crate::catalogue::Located;
use crate::error::EngineError;
use crate::folders::Home;
use crate::gating::{ExpertFacts, Plan, Planned, share};
use crate::jobs::Announce;
use crate::probe::MemoryProbe;
use crate::settings::ExpertSettings;
use crate::tiers::{Cache, Preloader, Tiered, next};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Routes that a guess is made from.
const RECENT_ROUTES: usize = 32;
/// Guesses that are brought into memory.
const GUESSES: usize = 2;

/// An expert with examples for the router; another stamp, other examples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taught {
    /// Its id.
    pub id: String,
    bytes: u64,
    modified: Option<SystemTime>,
}

/// A model by its headers, as its files were then.
type Known = (Located, Option<SystemTime>, Arc<Base>);

/// Everything about experts that threads share.
pub(crate) struct Desk {
    pub shelf: Arc<Shelf>,
    pub cache: Arc<Cache<Files>>,
    pub probe: MemoryProbe,
    preloader: Preloader<Files>,
    recent: Mutex<VecDeque<Vec<String>>>,
    watchers: Mutex<Vec<Announce>>,
    models: AtomicU64,
    /// The chosen model by its headers, as long as it is the same.
    base: Mutex<Option<Known>>,
}

impl Desk {
    /// The experts of a data folder on the machine that `probe` sees. Nothing is in memory yet.
    ///
    /// # Errors
    /// If the system starts no thread.
    pub fn open(home: Home, probe: MemoryProbe) -> Result<Desk, EngineError> {
        let shelf = Arc::new(Shelf::new(home));
        let cache = Arc::new(Cache::new(Files::new(Arc::clone(&shelf)), now_ms));
        for id in pins::read(&shelf.folder()) {
            cache.set_pinned(&id, true);
        }
        Ok(Desk {
            preloader: Preloader::start(Arc::clone(&cache))?,
            shelf,
            cache,
            probe,
            recent: Mutex::default(),
            watchers: Mutex::default(),
            models: AtomicU64::new(0),
            base: Mutex::default(),
        })
    }

    /// A model has come into memory: experts become resident for it from now on.
    pub fn model_came(&self, base: Base, computer: Computer) {
        let number = self.models.fetch_add(1, Ordering::Relaxed);
        let files = self.cache.adapters();
        files.set_model(number, Arc::new(base), computer);
        self.changed();
    }

    /// The model is leaving memory, and the experts that were made resident for it with it.
    pub fn model_left(&self) {
        self.preloader.forget();
        // What is being loaded on a guess holds the weights: it stops at the next linear.
        let _quiet = self.cache.quiet();
        self.cache.adapters().clear_model();
        self.cache.clear();
        self.changed();
    }

    /// A model by its headers, read only when it is another one than the last time.
    ///
    /// # Errors
    /// That of `read`.
    pub fn base_of(
        &self,
        located: &Located,
        read: impl FnOnce() -> Result<Base, EngineError>,
    ) -> Result<Arc<Base>, EngineError> {
        let metadata = std::fs::metadata(&located.path);
        let modified = metadata.and_then(|metadata| metadata.modified()).ok();
        if let Some((known, then, base)) = &*lock(&self.base)
            && known == located
            && *then == modified
        {
            return Ok(Arc::clone(base));
        }
        let base = Arc::new(read()?);
        *lock(&self.base) = Some((located.clone(), modified, Arc::clone(&base)));
        Ok(base)
    }

    /// The budget as it is now; the tiers keep to it from now on. `model_bytes` is what a model will take that is not in
    /// memory yet.
    pub fn budget(&self, settings: &ExpertSettings, model_bytes: u64) -> MemoryBudget {
        let (_, used) = self.cache.bytes();
        let held = Held {
            ram_bytes: used.ram,
            vram_bytes: used.vram,
            model_bytes,
        };
        let mut budget = budget(&self.probe.look(), held, settings.budget);
        self.cache.set_budget(Tiered {
            vram: budget.vram.as_ref().map_or(0, |vram| vram.bytes),
            ram: budget.ram.bytes,
        });
        let fixed = self.cache.fixed().bytes;
        budget.ram.fixed_bytes = fixed.ram;
        if let Some(vram) = &mut budget.vram {
            vram.fixed_bytes = fixed.vram;
        }
        budget
    }

    /// What the gate needs to know of these experts, for the model in memory.
    pub fn facts<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> Vec<ExpertFacts> {
        let model = self.cache.adapters().model();
        let fixed = self.cache.fixed().ids;
        let one = |id: &str| {
            let mut facts = ExpertFacts {
                expert_id: id.to_owned(),
                registered: self.shelf.has(id),
                fixed: fixed.contains(id),
                ..ExpertFacts::default()
            };
            let Some(model) = model.as_ref().filter(|_| facts.registered) else {
                return facts;
            };
            let found = self.shelf.look(id, model);
            match found
                .map_err(|error| reason(&error))
                .and_then(|found| found.shape)
            {
                Ok(shape) => {
                    facts.bytes = shape.resident_bytes;
                    facts.tier = Some(self.cache.tier_of(id));
                }
                Err(reason) => facts.error = Some(reason),
            }
            facts
        };
        ids.into_iter().map(one).collect()
    }

    /// Claims the experts of a plan, bringing those that are not where they must be. One that cannot be brought after all
    /// is told of and the others share its part. Nothing when it was cancelled.
    pub fn lease(&self, plan: &Plan, cancel: &Cancel) -> Option<Leased> {
        let quiet = self.cache.quiet();
        let mut dropped = Vec::new();
        let mut planned: Vec<Planned> = Vec::new();
        let mut leases = Vec::new();
        for one in &plan.chosen {
            match self.cache.lease(&one.expert_id, one.tier, cancel) {
                Ok(Some(lease)) => {
                    leases.push(lease);
                    planned.push(one.clone());
                }
                Ok(None) => return None,
                Err(error) => dropped.push(ExpertDropped {
                    expert_id: one.expert_id.clone(),
                    reason: reason(&error),
                }),
            }
        }
        share(&mut planned);
        let shares = planned.iter().map(|one| one.weight);
        if leases.iter().any(|lease| !lease.was_hit()) {
            self.changed();
        }
        Some(Leased {
            experts: leases.into_iter().zip(shares).collect(),
            dropped,
            quiet: Some(quiet),
        })
    }

    /// Notes who helped with a question, and brings whom the next one may need, if the settings let it.
    pub fn note_route(&self, ids: Vec<String>, settings: &ExpertSettings, tier: Tier) {
        let guess = {
            let mut recent = lock(&self.recent);
            recent.push_back(ids);
            while recent.len() > RECENT_ROUTES {
                recent.pop_front();
            }
            next(recent.make_contiguous())
        };
        match settings.preload {
            true => self.preloader.guess(guess.into_iter().take(GUESSES), tier),
            false => self.preloader.forget(),
        }
    }

    /// Installed experts that bring examples for the router, as far as their files tell.
    pub fn taught(&self) -> Vec<Taught> {
        let names = self.shelf.names().unwrap_or_default();
        let one = |id: String| {
            let file = self.shelf.locate(&id).ok()?.join(EXAMPLES);
            let found = std::fs::metadata(file).ok()?;
            Some(Taught {
                id,
                bytes: found.len(),
                modified: found.modified().ok(),
            })
        };
        names.into_iter().filter_map(one).collect()
    }

    /// The example questions of an installed expert.
    ///
    /// # Errors
    /// If nothing installed has that id, or its examples cannot be read.
    pub fn examples(&self, id: &str) -> Result<Vec<String>, EngineError> {
        let folder = self.shelf.locate(id)?;
        examples::read(&folder).map_err(|reason| broken(id, reason))
    }

    /// Keeps an expert in memory whatever happens, or no longer.
    ///
    /// # Errors
    /// If the choice cannot be kept for the next start.
    pub fn set_pinned(&self, id: &str, pinned: bool) -> Result<(), EngineError> {
        let folder = self.shelf.folder();
        let mut pins = pins::read(&folder);
        let changed = match pinned {
            true => pins.insert(id.to_owned()),
            false => pins.remove(id),
        };
        if changed {
            pins::write(&folder, &pins)?;
        }
        self.cache.set_pinned(id, pinned);
        self.changed();
        Ok(())
    }

    /// Calls `announce` whenever something about experts changed.
    pub fn watch(&self, announce: Announce) {
        lock(&self.watchers).push(announce);
    }

    /// Tells that something changed.
    pub fn changed(&self) {
        let watchers = lock(&self.watchers).clone();
        watchers
            .iter()
            .for_each(|announce| announce(Change::Experts));
    }
}

/// A failure as the reason why an expert was dropped: its numbers where it is about memory.
fn reason(error: &EngineError) -> String {
    match error {
        EngineError::NoRoom {
            needed_bytes,
            free_bytes,
            budget_bytes,
            ..
        } => crate::error::no_room(*needed_bytes, *free_bytes, *budget_bytes),
        EngineError::BrokenExpert { reason, .. } => reason.clone(),
        other => other.report(),
    }
}

fn now_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    since_1970.map_or(0, |time| {
        u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
    })
}

/// What these locks guard is whole after every statement.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
