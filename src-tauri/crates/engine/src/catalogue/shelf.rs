//! What a catalogue holds: models or embedders. They are fetched, imported, listed and removed alike.

use std::fmt;
use std::path::{Path, PathBuf};

use super::{builtin, builtin_embedder};
use crate::api::ModelEntry;
use crate::error::EngineError;
use crate::folders::Home;
use crate::inspect::shape_of;
use r3mes_model::embedding::Embedder;

/// What a catalogue holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shelf {
    /// Models that answer.
    Models,
    /// Models that turn texts into vectors.
    Embedders,
}

impl Shelf {
    /// The folder in which they are installed.
    pub(super) fn folder(self, home: &Home) -> PathBuf {
        match self {
            Shelf::Models => home.models(),
            Shelf::Embedders => home.embedders(),
        }
    }

    /// The one inside the program, as it is listed.
    pub(super) fn built_in(self, home: &Home) -> ModelEntry {
        match self {
            Shelf::Models => builtin::entry(home),
            Shelf::Embedders => builtin_embedder::entry(home),
        }
    }

    /// Reads a folder or file as one of its kind.
    ///
    /// # Errors
    /// If this program cannot use it; the message names the file and what is wrong with it.
    pub(super) fn check(self, path: &Path) -> Result<(), EngineError> {
        match self {
            Shelf::Models => shape_of(path).map(drop),
            Shelf::Embedders => Ok(Embedder::open(path).map(drop)?),
        }
    }

    /// What may be named by its path, in words.
    pub(crate) fn by_path(self) -> &'static str {
        match self {
            Shelf::Models => "a folder or a `.gguf` file",
            Shelf::Embedders => "a folder",
        }
    }

    /// One of them before its name.
    pub(crate) fn named(self) -> &'static str {
        match self {
            Shelf::Models => "a model named",
            Shelf::Embedders => "an embedder named",
        }
    }
}

impl fmt::Display for Shelf {
    /// The word for one of them, which is also the word of its command.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Shelf::Models => "model",
            Shelf::Embedders => "embedder",
        })
    }
}
