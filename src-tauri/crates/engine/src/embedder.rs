//! The embedder that settings name: opened when it is first needed, then kept.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

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
    /// Its weights and their state when it was opened; nothing for the one inside the program.
    file: Option<(PathBuf, Stamp)>,
    embedder: Arc<Embedder>,
}

/// Time of the last change and length of a file; nothing when it is not there.
type Stamp = Option<(SystemTime, u64)>;

impl KeptEmbedder {
    /// The embedder that `settings` name. One whose file was removed or changed is opened again.
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
            && kept.is_current()
        {
            return Ok(Arc::clone(&kept.embedder));
        }
        let opened = open(&settings.home, chosen)?;
        let embedder = Arc::clone(&opened.embedder);
        *kept = Some(opened);
        Ok(embedder)
    }
}

impl Kept {
    fn is_current(&self) -> bool {
        let unchanged = |(path, then): &(PathBuf, Stamp)| stamp(path) == *then;
        self.file.as_ref().is_none_or(unchanged)
    }
}

/// Opens an embedder by its installed name or its folder.
fn open(home: &Home, chosen: &str) -> Result<Kept, EngineError> {
    let kept = |file, embedder| Kept {
        home: home.clone(),
        chosen: chosen.to_owned(),
        file,
        embedder: Arc::new(embedder),
    };
    if chosen == BUILTIN {
        return Ok(kept(None, open_builtin_embedder()?));
    }
    let located = Catalogue::embedders(home.clone()).locate(chosen)?;
    if located.name == BUILTIN {
        return Ok(kept(None, open_builtin_embedder()?));
    }
    let weights = located.path.join("model.safetensors");
    let before = stamp(&weights);
    let embedder = Embedder::open(&located.path)?;
    Ok(kept(Some((weights, before)), embedder))
}

fn stamp(path: &Path) -> Stamp {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
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

#[cfg(test)]
mod tests {
    use super::KeptEmbedder;
    use crate::folders::Home;
    use crate::settings::Settings;
    use std::path::Path;
    use std::sync::Arc;

    fn write(folder: &Path, scale: f32) {
        let table = [("vectors", "I8", "[2, 1]", 2), ("scales", "F32", "[2]", 8)];
        let mut at = 0;
        let entries = table.map(|(name, dtype, shape, bytes)| {
            at += bytes;
            let (from, to) = (at - bytes, at);
            format!(
                r#""{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{from},{to}]}}"#
            )
        });
        let header = format!("{{{}}}", entries.join(","));
        let mut weights = (header.len() as u64).to_le_bytes().to_vec();
        weights.extend(header.into_bytes());
        weights.extend([0, 3]);
        weights.extend(0.0_f32.to_le_bytes());
        weights.extend(scale.to_le_bytes());
        let config = r#"{"model_type": "r3mes_static", "dimension": 1, "max_tokens": 8}"#;
        let tokenizer = r#"{"pre_tokenizer": {"type": "Whitespace"},
            "model": {"type": "WordLevel", "vocab": {"?": 0, "word": 1}, "unk_token": "?"}}"#;
        let files = [("config.json", config), ("tokenizer.json", tokenizer)];
        for (name, text) in files {
            std::fs::write(folder.join(name), text).expect("a writable folder");
        }
        std::fs::write(folder.join("model.safetensors"), weights).expect("a writable folder");
    }

    #[test]
    fn an_embedder_is_opened_once_and_again_when_its_file_has_changed() {
        let place = tempfile::tempdir().expect("a temporary folder");
        write(place.path(), 1.0);
        let home = Home::find(Some(place.path()), None).expect("a home");
        let mut settings = Settings::compiled_in(home);
        settings.embedder = Some(place.path().display().to_string());
        let kept = KeptEmbedder::default();
        let first = kept.get(&settings).expect("an embedder");
        assert_eq!(first.embed(&["word"]).expect("a vector"), [[1.0]]);
        assert!(Arc::ptr_eq(&first, &kept.get(&settings).expect("the same")));
        let weights = place.path().join("model.safetensors");
        write(place.path(), -1.0);
        let file = std::fs::File::options().write(true).open(&weights);
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
        file.expect("the weights")
            .set_modified(later)
            .expect("a new time");
        let second = kept.get(&settings).expect("an embedder");
        assert_eq!(second.embed(&["word"]).expect("a vector"), [[-1.0]]);
        std::fs::remove_file(&weights).expect("a removed file");
        assert!(kept.get(&settings).is_err());
    }
}
