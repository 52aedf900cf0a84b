//! Adapters from the data folder, for the model in memory: what the tiers move.

use super::adapter::{self, Adapter, Computer, Unloadable};
use super::base::Base;
use super::shelf::{Shelf, broken};
use super::stamp::Stamp;
use crate::error::EngineError;
use crate::tiers::{Adapters, Measured, Version};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The files of experts, and the model they become resident for.
pub(crate) struct Files {
    shelf: Arc<Shelf>,
    model: Mutex<Option<InMemory>>,
}

/// The model in memory.
#[derive(Clone)]
pub(crate) struct InMemory {
    /// Counted up with each model.
    number: u64,
    /// What it is.
    base: Arc<Base>,
    computer: Computer,
}

impl Files {
    /// The experts of this shelf, and no model yet.
    pub fn new(shelf: Arc<Shelf>) -> Files {
        Files {
            shelf,
            model: Mutex::default(),
        }
    }

    /// Adapters become resident for this model from now on.
    pub fn set_model(&self, number: u64, base: Arc<Base>, computer: Computer) {
        *self.lock() = Some(InMemory {
            number,
            base,
            computer,
        });
    }

    /// No model is in memory any more.
    pub fn clear_model(&self) {
        *self.lock() = None;
    }

    /// The model in memory.
    pub fn model(&self) -> Option<Arc<Base>> {
        let model = self.lock();
        model.as_ref().map(|model| Arc::clone(&model.base))
    }

    fn in_memory(&self) -> Result<InMemory, EngineError> {
        self.lock().clone().ok_or(EngineError::NoModel)
    }

    fn lock(&self) -> MutexGuard<'_, Option<InMemory>> {
        // One assignment at a time.
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Adapters for Files {
    type Host = Arc<Adapter>;
    /// This build has no code for a device, and a machine's own probe therefore grants none a byte. A probe that a test
    /// supplies may: then the device's copy is the host's, counted where it would be.
    type Device = Arc<Adapter>;

    fn measure(&self, id: &str) -> Result<Measured, EngineError> {
        let model = self.in_memory()?;
        let found = self.shelf.look(id, &model.base)?;
        let shape = found.shape.map_err(|reason| broken(id, reason))?;
        Ok(Measured {
            version: Version {
                generation: found.generation,
                model: model.number,
            },
            bytes: shape.resident_bytes,
        })
    }

    fn load(
        &self,
        id: &str,
        version: &Version,
        keep_going: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Arc<Adapter>>, EngineError> {
        let model = self.in_memory()?;
        let found = self.shelf.look(id, &model.base)?;
        if found.generation != version.generation || model.number != version.model {
            return Ok(None);
        }
        let folder = self.shelf.locate(id)?;
        let loaded = adapter::load(&folder, id, &found.generation, &model.computer, keep_going);
        let after = Stamp::of(&folder);
        if !after.is_ok_and(|after| after == found.stamp) {
            return Ok(None);
        }
        match loaded {
            Ok(loaded) => Ok(loaded.map(Arc::new)),
            Err(Unloadable::NoMemory(error)) => Err(error.into()),
            Err(Unloadable::Broken(reason)) => {
                self.shelf.note_broken(id, &found, &model.base, &reason);
                Err(broken(id, reason))
            }
        }
    }

    fn upload(&self, host: &Arc<Adapter>) -> Result<Arc<Adapter>, EngineError> {
        Ok(Arc::clone(host))
    }

    fn download(&self, device: &Arc<Adapter>) -> Result<Arc<Adapter>, EngineError> {
        Ok(Arc::clone(device))
    }
}
