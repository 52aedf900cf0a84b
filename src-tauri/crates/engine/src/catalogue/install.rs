//! From `<name>.partial` to `<name>`: the only way a model becomes listed.

use super::record::{FILE, Record};
use super::{Catalogue, Shelf, check, name};
use crate::api::{ModelEntry, PullRequest, Unfinished};
use crate::error::EngineError;
use crate::folders::{size_of, sync_folder, write_atomically};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::path::{Path, PathBuf};

const ENDING: &str = ".partial";
/// What an unfinished folder will become.
const GOAL: &str = "r3mes-pull.json";
const LOCK: &str = ".lock";

/// What an unfinished folder will become.
#[derive(Debug, Serialize, Deserialize)]
struct Goal {
    source: String,
    total_bytes: u64,
    /// What was asked for beside the repository, so that another run can go on with it.
    #[serde(default)]
    revision: Option<String>,
    #[serde(default)]
    file: Option<String>,
}

/// The folder in which a model is put together. Only one process holds it at a time.
#[derive(Debug)]
pub(crate) struct Partial {
    shelf: Shelf,
    name: String,
    folder: PathBuf,
    root: PathBuf,
    /// Released when the value is dropped, also by a kill.
    lock: File,
}

impl Partial {
    /// Takes the folder of `name`, with whatever an earlier try left in it.
    ///
    /// # Errors
    /// If the name cannot be a folder, is taken by an installed model, or another process works on it.
    pub fn begin(catalogue: &Catalogue, name: &str) -> Result<Partial, EngineError> {
        let name = name::folder_name(name)?.to_owned();
        let (shelf, root) = (catalogue.shelf(), catalogue.root());
        if let Some(taken) = check::entry(&root.join(&name)).filter(|entry| entry.path.exists()) {
            return Err(EngineError::NameTaken {
                shelf,
                name,
                source_text: match taken.source.as_str() {
                    "" => format!("`{}`", taken.path.display()),
                    source => format!("`{source}`"),
                },
            });
        }
        let folder = root.join(format!("{name}{ENDING}"));
        std::fs::create_dir_all(&folder).map_err(EngineError::io("make the folder", &folder))?;
        let path = folder.join(LOCK);
        let lock = File::create(&path).map_err(EngineError::io("write", &path))?;
        if lock.try_lock().is_err() {
            return Err(EngineError::Busy { shelf, name });
        }
        Ok(Partial {
            shelf,
            name,
            folder,
            root,
            lock,
        })
    }

    /// Makes a broken model unfinished again, so that the files that are right need not be fetched a second time.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn reopen(catalogue: &Catalogue, name: &str) -> Result<(), EngineError> {
        let folder = catalogue.root().join(name);
        let partial = catalogue.root().join(format!("{name}{ENDING}"));
        if partial.exists() {
            return std::fs::remove_dir_all(&folder).map_err(EngineError::io("delete", &folder));
        }
        std::fs::rename(&folder, &partial).map_err(EngineError::io("rename", &folder))
    }

    /// Where the files go.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Notes what this will become, so that `model list` can tell of it after a kill.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn note_goal(&self, request: &PullRequest, total_bytes: u64) -> Result<(), EngineError> {
        let goal = Goal {
            source: format!("hub:{}", request.repo),
            total_bytes,
            revision: request.revision.clone(),
            file: request.file.clone(),
        };
        let text = serde_json::to_string_pretty(&goal).unwrap_or_default();
        write_atomically(&self.folder.join(GOAL), text.as_bytes())
    }

    /// Makes sure the disk has room for `needed_bytes` more.
    ///
    /// # Errors
    /// If it has not. A system that does not tell counts as having room.
    pub fn reserve(&self, needed_bytes: u64) -> Result<(), EngineError> {
        match fs4::available_space(&self.folder) {
            Ok(free_bytes) if free_bytes < needed_bytes => Err(EngineError::DiskFull {
                path: self.root.clone(),
                needed_bytes,
                free_bytes,
            }),
            _ => Ok(()),
        }
    }

    /// Reads the files as what they should be, writes the record and gives the folder its name.
    ///
    /// # Errors
    /// If the files are not a model this program can use, or the system refuses; the folder then stays unfinished.
    pub fn finish(self, record: &Record) -> Result<ModelEntry, EngineError> {
        self.shelf.check(&record.entry_path(&self.folder))?;
        self.sweep(record);
        record.write(&self.folder)?;
        sync_folder(&self.folder);
        let folder = self.root.join(&self.name);
        // Windows does not rename a folder with an open file in it.
        drop(self.lock);
        std::fs::remove_file(self.folder.join(LOCK))
            .map_err(EngineError::io("delete", self.folder.join(LOCK)))?;
        std::fs::rename(&self.folder, &folder).map_err(EngineError::io("rename", &self.folder))?;
        sync_folder(&self.root);
        check::entry(&folder).ok_or(EngineError::BrokenModel {
            shelf: self.shelf,
            name: self.name,
            reason: "its folder is gone".into(),
            hint: "fetch it again".into(),
        })
    }

    /// Deletes the folder with everything in it.
    pub fn discard(self) {
        drop(self.lock);
        // What cannot be deleted now is still never listed as usable.
        let _leftover = std::fs::remove_dir_all(&self.folder);
    }

    /// Deletes what is not part of the model.
    fn sweep(&self, record: &Record) {
        for entry in std::fs::read_dir(&self.folder)
            .into_iter()
            .flatten()
            .flatten()
        {
            let name = entry.file_name().to_string_lossy().into_owned();
            let prefix = format!("{name}/");
            let wanted = record
                .files
                .iter()
                .any(|file| file.path == name || file.path.starts_with(&prefix));
            if !wanted && name != LOCK && name != FILE {
                // A stray file in a model's folder harms nothing.
                let _stray = std::fs::remove_file(entry.path());
            }
        }
    }

    /// Whether a folder below `models/` is unfinished.
    pub fn is_partial(folder: &Path) -> bool {
        folder
            .file_name()
            .is_some_and(|name| name.to_string_lossy().ends_with(ENDING))
    }

    /// How an unfinished download is told of; nothing for any other folder.
    pub fn describe(folder: &Path) -> Option<Unfinished> {
        let (name, goal) = goal(folder)?;
        let done_bytes = size_of(folder).min(goal.total_bytes);
        Some(Unfinished {
            name,
            source: goal.source,
            done_bytes,
            total_bytes: goal.total_bytes,
        })
    }

    /// How an unfinished download is asked for again.
    pub fn request(folder: &Path) -> Option<PullRequest> {
        let (name, goal) = goal(folder)?;
        Some(PullRequest {
            repo: goal.source.strip_prefix("hub:")?.to_owned(),
            revision: goal.revision,
            file: goal.file,
            name: Some(name),
        })
    }
}

/// The name an unfinished folder will have, and what it will become.
fn goal(folder: &Path) -> Option<(String, Goal)> {
    let name = folder.file_name()?.to_string_lossy().into_owned();
    let name = name.strip_suffix(ENDING)?.to_owned();
    let goal = std::fs::read(folder.join(GOAL)).ok()?;
    Some((name, serde_json::from_slice(&goal).ok()?))
}
