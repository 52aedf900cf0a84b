//! Conversations as a list: their names, pins, drafts and parameters.

use super::messages::json;
use super::{Conversations, Refusal, index, presets, title, unknown};
use crate::api::conversation::{ConversationSummary, SamplingOverrides};
use crate::error::EngineError;
use crate::random::uuid;
use rusqlite::{Connection, OptionalExtension, Row};

/// Columns of a conversation `c`, as [`summary_of`] reads them.
pub(super) const COLUMNS: &str = "c.id, c.title, c.pinned, c.created_at, c.updated_at, \
     (SELECT count(*) FROM messages m WHERE m.conversation = c.row AND m.trashed_at IS NULL)";

impl Conversations {
    /// Every conversation outside the trash: pinned ones first, then the newest.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn list(&self) -> Result<Vec<ConversationSummary>, EngineError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM conversations c WHERE c.trashed_at IS NULL
                 ORDER BY c.pinned DESC, c.updated_at DESC, c.row DESC"
            ))?;
            let rows = statement.query_map([], summary_of)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// One conversation as the list shows it.
    ///
    /// # Errors
    /// If there is no such conversation outside the trash.
    pub fn summary(&self, id: &str) -> Result<ConversationSummary, EngineError> {
        self.read(|connection| Ok(summary(connection, row_of(connection, id)?)?))
    }

    /// An empty conversation.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub fn create(&self) -> Result<ConversationSummary, EngineError> {
        let now = self.now();
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO conversations (id, title, created_at, updated_at) VALUES (?1, '', ?2, ?2)",
                (uuid(), now),
            )?;
            Ok(summary(transaction, transaction.last_insert_rowid())?)
        })
    }

    /// Gives a title; a blank one stands for the title that the first question makes.
    ///
    /// # Errors
    /// If there is no such conversation outside the trash.
    pub fn rename(&self, id: &str, title: &str) -> Result<(), EngineError> {
        self.write(|transaction| {
            let row = row_of(transaction, id)?;
            let title = match title::tidy(title) {
                blank if blank.is_empty() => title_by_question(transaction, row)?,
                title => title,
            };
            set_title(transaction, row, &title)?;
            Ok(())
        })
    }

    /// Whether the conversation stays at the top.
    ///
    /// # Errors
    /// If there is no such conversation outside the trash.
    pub fn set_pinned(&self, id: &str, pinned: bool) -> Result<(), EngineError> {
        self.write(|transaction| {
            let row = row_of(transaction, id)?;
            transaction.execute(
                "UPDATE conversations SET pinned = ?2 WHERE row = ?1",
                (row, pinned),
            )?;
            Ok(())
        })
    }

    /// Keeps text that was typed and not sent.
    ///
    /// # Errors
    /// If there is no such conversation outside the trash.
    pub fn save_draft(&self, conversation: &str, text: &str) -> Result<(), EngineError> {
        self.write(|transaction| {
            let row = row_of(transaction, conversation)?;
            transaction.execute(
                "UPDATE conversations SET draft = ?2 WHERE row = ?1",
                (row, text),
            )?;
            Ok(())
        })
    }

    /// How the conversation's next questions are answered.
    ///
    /// # Errors
    /// If there is no such conversation outside the trash, or no such preset.
    pub fn save_parameters(
        &self,
        conversation: &str,
        system_prompt: &str,
        preset_id: Option<&str>,
        sampling: &SamplingOverrides,
    ) -> Result<(), EngineError> {
        self.write(|transaction| {
            let row = row_of(transaction, conversation)?;
            let preset = preset_id
                .map(|id| presets::row_of(transaction, id))
                .transpose()?;
            transaction.execute(
                "UPDATE conversations SET system_prompt = ?2, preset = ?3, sampling = ?4 WHERE row = ?1",
                (row, system_prompt, preset, json(sampling)),
            )?;
            Ok(())
        })
    }
}

/// The row of a conversation outside the trash.
pub(super) fn row_of(connection: &Connection, id: &str) -> Result<i64, Refusal> {
    connection
        .prepare_cached("SELECT row FROM conversations WHERE id = ?1 AND trashed_at IS NULL")?
        .query_row([id], |row| row.get(0))
        .optional()?
        .ok_or_else(|| unknown("conversation", id))
}

/// One conversation as the list shows it, in the trash or not.
pub(super) fn summary(connection: &Connection, row: i64) -> rusqlite::Result<ConversationSummary> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM conversations c WHERE c.row = ?1"
        ))?
        .query_row([row], summary_of)
}

pub(super) fn summary_of(row: &Row<'_>) -> rusqlite::Result<ConversationSummary> {
    Ok(ConversationSummary {
        id: row.get(0)?,
        title: row.get(1)?,
        pinned: row.get(2)?,
        created_at: row.get(3)?,
        updated_at: row.get(4)?,
        message_count: row.get(5)?,
    })
}

/// Names a conversation, for the list and for the search.
pub(super) fn set_title(connection: &Connection, row: i64, title: &str) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE conversations SET title = ?2 WHERE row = ?1",
        (row, title),
    )?;
    index::put_title(connection, row, title)
}

fn title_by_question(connection: &Connection, row: i64) -> rusqlite::Result<String> {
    let question: Option<String> = connection
        .query_row(
            "SELECT content FROM messages WHERE conversation = ?1 AND role = 'user' AND trashed_at IS NULL
             ORDER BY row LIMIT 1",
            [row],
            |row| row.get(0),
        )
        .optional()?;
    Ok(question
        .map(|text| title::of_question(&text))
        .unwrap_or_default())
}
