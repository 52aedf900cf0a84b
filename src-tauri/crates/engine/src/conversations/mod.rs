//! Conversations on disk: `r3mes.sqlite` in the data folder.
//!
//! A conversation is a tree of messages with parent pointers; an edited question and an answer made again are siblings.
//! A question is stored, with the empty answer below it, before the model begins; the answer's text is kept now and then.
//!
//! Invariants:
//! - A parent's row number is smaller than its children's, so no cycle can be stored (`schema.rs`).
//! - Whoever is not in the trash has a parent that is not in the trash.
//! - What is in the search index is what can be found: trash and running answers are not in it.
//! - Every change is one transaction. A migration is preceded by a copy of the file.
//!
//! Knows nothing of models; what a host sees is [`crate::api::conversation`].

mod answers;
mod backup;
mod export;
pub(crate) mod fold;
mod import;
mod index;
mod labels;
mod list;
mod markdown;
mod messages;
mod migrate;
mod open;
mod presets;
mod schema;
mod search;
mod snippet;
#[cfg(test)]
mod tests;
mod title;
mod trash;
mod tree;

pub use answers::{AnswerEnd, Asked, Finished};
pub use labels::Label;

use crate::error::EngineError;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Every conversation of one data folder. Threads may share it.
pub struct Conversations {
    connection: Mutex<Connection>,
    path: PathBuf,
    now: Clock,
}

/// Milliseconds since 1970.
type Clock = Box<dyn Fn() -> i64 + Send + Sync>;

impl Conversations {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the log of changes into the file, as the last act of a run that does not end by dropping this. A run that
    /// ends without it loses nothing, but the next one looks through the whole file first.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn settle(&self) -> Result<(), EngineError> {
        self.read(|connection| {
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            Ok(())
        })
    }

    /// What people save must not replace the store itself.
    fn check_target(&self, path: &Path) -> Result<(), EngineError> {
        let same = |ours: PathBuf| {
            path == ours
                || path
                    .canonicalize()
                    .is_ok_and(|path| Some(path) == ours.canonicalize().ok())
        };
        if !["", "-wal", "-shm"]
            .map(|suffix| same(open::beside(&self.path, suffix)))
            .contains(&true)
        {
            return Ok(());
        }
        Err(EngineError::BadRequest {
            field: "file".into(),
            found: format!("`{}`, where the conversations are", path.display()),
            expected: "another file".into(),
        })
    }

    fn now(&self) -> i64 {
        (self.now)()
    }

    /// A panic in another thread rolled its transaction back, so the connection is as good as before.
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(
        &self,
        act: impl FnOnce(&Connection) -> Result<T, Refusal>,
    ) -> Result<T, EngineError> {
        let connection = self.connection();
        act(&connection).map_err(|refusal| refusal.told(&self.path, "read"))
    }

    /// Everything `act` writes, or nothing of it.
    fn write<T>(
        &self,
        act: impl FnOnce(&Transaction<'_>) -> Result<T, Refusal>,
    ) -> Result<T, EngineError> {
        let mut connection = self.connection();
        let written = || {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = act(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        written().map_err(|refusal: Refusal| refusal.told(&self.path, "write"))
    }
}

impl std::fmt::Debug for Conversations {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("Conversations")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Why something was not done: SQLite said so, or we did.
#[derive(Debug)]
enum Refusal {
    Sql(rusqlite::Error),
    Ours(EngineError),
}

impl Refusal {
    fn told(self, path: &Path, doing: &'static str) -> EngineError {
        match self {
            Refusal::Sql(source) => EngineError::Store {
                doing,
                path: path.to_owned(),
                source,
            },
            Refusal::Ours(error) => error,
        }
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Refusal {
        Refusal::Sql(error)
    }
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Refusal {
        Refusal::Ours(error)
    }
}

/// Nothing stored has this id.
fn unknown(kind: &'static str, id: &str) -> Refusal {
    Refusal::Ours(EngineError::UnknownStored {
        kind,
        // Whoever asks may send anything; an error stays one line.
        id: id.chars().filter(|c| !c.is_control()).take(64).collect(),
    })
}
