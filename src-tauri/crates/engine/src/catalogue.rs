//! Installed models: one folder each below `models/`, with a record of what belongs in it.
//!
//! - A model being fetched or copied lives in `<name>.partial` and becomes `<name>` by one rename, after its files
//!   were verified and the reader of models accepted them. So what is listed is whole.
//! - One broken model never takes the list down: it is listed with the reason.
//! - The built-in model is always listed; its files are unpacked when it is first used.

mod builtin;
mod check;
mod hash;
mod import;
mod install;
mod known;
mod name;
mod record;

pub(crate) use hash::hex;
pub(crate) use install::Partial;
pub(crate) use name::default_name;
pub(crate) use name::near;
pub(crate) use record::{Record, is_inside};

use crate::api::{
    KnownModel, MemoryReport, ModelEntry, ModelReport, ModelState, PullRequest, Unfinished,
    Verification,
};
use crate::cancel::Cancel;
use crate::error::EngineError;
use crate::folders::{Home, size_of};
use crate::settings::Settings;
use std::path::{Path, PathBuf};

/// The name under which the built-in model is listed.
pub const BUILTIN: &str = "builtin";

/// The installed models of one data folder.
#[derive(Clone, Debug)]
pub struct Catalogue {
    home: Home,
}

/// A model that was named, found and can be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// How it is called in answers: its installed name, or the path.
    pub name: String,
    /// A model folder or a `.gguf` file.
    pub path: PathBuf,
}

impl Catalogue {
    /// The models of `home`. Nothing is read yet.
    pub fn new(home: Home) -> Catalogue {
        Catalogue { home }
    }

    /// Every installed model, the built-in one first, the others by name; `active` names the one that answers.
    ///
    /// # Errors
    /// If the folder of models is there and cannot be read.
    pub fn list(&self, active: Option<&str>) -> Result<Vec<ModelEntry>, EngineError> {
        let mut entries = vec![builtin::entry(&self.home)];
        entries.extend(self.installed()?);
        let active = active.unwrap_or(BUILTIN);
        for entry in &mut entries {
            entry.active = entry.name == active;
        }
        Ok(entries)
    }

    /// Downloads that were interrupted.
    ///
    /// # Errors
    /// If the folder of models is there and cannot be read.
    pub fn unfinished(&self) -> Result<Vec<Unfinished>, EngineError> {
        Ok(self
            .folders()?
            .iter()
            .filter_map(|path| Partial::describe(path))
            .collect())
    }

    /// Downloads that were interrupted, each with the request that goes on with it.
    ///
    /// # Errors
    /// If the folder of models is there and cannot be read.
    pub fn unfinished_requests(&self) -> Result<Vec<(Unfinished, PullRequest)>, EngineError> {
        Ok(self
            .folders()?
            .iter()
            .filter_map(|path| Some((Partial::describe(path)?, Partial::request(path)?)))
            .collect())
    }

    /// Deletes what is here of an interrupted download, by its name or its repository; nothing when nothing is here.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn discard_unfinished(&self, wanted: &str) -> Result<(), EngineError> {
        match self.find_unfinished(wanted)? {
            Some((_, path)) => {
                std::fs::remove_dir_all(&path).map_err(EngineError::io("delete", &path))
            }
            None => Ok(()),
        }
    }

    /// Published models this program knows of, with how they fit `memory`.
    ///
    /// # Errors
    /// If the folder of models is there and cannot be read.
    pub fn known(&self, memory: MemoryReport) -> Result<Vec<KnownModel>, EngineError> {
        Ok(known::known(memory, &self.list(None)?))
    }

    /// Finds what `--model` names: an installed model by its name or its repository, or a folder or file by its path.
    ///
    /// # Errors
    /// If nothing has that name (the message offers near ones), or the model is broken.
    pub fn locate(&self, wanted: &str) -> Result<Located, EngineError> {
        if let Some(entry) = self.find(wanted)? {
            return self.open(entry);
        }
        let path = Path::new(wanted);
        if path.exists() {
            return Ok(Located {
                name: wanted.to_owned(),
                path: path.to_owned(),
            });
        }
        Err(self.unknown(wanted)?)
    }

    /// Finds the model that answers: the chosen one, or the built-in one when none is chosen.
    ///
    /// # Errors
    /// As [`Catalogue::locate`].
    pub(crate) fn locate_chosen(&self, chosen: Option<&str>) -> Result<Located, EngineError> {
        self.locate(chosen.unwrap_or(BUILTIN))
    }

    /// The installed model of that name, of that name in other letter case, or from that repository.
    pub(crate) fn find(&self, wanted: &str) -> Result<Option<ModelEntry>, EngineError> {
        let entries = self.list(None)?;
        let exact = entries.iter().find(|entry| entry.name == wanted);
        let other = || {
            entries.iter().find(|entry| {
                entry.name.eq_ignore_ascii_case(wanted)
                    || entry.source.eq_ignore_ascii_case(&format!("hub:{wanted}"))
            })
        };
        Ok(exact.or_else(other).cloned())
    }

    fn open(&self, entry: ModelEntry) -> Result<Located, EngineError> {
        if entry.built_in {
            let path = builtin::unpack(&self.home)?;
            return Ok(Located {
                name: entry.name,
                path,
            });
        }
        match &entry.state {
            ModelState::Broken { reason } => Err(broken(&entry, reason)),
            ModelState::Ready => Ok(Located {
                path: Record::read(&entry.path)?.entry_path(&entry.path),
                name: entry.name,
            }),
        }
    }

    /// What is known of a named model: its entry, files and shape.
    ///
    /// # Errors
    /// If nothing has that name. A broken model is reported, not refused.
    pub fn info(&self, wanted: &str, active: Option<&str>) -> Result<ModelReport, EngineError> {
        let Some(mut entry) = self.find(wanted)? else {
            return match Path::new(wanted).exists() {
                true => check::report_path(Path::new(wanted)),
                false => Err(self.unknown(wanted)?),
            };
        };
        entry.active = entry.name == active.unwrap_or(BUILTIN);
        let located = self.open(entry.clone());
        Ok(check::report(entry, located))
    }

    /// Reads every byte of a model again and compares it with its record.
    ///
    /// # Errors
    /// If nothing installed has that name, or the data folder cannot be read. What is wrong with the model is in the answer.
    pub fn verify(
        &self,
        wanted: &str,
        cancel: &Cancel,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Option<Verification>, EngineError> {
        let Some(entry) = self.find(wanted)? else {
            return Err(self.unknown(wanted)?);
        };
        if entry.built_in {
            builtin::unpack(&self.home)?;
        }
        check::verify(&entry, cancel, progress)
    }

    /// Deletes a model, or what is here of an interrupted download, and tells the bytes it freed.
    ///
    /// # Errors
    /// If nothing installed has that name, it is the built-in one, or the system refuses.
    pub fn remove(&self, wanted: &str) -> Result<(String, u64), EngineError> {
        let (name, path) = match self.find(wanted)? {
            Some(entry) if entry.built_in => {
                return Err(EngineError::BadRequest {
                    field: "model".into(),
                    found: format!("`{BUILTIN}` comes with the program"),
                    expected: "the name of a model that was fetched or imported".into(),
                });
            }
            Some(entry) => (entry.name, entry.path),
            None => match self.find_unfinished(wanted)? {
                Some(found) => found,
                None => return Err(self.unknown(wanted)?),
            },
        };
        let bytes = size_of(&path);
        // Renamed first: a crash while deleting leaves something that is never listed.
        let doomed = self.home.models().join(format!("{name}.removed"));
        if doomed.exists() {
            std::fs::remove_dir_all(&doomed).map_err(EngineError::io("delete", &doomed))?;
        }
        std::fs::rename(&path, &doomed).map_err(EngineError::io("delete", &path))?;
        std::fs::remove_dir_all(&doomed).map_err(EngineError::io("delete", &doomed))?;
        Ok((name, bytes))
    }

    fn find_unfinished(&self, wanted: &str) -> Result<Option<(String, PathBuf)>, EngineError> {
        Ok(self.folders()?.into_iter().find_map(|path| {
            let unfinished = Partial::describe(&path)?;
            let source = format!("hub:{wanted}");
            let same = unfinished.name == wanted || unfinished.source == source;
            same.then_some((unfinished.name, path))
        }))
    }

    /// Makes a model the one that answers when none is named.
    ///
    /// # Errors
    /// If nothing installed has that name, it is broken, or the settings cannot be written.
    pub fn choose(&self, wanted: &str) -> Result<ModelEntry, EngineError> {
        let Some(mut entry) = self.find(wanted)? else {
            return Err(self.unknown(wanted)?);
        };
        if let ModelState::Broken { reason } = &entry.state {
            return Err(broken(&entry, reason));
        }
        Settings::save_active_model(&self.home, (!entry.built_in).then_some(&entry.name))?;
        entry.active = true;
        Ok(entry)
    }

    /// Hash of the weight files of a model that was installed here, by its record; nothing for any other.
    pub(crate) fn weights_hash(path: &Path) -> Option<String> {
        let folder = if path.is_dir() { path } else { path.parent()? };
        Record::read(folder).ok()?.weights_hash()
    }

    /// The data folder these models are in.
    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    fn installed(&self) -> Result<Vec<ModelEntry>, EngineError> {
        let mut entries: Vec<ModelEntry> = self
            .folders()?
            .iter()
            .filter(|path| !Partial::is_partial(path))
            .filter_map(|path| check::entry(path))
            .filter(|entry| entry.name != BUILTIN)
            .collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn folders(&self) -> Result<Vec<PathBuf>, EngineError> {
        let models = self.home.models();
        let entries = match std::fs::read_dir(&models) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(EngineError::io("read the folder", models)(error)),
        };
        let mut folders: Vec<PathBuf> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .collect();
        folders.sort();
        Ok(folders)
    }

    fn unknown(&self, wanted: &str) -> Result<EngineError, EngineError> {
        let names = self.list(None)?.into_iter().map(|entry| entry.name);
        Ok(EngineError::UnknownModel {
            name: wanted.to_owned(),
            near: near(wanted, names),
        })
    }
}

fn broken(entry: &ModelEntry, reason: &str) -> EngineError {
    let hint = match entry.source.strip_prefix("hub:") {
        Some(repo) => format!(
            "`r3mes model remove {}`, then `r3mes model pull {repo}`",
            entry.name
        ),
        None => format!("`r3mes model remove {}`, then import it again", entry.name),
    };
    EngineError::BrokenModel {
        name: entry.name.clone(),
        reason: reason.to_owned(),
        hint,
    }
}
