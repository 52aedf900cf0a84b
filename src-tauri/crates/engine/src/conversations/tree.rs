//! Branches: which path through the tree is shown, and what of it the model is given.

use super::messages::{COLUMNS, message_of, place};
use super::{Conversations, list};
use crate::api::Role;
use crate::api::conversation::{Message, MessageState};
use crate::error::EngineError;
use rusqlite::Connection;

impl Conversations {
    /// Shows the branch that ends with `leaf`.
    ///
    /// # Errors
    /// If there is no such conversation or message outside the trash.
    pub fn show_branch(&self, conversation: &str, leaf: &str) -> Result<(), EngineError> {
        self.write(|transaction| {
            let row = list::row_of(transaction, conversation)?;
            let leaf = place(transaction, row, leaf)?.row;
            Ok(show(transaction, row, Some(leaf))?)
        })
    }

    /// What the model is given: the messages from the root to `leaf`, without answers that are running, failed or empty.
    /// The system prompt is not among them.
    ///
    /// # Errors
    /// If there is no such conversation or message outside the trash.
    pub fn branch(&self, conversation: &str, leaf: &str) -> Result<Vec<Message>, EngineError> {
        self.read(|connection| {
            let row = list::row_of(connection, conversation)?;
            let leaf = place(connection, row, leaf)?.row;
            let mut messages = path(connection, leaf)?;
            messages.retain(|message| message.role != Role::Assistant || counts(message));
            Ok(messages)
        })
    }
}

/// Whether an answer is part of what the model is told was said.
fn counts(answer: &Message) -> bool {
    let said = matches!(
        answer.state,
        MessageState::Complete | MessageState::Cancelled | MessageState::Interrupted
    );
    said && !answer.content.trim().is_empty()
}

/// The messages from the root to `leaf`. Parents have smaller rows, so the way up ends.
pub(super) fn path(connection: &Connection, leaf: i64) -> rusqlite::Result<Vec<Message>> {
    let mut statement = connection.prepare_cached(&format!(
        "WITH RECURSIVE up (row, parent) AS (
           SELECT row, parent FROM messages WHERE row = ?1
           UNION ALL SELECT m.row, m.parent FROM up JOIN messages m ON m.row = up.parent)
         SELECT {COLUMNS}, m.row FROM up JOIN messages m ON m.row = up.row LEFT JOIN messages p ON p.row = m.parent"
    ))?;
    let rows = statement.query_map([leaf], |row| {
        Ok((row.get::<_, i64>("row")?, message_of(row)?))
    })?;
    // SQLite would carry every text through its sorter.
    let mut messages = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    messages.sort_unstable_by_key(|(row, _)| *row);
    Ok(messages.into_iter().map(|(_, message)| message).collect())
}

/// Makes `leaf` the end of the shown branch.
pub(super) fn show(
    connection: &Connection,
    conversation: i64,
    leaf: Option<i64>,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE conversations SET leaf = ?2 WHERE row = ?1")?
        .execute((conversation, leaf))?;
    Ok(())
}

/// Follows the newest child from `from` (`None`: the newest root) to the end of its branch.
pub(super) fn newest_leaf(
    connection: &Connection,
    conversation: i64,
    from: Option<i64>,
) -> rusqlite::Result<Option<i64>> {
    let mut child = connection.prepare_cached(
        "SELECT max(row) FROM messages WHERE conversation = ?1 AND parent IS ?2 AND trashed_at IS NULL",
    )?;
    let mut at = from;
    while let Some(next) = child.query_row((conversation, at), |row| row.get(0))? {
        at = Some(next);
    }
    Ok(at)
}
