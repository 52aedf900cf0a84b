//! The folder `adapters/`: one folder for each expert, named by its id.

use super::adapter::{AdapterShape, inspect};
use super::base::{Base, same_base};
use super::card::Card;
use super::contents::CARD;
use super::hash::generation_of;
use super::id::{is_id, known_domain, shown};
use super::stamp::Stamp;
use crate::api::KNOWN_EXPERTS;
use crate::catalogue::near;
use crate::error::EngineError;
use crate::folders::Home;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is known of the installed experts, as long as their files stay the same.
pub(crate) struct Shelf {
    home: Home,
    known: Mutex<HashMap<String, Known>>,
}

#[derive(Clone)]
struct Known {
    stamp: Stamp,
    generation: String,
    /// The model it was compared with, and what came of it.
    shape: Option<(Arc<Base>, Result<AdapterShape, String>)>,
}

/// An installed adapter as it is now.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Its files.
    pub stamp: Stamp,
    /// Their version.
    pub generation: String,
    /// What it is for the model it was compared with, or why that cannot use it.
    pub shape: Result<AdapterShape, String>,
}

impl Shelf {
    /// The experts of a data folder. Nothing is read yet.
    pub fn new(home: Home) -> Shelf {
        Shelf {
            home,
            known: Mutex::default(),
        }
    }

    /// The folder of all experts.
    pub fn folder(&self) -> PathBuf {
        self.home.adapters()
    }

    /// The folder of one expert, installed or not.
    pub fn folder_of(&self, id: &str) -> PathBuf {
        self.folder().join(id)
    }

    /// Every folder that is an expert or should be one, by name. Those beginning with a dot are being put together or deleted.
    ///
    /// # Errors
    /// If the folder of all experts is there and cannot be read.
    pub fn names(&self) -> Result<Vec<String>, EngineError> {
        let folder = self.folder();
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(EngineError::io("read the folder", folder)(error)),
        };
        let mut names: Vec<String> = entries
            .flatten()
            .filter(|entry| entry.path().is_dir())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| !name.starts_with('.'))
            .collect();
        names.sort();
        Ok(names)
    }

    /// Whether an expert's folder is there.
    pub fn has(&self, id: &str) -> bool {
        is_id(id) && self.folder_of(id).is_dir()
    }

    /// Whether an id is one of the seven or of an installed expert.
    ///
    /// # Errors
    /// If it is neither; the message offers near ones.
    pub fn known(&self, id: &str) -> Result<(), EngineError> {
        match known_domain(id).is_some() || self.has(id) {
            true => Ok(()),
            false => Err(self.unknown(id)),
        }
    }

    /// The folder of an installed expert.
    ///
    /// # Errors
    /// If nothing has that id (the message offers near ones), or it is a known one without files.
    pub fn locate(&self, id: &str) -> Result<PathBuf, EngineError> {
        if self.has(id) {
            return Ok(self.folder_of(id));
        }
        match known_domain(id) {
            Some(_) => Err(EngineError::ExpertNotInstalled { id: id.to_owned() }),
            None => Err(self.unknown(id)),
        }
    }

    /// Nothing has this id.
    pub fn unknown(&self, id: &str) -> EngineError {
        let known = KNOWN_EXPERTS.iter().map(|(id, _)| (*id).to_owned());
        let own = self.names().unwrap_or_default().into_iter();
        let own = own.filter(|name| is_id(name) && known_domain(name).is_none());
        EngineError::UnknownExpert {
            id: shown(id),
            near: near(id, known.chain(own)),
        }
    }

    /// An installed adapter as it is now, for this model. Nothing is read while its files stay the same.
    ///
    /// # Errors
    /// If its files are missing or cannot be read.
    pub fn look(&self, id: &str, base: &Arc<Base>) -> Result<Found, EngineError> {
        let folder = self.locate(id)?;
        let stamp = Stamp::of(&folder).map_err(|error| broken(id, error))?;
        if let Some(known) = self.lock().get(id)
            && known.stamp == stamp
            && let Some((compared, shape)) = &known.shape
            && **compared == **base
        {
            return Ok(Found {
                stamp,
                generation: known.generation.clone(),
                shape: shape.clone(),
            });
        }
        let generation = self.generation(id, &folder, &stamp)?;
        let shape = compare(&folder, id, base);
        let known = Known {
            stamp: stamp.clone(),
            generation: generation.clone(),
            shape: Some((Arc::clone(base), shape.clone())),
        };
        self.lock().insert(id.to_owned(), known);
        Ok(Found {
            stamp,
            generation,
            shape,
        })
    }

    /// Notes that the numbers of an adapter cannot be used, which only reading them all could tell.
    pub fn note_broken(&self, id: &str, found: &Found, base: &Arc<Base>, reason: &str) {
        let known = Known {
            stamp: found.stamp.clone(),
            generation: found.generation.clone(),
            shape: Some((Arc::clone(base), Err(reason.to_owned()))),
        };
        self.lock().insert(id.to_owned(), known);
    }

    /// Forgets what is known of an expert: its folder was replaced or deleted.
    pub fn forget(&self, id: &str) {
        self.lock().remove(id);
    }

    fn generation(&self, id: &str, folder: &Path, stamp: &Stamp) -> Result<String, EngineError> {
        if let Some(known) = self.lock().get(id)
            && known.stamp == *stamp
        {
            return Ok(known.generation.clone());
        }
        // A card that cannot be read is told of by `compare`; what the numbers are does not depend on it.
        let card = Card::read(folder).ok().flatten();
        let installed = card.and_then(|card| card.installed);
        let generation =
            generation_of(folder, stamp, installed.as_ref()).map_err(|error| broken(id, error))?;
        let known = Known {
            stamp: stamp.clone(),
            generation: generation.clone(),
            shape: None,
        };
        self.lock().insert(id.to_owned(), known);
        Ok(generation)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        // The map is whole after every statement.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the adapter in `folder` is for this model, or why it cannot use it.
fn compare(folder: &Path, id: &str, base: &Base) -> Result<AdapterShape, String> {
    let card = Card::read(folder).map_err(|error| match error {
        EngineError::Unreadable { reason, .. } => format!("`{CARD}`: {reason}"),
        other => other.report(),
    })?;
    same_base(&card.unwrap_or_default(), base)
        .map_err(|(found, expected)| format!("{found}, expected {expected}"))?;
    inspect(folder, id, &base.config)
}

/// An expert whose files cannot be read.
pub(crate) fn broken(id: &str, reason: impl std::fmt::Display) -> EngineError {
    EngineError::BrokenExpert {
        id: id.to_owned(),
        reason: reason.to_string(),
    }
}
