//! The store from outside, in a folder of its own, with a clock that the test moves.

mod answers;
mod backup;
mod crash;
mod exchange;
mod files;
mod hostile;
mod lists;
mod search;
mod tree;

use super::{AnswerEnd, Asked, Conversations};
use crate::api::FinishReason;
use crate::api::conversation::{Message, MessageState};
use crate::error::{EngineError, ErrorCode};
use crate::folders::Home;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tempfile::TempDir;

/// 2026-11-27.
const BEGIN_MS: i64 = 1_795_737_600_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A data folder that is gone afterwards.
struct Folder {
    folder: TempDir,
    time: Arc<AtomicI64>,
}

impl Folder {
    fn new() -> Folder {
        Folder {
            folder: tempfile::tempdir().expect("a temporary folder"),
            time: Arc::new(AtomicI64::new(BEGIN_MS)),
        }
    }

    fn home(&self) -> Home {
        Home {
            path: self.folder.path().join("Şükrü Öğüt"),
            reason: "a test",
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home().path.join(name)
    }

    /// Each look at the clock is a millisecond later.
    fn try_open(&self) -> Result<Conversations, EngineError> {
        let time = self.time.clone();
        let now = move || time.fetch_add(1, Ordering::Relaxed);
        Conversations::open_at(&self.home(), Box::new(now))
    }

    fn open(&self) -> Conversations {
        self.try_open().expect("a store")
    }

    fn pass(&self, milliseconds: i64) {
        self.time.fetch_add(milliseconds, Ordering::Relaxed);
    }
}

/// A fresh store.
fn store() -> (Folder, Conversations) {
    let folder = Folder::new();
    let store = folder.open();
    (folder, store)
}

fn whole(content: &str) -> AnswerEnd {
    AnswerEnd {
        content: content.into(),
        state: MessageState::Complete,
        finish_reason: Some(FinishReason::Stop),
        seed: Some(u64::MAX),
        metrics: None,
        routing: None,
        error: None,
    }
}

/// Asks below `parent` and answers.
fn talk(store: &Conversations, id: &str, parent: Option<&str>, text: &str, said: &str) -> Asked {
    let mut asked = store.ask(id, parent, text, "tiny").expect("stored");
    asked.answer = store
        .finish_answer(&asked.answer.id, &whole(said))
        .expect("finished")
        .answer;
    asked
}

/// A conversation of one question and answer.
fn talked(store: &Conversations, text: &str, said: &str) -> (String, Asked) {
    let id = store.create().expect("created").id;
    let asked = talk(store, &id, None, text, said);
    (id, asked)
}

fn contents(messages: &[Message]) -> Vec<&str> {
    messages
        .iter()
        .map(|message| message.content.as_str())
        .collect()
}

/// Nothing in the file is broken, as SQLite and the schema see it.
fn assert_whole(store: &Conversations) {
    let whole = store.read(|connection| {
        let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        let foreign: i64 =
            connection.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| {
                row.get(0)
            })?;
        let hanging: i64 = connection.query_row(
            "SELECT count(*) FROM messages m JOIN messages p ON p.row = m.parent
             WHERE m.trashed_at IS NULL AND p.trashed_at IS NOT NULL",
            [],
            |row| row.get(0),
        )?;
        let leaves: i64 = connection.query_row(
            "SELECT count(*) FROM conversations c JOIN messages m ON m.row = c.leaf
             WHERE m.trashed_at IS NOT NULL OR m.conversation <> c.row",
            [],
            |row| row.get(0),
        )?;
        Ok((check, foreign, hanging, leaves))
    });
    assert_eq!(whole.expect("readable"), ("ok".to_owned(), 0, 0, 0));
}

#[track_caller]
fn assert_unknown<T: std::fmt::Debug>(result: Result<T, EngineError>) {
    let error = result.expect_err("an unknown id");
    assert_eq!(error.code(), ErrorCode::UnknownName, "{error}");
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(result: Result<T, EngineError>, message: &str) {
    let text = result.expect_err("refused").report();
    assert!(text.contains(message), "{text}");
}
