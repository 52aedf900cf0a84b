//! `pins.json`: the ids that stay in memory, also over a restart.

use super::id::is_id;
use crate::error::EngineError;
use crate::folders::write_atomically;
use std::collections::BTreeSet;
use std::path::Path;

const FILE: &str = "pins.json";

/// The pinned ids of a folder of experts. A file that cannot be read pins nothing: pins are a convenience.
pub(super) fn read(adapters: &Path) -> BTreeSet<String> {
    let bytes = std::fs::read(adapters.join(FILE)).unwrap_or_default();
    let ids: Vec<String> = serde_json::from_slice(&bytes).unwrap_or_default();
    ids.into_iter().filter(|id| is_id(id)).collect()
}

/// Keeps the pinned ids.
///
/// # Errors
/// If the system refuses.
pub(super) fn write(adapters: &Path, pins: &BTreeSet<String>) -> Result<(), EngineError> {
    let text = serde_json::to_vec_pretty(pins).unwrap_or_default();
    write_atomically(&adapters.join(FILE), &text)
}
