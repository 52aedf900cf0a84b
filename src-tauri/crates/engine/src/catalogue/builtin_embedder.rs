//! The embedder inside the program. It is read from there and never unpacked.

use crate::api::{ModelEntry, ModelState};
use crate::error::EngineError;
use crate::folders::Home;
use r3mes_model::embedding::Embedder;

use super::{BUILTIN, Shelf};

include!(concat!(env!("OUT_DIR"), "/builtin_embedder_files.rs"));

const NONE: &str = "this program was built without a built-in embedder";

/// How the built-in embedder is listed.
pub(super) fn entry(home: &Home) -> ModelEntry {
    ModelEntry {
        name: BUILTIN.into(),
        state: match FILES {
            [] => ModelState::Broken {
                reason: NONE.into(),
            },
            _ => ModelState::Ready,
        },
        active: false,
        built_in: true,
        source: "builtin".into(),
        revision: None,
        licence: Some("Apache-2.0".into()),
        size_bytes: FILES.iter().map(|(_, bytes)| bytes.len() as u64).sum(),
        path: home.embedders().join(BUILTIN),
    }
}

/// Opens the built-in embedder.
///
/// # Errors
/// If this program has none.
pub(crate) fn open() -> Result<Embedder, EngineError> {
    if FILES.is_empty() {
        return Err(EngineError::BrokenModel {
            shelf: Shelf::Embedders,
            name: BUILTIN.into(),
            reason: NONE.into(),
            hint: "`r3mes embedder pull` fetches one, `--embedder FOLDER` names one you have"
                .into(),
        });
    }
    Ok(Embedder::from_memory(BUILTIN, FILES)?)
}
