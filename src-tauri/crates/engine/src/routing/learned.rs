//! `router.json` in the data folder: what the router has learned from labels, and the way back.

use crate::error::EngineError;
use crate::folders::write_atomically;
use crate::router::Learned;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Kept {
    /// In use.
    pub now: Learned,
    /// What was in use before the last refit, as long as it can be undone.
    pub undo: Option<Learned>,
    /// Labels that the last refit saw, and the shares of them that were routed right before and after it.
    pub refit: Option<(usize, f32, f32)>,
}

/// Reads the file; nothing has been learned where there is none.
///
/// # Errors
/// If it is there and cannot be read.
pub(crate) fn read(path: &Path) -> Result<Kept, EngineError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Kept::default()),
        Err(error) => return Err(EngineError::io("read", path)(error)),
    };
    serde_json::from_slice(&bytes).map_err(|error| EngineError::Unreadable {
        path: path.to_owned(),
        reason: format!("{error}, expected what a refit of the router wrote"),
    })
}

/// Writes the file.
///
/// # Errors
/// If the data folder cannot be written.
pub(crate) fn write(path: &Path, kept: &Kept) -> Result<(), EngineError> {
    let bytes = serde_json::to_vec_pretty(kept).expect("numbers and texts have a JSON form");
    write_atomically(path, &bytes)
}
