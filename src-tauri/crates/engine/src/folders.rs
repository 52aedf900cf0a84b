//! The data folder and the places in it.

use crate::error::EngineError;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The data folder, and why that one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// The folder; it may not exist yet.
    pub path: PathBuf,
    /// Why that one, in words.
    pub reason: &'static str,
}

impl Home {
    /// The folder that was asked for, else `R3MES_HOME`, else the platform's.
    ///
    /// # Errors
    /// If the system names no home folder for this user, or the current folder of a relative path is gone.
    pub fn find(asked: Option<&Path>, variable: Option<OsString>) -> Result<Home, EngineError> {
        let variable = variable
            .filter(|value| !value.is_empty())
            .map(PathBuf::from);
        let (path, reason) = match (asked, variable) {
            (Some(path), _) => (path.to_owned(), "asked for with --home"),
            (None, Some(path)) => (path, "R3MES_HOME"),
            (None, None) => {
                let folders = directories::ProjectDirs::from("", "", "r3mes").ok_or_else(|| {
                    EngineError::Setting {
                        key: "home".into(),
                        origin: "the system".into(),
                        found: "no home folder for this user".into(),
                        expected: "one, or a folder in R3MES_HOME".into(),
                    }
                })?;
                (folders.data_dir().to_owned(), "this platform's data folder")
            }
        };
        let path = std::path::absolute(&path).map_err(EngineError::io("find", path))?;
        Ok(Home { path, reason })
    }

    /// Installed models, one folder each.
    pub fn models(&self) -> PathBuf {
        self.path.join("models")
    }

    /// Installed embedders, one folder each.
    pub fn embedders(&self) -> PathBuf {
        self.path.join("embedders")
    }

    /// Installed experts, one folder each.
    pub fn adapters(&self) -> PathBuf {
        self.path.join("adapters")
    }

    /// Repacked copies of models whose own folder cannot be written.
    pub fn cache(&self) -> PathBuf {
        self.path.join("cache")
    }

    /// Differences from the compiled-in settings.
    pub fn settings(&self) -> PathBuf {
        self.path.join("settings.json")
    }

    /// What the window writes of its own doings; never text of a conversation.
    pub fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    /// Conversations, with their messages.
    pub fn conversations(&self) -> PathBuf {
        self.path.join("r3mes.sqlite")
    }

    /// What the router has learned from labels.
    pub fn router(&self) -> PathBuf {
        self.path.join("router.json")
    }

    /// Lines typed into `chat`.
    pub fn chat_history(&self) -> PathBuf {
        self.path.join("chat-history.txt")
    }
}

/// Writes a small file so that a crash leaves the old or the new one, never half of either.
///
/// # Errors
/// If the folder cannot be made or the file cannot be written.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), EngineError> {
    use std::io::Write;
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(EngineError::io("make the folder", folder))?;
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(EngineError::io("write", path))
}

/// Makes a rename in `folder` survive a power cut, where the system has a way to ask for it.
pub(crate) fn sync_folder(folder: &Path) {
    if cfg!(unix)
        && let Ok(handle) = std::fs::File::open(folder)
    {
        // Some file systems refuse to sync a folder; the rename is done either way.
        let _unsupported = handle.sync_all();
    }
}

/// Bytes of all files below `folder`; what cannot be read counts as nothing.
pub(crate) fn size_of(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size_of(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
