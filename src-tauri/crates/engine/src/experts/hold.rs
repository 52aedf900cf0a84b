//! The right to add experts to a data folder and to take them away: one at a time, among all programs.

use super::shelf::Shelf;
use crate::cancel::Cancel;
use crate::error::EngineError;
use crate::folders::sync_folder;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// Never deleted: a lock on a file that somebody deletes locks nothing.
const LOCK: &str = ".lock";
/// What is put together or deleted begins like this, so that it is never listed.
const UNLISTED: &str = ".r3mes-";
/// Between two looks at the lock and the cancel flag.
const LOOK: Duration = Duration::from_millis(20);

/// Held while experts are added or taken away. Released when dropped, also by a kill.
pub(crate) struct Hold {
    folder: PathBuf,
    #[expect(dead_code, reason = "held, not read")]
    lock: File,
}

impl Hold {
    /// Waits until nobody else adds or takes away; nothing when it was cancelled meanwhile. What a killed program left
    /// half-made is deleted.
    ///
    /// # Errors
    /// If the folder cannot be made or written.
    pub fn take(shelf: &Shelf, cancel: &Cancel) -> Result<Option<Hold>, EngineError> {
        let folder = shelf.folder();
        std::fs::create_dir_all(&folder).map_err(EngineError::io("make the folder", &folder))?;
        let path = folder.join(LOCK);
        let lock = File::create(&path).map_err(EngineError::io("write", &path))?;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => {
                    return Err(EngineError::io("lock", &path)(error));
                }
                Err(TryLockError::WouldBlock) if cancel.is_set() => return Ok(None),
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOOK),
            }
        }
        let hold = Hold { folder, lock };
        hold.sweep();
        Ok(Some(hold))
    }

    /// A folder to put an expert together in; deleted when dropped.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn workspace(&self) -> Result<TempDir, EngineError> {
        tempfile::Builder::new()
            .prefix(UNLISTED)
            .tempdir_in(&self.folder)
            .map_err(EngineError::io("write into", &self.folder))
    }

    /// Makes sure the disk has room for `needed_bytes` more.
    ///
    /// # Errors
    /// If it has not. A system that does not tell counts as having room.
    pub fn reserve(&self, needed_bytes: u64) -> Result<(), EngineError> {
        match fs4::available_space(&self.folder) {
            Ok(free_bytes) if free_bytes < needed_bytes => Err(EngineError::DiskFull {
                path: self.folder.clone(),
                needed_bytes,
                free_bytes,
            }),
            _ => Ok(()),
        }
    }

    /// Gives what was put together its name. From then on it is listed.
    ///
    /// # Errors
    /// If the system refuses; the workspace is gone then.
    pub fn list(&self, workspace: TempDir, id: &str) -> Result<PathBuf, EngineError> {
        sync_folder(workspace.path());
        let folder = self.folder.join(id);
        // Temporary folders are for their owner's eyes only; an expert's is like any other.
        allow_reading(workspace.path());
        std::fs::rename(workspace.path(), &folder).map_err(EngineError::io("make", &folder))?;
        // It has moved: there is nothing left to delete.
        let _moved = workspace.keep();
        sync_folder(&self.folder);
        Ok(folder)
    }

    /// Deletes a folder: first out of sight by one rename, then for good.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn delete(&self, id: &str) -> Result<(), EngineError> {
        let folder = self.folder.join(id);
        let doomed = self.folder.join(format!("{UNLISTED}removed-{id}"));
        std::fs::rename(&folder, &doomed).map_err(EngineError::io("delete", &folder))?;
        sync_folder(&self.folder);
        delete(&doomed).map_err(EngineError::io("delete", &doomed))
    }

    /// Deletes what killed programs left.
    fn sweep(&self) {
        for entry in std::fs::read_dir(&self.folder)
            .into_iter()
            .flatten()
            .flatten()
        {
            if entry.file_name().to_string_lossy().starts_with(UNLISTED) {
                // What cannot be deleted is never listed and tried again the next time.
                let _leftover = delete(&entry.path());
            }
        }
    }
}

/// Deletes a folder, or a link to one; never what a link points to.
fn delete(path: &Path) -> std::io::Result<()> {
    match std::fs::symlink_metadata(path)?.is_dir() {
        true => std::fs::remove_dir_all(path),
        false => std::fs::remove_file(path),
    }
}

#[cfg(unix)]
fn allow_reading(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    // A file system without permissions needs none.
    let _unsupported = std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755));
}

#[cfg(not(unix))]
fn allow_reading(_: &Path) {}
