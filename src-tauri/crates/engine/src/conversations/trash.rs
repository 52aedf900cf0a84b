//! The trash: what is in it is neither shown nor found, and can be brought back for 30 days.

use super::messages::place;
use super::{Conversations, Refusal, index, list, tree, unknown};
use crate::api::conversation::ConversationSummary;
use crate::error::EngineError;
use rusqlite::{Connection, OptionalExtension, Transaction};

/// How long something stays in the trash.
const KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1000;

impl Conversations {
    /// Moves a conversation to the trash.
    ///
    /// # Errors
    /// If there is no such conversation outside the trash.
    pub fn trash(&self, id: &str) -> Result<(), EngineError> {
        let now = self.now();
        self.write(|transaction| {
            let row = list::row_of(transaction, id)?;
            transaction.execute(
                "UPDATE conversations SET trashed_at = ?2 WHERE row = ?1",
                (row, now),
            )?;
            Ok(index::drop_conversation(transaction, row)?)
        })
    }

    /// Brings a conversation back from the trash; one that is not in it stays as it is.
    ///
    /// # Errors
    /// If there is no such conversation.
    pub fn restore(&self, id: &str) -> Result<(), EngineError> {
        self.write(|transaction| {
            let row: Option<i64> = transaction
                .query_row(
                    "UPDATE conversations SET trashed_at = NULL WHERE id = ?1 RETURNING row",
                    [id],
                    |row| row.get(0),
                )
                .optional()?;
            let row = row.ok_or_else(|| unknown("conversation", id))?;
            Ok(index::put_conversation(transaction, row)?)
        })
    }

    /// The conversations in the trash, last trashed first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn list_trash(&self) -> Result<Vec<ConversationSummary>, EngineError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(&format!(
                "SELECT {} FROM conversations c WHERE c.trashed_at IS NOT NULL ORDER BY c.trashed_at DESC, c.row DESC",
                list::COLUMNS
            ))?;
            let rows = statement.query_map([], list::summary_of)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Deletes everything in the trash for ever, messages too; tells how many conversations that were.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn empty_trash(&self) -> Result<usize, EngineError> {
        let emptied = self.write(|transaction| {
            let emptied = purge_before(transaction, i64::MAX)?;
            // Deleted words stay in the segments of an index until these are merged.
            index::merge(transaction)?;
            Ok(emptied)
        })?;
        // The log of changes still holds what was deleted; another process at the file may keep it a little longer.
        self.settle()?;
        Ok(emptied)
    }

    /// Moves a message and everything below it to the trash. When it was shown, its newest neighbour is.
    ///
    /// # Errors
    /// If there is no such conversation or message outside the trash.
    pub fn trash_message(&self, conversation: &str, message: &str) -> Result<(), EngineError> {
        let now = self.now();
        self.write(|transaction| {
            let row = list::row_of(transaction, conversation)?;
            let top = place(transaction, row, message)?;
            let mut below = transaction.prepare_cached(&format!(
                "{BELOW} UPDATE messages SET trashed_at = ?2, trashed_with = ?1
                 WHERE row IN below AND trashed_at IS NULL RETURNING row",
            ))?;
            for gone in rows(&mut below, (top.row, now))? {
                index::drop_message(transaction, gone)?;
            }
            let shown: bool = transaction.query_row(
                "SELECT count(*) FROM conversations c JOIN messages m ON m.row = c.leaf WHERE c.row = ?1 AND m.trashed_at IS NULL",
                [row],
                |row| row.get(0),
            )?;
            if !shown {
                let leaf = tree::newest_leaf(transaction, row, top.parent)?;
                tree::show(transaction, row, leaf)?;
            }
            Ok(())
        })
    }

    /// Undoes [`Conversations::trash_message`] and shows the branch again. Messages above it that were trashed later
    /// come back with it.
    ///
    /// # Errors
    /// If there is no such conversation outside the trash, or no such message.
    pub fn restore_message(&self, conversation: &str, message: &str) -> Result<(), EngineError> {
        self.write(|transaction| {
            let row = list::row_of(transaction, conversation)?;
            let (top, with) = trashed_place(transaction, row, message)?;
            let Some(with) = with else {
                return Ok(());
            };
            let mut below = transaction.prepare_cached(&format!(
                "{BELOW} UPDATE messages SET trashed_at = NULL, trashed_with = NULL
                 WHERE row IN below AND trashed_with = ?2 RETURNING row",
            ))?;
            let mut back = rows(&mut below, (top, with))?;
            let mut above = transaction.prepare_cached(
                "WITH RECURSIVE up (row, parent) AS (
                   SELECT row, parent FROM messages WHERE row = ?1
                   UNION ALL SELECT m.row, m.parent FROM up JOIN messages m ON m.row = up.parent)
                 UPDATE messages SET trashed_at = NULL, trashed_with = NULL
                 WHERE row IN (SELECT row FROM up) AND trashed_at IS NOT NULL RETURNING row",
            )?;
            back.extend(rows(&mut above, [top])?);
            for row in back {
                index::put_if_shown(transaction, row)?;
            }
            let leaf = tree::newest_leaf(transaction, row, Some(top))?;
            Ok(tree::show(transaction, row, leaf)?)
        })
    }
}

/// `?1` and everything below it, as `below`.
const BELOW: &str = "WITH RECURSIVE below (row) AS (
    SELECT ?1
    UNION ALL SELECT m.row FROM below JOIN messages t ON t.row = below.row
      JOIN messages m ON m.conversation = t.conversation AND m.parent = below.row)";

fn rows(
    statement: &mut rusqlite::CachedStatement<'_>,
    parameters: impl rusqlite::Params,
) -> rusqlite::Result<Vec<i64>> {
    statement.query_map(parameters, |row| row.get(0))?.collect()
}

/// Row of a message, and with whose removal it was trashed, if it was.
fn trashed_place(
    connection: &Connection,
    conversation: i64,
    id: &str,
) -> Result<(i64, Option<i64>), Refusal> {
    connection
        .query_row(
            "SELECT row, trashed_with FROM messages WHERE id = ?1 AND conversation = ?2",
            (id, conversation),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?
        .ok_or_else(|| unknown("message", id))
}

/// Deletes for ever what was trashed 30 days ago.
pub(super) fn purge(transaction: &Transaction<'_>, now: i64) -> rusqlite::Result<usize> {
    purge_before(transaction, now.saturating_sub(KEPT_MS))
}

/// A message is deleted after everything below it: that was trashed with it, or before it.
fn purge_before(transaction: &Transaction<'_>, limit: i64) -> rusqlite::Result<usize> {
    let emptied =
        transaction.execute("DELETE FROM conversations WHERE trashed_at <= ?1", [limit])?;
    transaction.execute("DELETE FROM messages WHERE trashed_at <= ?1", [limit])?;
    Ok(emptied)
}
