//! The embedder that settings name: opened when it is first needed, then kept.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use r3mes_model::embedding::Embedder;

use crate::api::Embeddings;
use crate::catalogue::{BUILTIN, Catalogue, open_builtin_embedder};
use crate::error::EngineError;
use crate::folders::Home;
use crate::settings::Settings;

/// The hub's repository of the embedder that replaces the built-in one by one command: all-MiniLM-L6-v2.
pub const RECOMMENDED_EMBEDDER: &str = "sentence-transformers/all-MiniLM-L6-v2";

/// The embedder opened last. Copies share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeptEmbedder(Arc<Mutex<Option<Kept>>>);

#[derive(Debug)]
struct Kept {
    home: Home,
    chosen: String,
    embedder: Arc<Embedder>,
}

impl KeptEmbedder {
    /// The embedder that `settings` name.
    ///
    /// # Errors
    /// If nothing has that name, or its files cannot be used.
    pub(crate) fn get(&self, settings: &Settings) -> Result<Arc<Embedder>, EngineError> {
        let chosen = settings.embedder.as_deref().unwrap_or(BUILTIN);
        // What the lock guards is whole after every statement.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept.as_ref()
            && kept.chosen == chosen
            && kept.home == settings.home
        {
            return Ok(Arc::clone(&kept.embedder));
        }
        let embedder = Arc::new(open(&settings.home, chosen)?);
        *kept = Some(Kept {
            home: settings.home.clone(),
            chosen: chosen.to_owned(),
            embedder: Arc::clone(&embedder),
        });
        Ok(embedder)
    }

    /// Lets go of it, because what its name stands for has changed.
    pub(crate) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Opens an embedder by its installed name or its folder.
fn open(home: &Home, chosen: &str) -> Result<Embedder, EngineError> {
    if chosen == BUILTIN {
        return open_builtin_embedder();
    }
    let located = Catalogue::embedders(home.clone()).locate(chosen)?;
    if located.name.eq_ignore_ascii_case(BUILTIN) {
        return open_builtin_embedder();
    }
    Ok(Embedder::open(Path::new(&located.path))?)
}

/// The vectors of `texts`, and how long they took.
///
/// # Errors
/// If the embedder refuses a text.
pub(crate) fn embed(embedder: &Embedder, texts: &[&str]) -> Result<Embeddings, EngineError> {
    let started = Instant::now();
    let embedded = embedder.embed_counted(texts)?;
    Ok(Embeddings {
        embeddings: embedded.rows,
        embedder: embedder.name().to_owned(),
        dimension: embedder.dimension(),
        tokens: embedded.tokens,
        tokens_per_second: embedded.tokens as f64 / started.elapsed().as_secs_f64().max(1e-9),
    })
}
