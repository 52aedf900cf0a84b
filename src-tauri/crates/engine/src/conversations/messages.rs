//! Messages as rows.

use super::{Conversations, Refusal, list, unknown};
use crate::api::conversation::{
    Conversation, Message, MessageError, MessageState, SamplingOverrides,
};
use crate::api::{ExpertLabel, FinishReason, Role, Routing};
use crate::error::EngineError;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, named_params};

/// Columns of a message `m` with its parent `p`, as [`message_of`] reads them.
pub(super) const COLUMNS: &str = "m.id, p.id, m.role, m.content, m.created_at, m.state, m.model, m.finish_reason, m.seed, \
     m.error_code, m.error_message, m.metrics, \
     (SELECT routing FROM message_routes r WHERE r.message = m.row), \
     (SELECT label FROM message_routes r WHERE r.message = m.row)";

impl Conversations {
    /// A conversation with every message.
    ///
    /// # Errors
    /// If there is no such conversation outside the trash.
    pub fn load(&self, id: &str) -> Result<Conversation, EngineError> {
        self.read(|connection| load(connection, id))
    }
}

pub(super) fn load(connection: &Connection, id: &str) -> Result<Conversation, Refusal> {
    let row = list::row_of(connection, id)?;
    let summary = list::summary(connection, row)?;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM messages m LEFT JOIN messages p ON p.row = m.parent
         WHERE m.conversation = ?1 AND m.trashed_at IS NULL ORDER BY m.row"
    ))?;
    let messages = statement
        .query_map([row], message_of)?
        .collect::<rusqlite::Result<_>>()?;
    let conversation = connection.query_row(
        "SELECT l.id, c.system_prompt, p.id, c.sampling, c.draft FROM conversations c
         LEFT JOIN messages l ON l.row = c.leaf LEFT JOIN presets p ON p.row = c.preset WHERE c.row = ?1",
        [row],
        |row| {
            Ok(Conversation {
                summary,
                messages,
                leaf: row.get(0)?,
                system_prompt: row.get(1)?,
                preset_id: row.get(2)?,
                sampling: sampling_of(row, 3)?,
                draft: row.get(4)?,
            })
        },
    )?;
    Ok(conversation)
}

/// Row and parent's row of a message outside the trash.
pub(super) fn place(
    connection: &Connection,
    conversation: i64,
    id: &str,
) -> Result<Place, Refusal> {
    connection
        .prepare_cached(
            "SELECT row, parent, role FROM messages WHERE id = ?1 AND conversation = ?2 AND trashed_at IS NULL",
        )?
        .query_row((id, conversation), |row| {
            Ok(Place {
                row: row.get(0)?,
                parent: row.get(1)?,
                role: row.get(2)?,
            })
        })
        .optional()?
        .ok_or_else(|| unknown("message", id))
}

/// Where a message stands.
pub(super) struct Place {
    pub row: i64,
    pub parent: Option<i64>,
    pub role: Role,
}

pub(super) fn by_row(connection: &Connection, row: i64) -> rusqlite::Result<Message> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM messages m LEFT JOIN messages p ON p.row = m.parent WHERE m.row = ?1"
        ))?
        .query_row([row], message_of)
}

/// Stores a message and tells its row.
pub(super) fn insert(
    connection: &Connection,
    conversation: i64,
    parent: Option<i64>,
    message: &Message,
) -> rusqlite::Result<i64> {
    let metrics = message.metrics.as_ref().map(json);
    let error = message.error.as_ref();
    let row = connection
        .prepare_cached(
            "INSERT INTO messages (id, conversation, parent, role, content, created_at, state, model, finish_reason, seed,
               error_code, error_message, metrics)
             VALUES (:id, :conversation, :parent, :role, :content, :created_at, :state, :model, :finish_reason, :seed,
               :error_code, :error_message, :metrics)",
        )?
        .insert(named_params! {
            ":id": message.id,
            ":conversation": conversation,
            ":parent": parent,
            ":role": message.role,
            ":content": message.content,
            ":created_at": message.created_at,
            ":state": message.state,
            ":model": message.model,
            ":finish_reason": message.finish_reason,
            ":seed": message.seed.map(|seed| seed.to_string()),
            ":error_code": error.map(|error| &error.code),
            ":error_message": error.map(|error| &error.message),
            ":metrics": metrics,
        })?;
    put_route(connection, row, message.routing.as_deref())?;
    if message.expert_label.is_some() {
        put_label(connection, row, message.expert_label.as_ref())?;
    }
    Ok(row)
}

/// Keeps who helped with an answer.
pub(super) fn put_route(
    connection: &Connection,
    message: i64,
    routing: Option<&Routing>,
) -> rusqlite::Result<()> {
    let Some(routing) = routing else {
        return Ok(());
    };
    connection
        .prepare_cached(
            "INSERT INTO message_routes (message, routing) VALUES (?1, ?2)
             ON CONFLICT (message) DO UPDATE SET routing = excluded.routing",
        )?
        .execute((message, json(routing)))?;
    Ok(())
}

/// Keeps who should have helped, or that nobody said so.
pub(super) fn put_label(
    connection: &Connection,
    message: i64,
    label: Option<&ExpertLabel>,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO message_routes (message, label) VALUES (?1, ?2)
             ON CONFLICT (message) DO UPDATE SET label = excluded.label",
        )?
        .execute((message, label.map(json)))?;
    Ok(())
}

/// Reads [`COLUMNS`].
pub(super) fn message_of(row: &Row<'_>) -> rusqlite::Result<Message> {
    let error: (Option<String>, Option<String>) = (row.get(9)?, row.get(10)?);
    let metrics: Option<String> = row.get(11)?;
    let (routing, label): (Option<String>, Option<String>) = (row.get(12)?, row.get(13)?);
    let seed: Option<String> = row.get(8)?;
    Ok(Message {
        id: row.get(0)?,
        parent: row.get(1)?,
        role: row.get(2)?,
        content: row.get(3)?,
        created_at: row.get(4)?,
        state: row.get(5)?,
        model: row.get(6)?,
        finish_reason: row.get(7)?,
        seed: seed.and_then(|seed| seed.parse().ok()),
        error: error.0.map(|code| MessageError {
            code,
            message: error.1.unwrap_or_default(),
        }),
        // Figures that cannot be read are no reason to withhold the text they belong to.
        metrics: metrics.and_then(|text| serde_json::from_str(&text).ok()),
        routing: routing.and_then(|text| serde_json::from_str(&text).ok()),
        expert_label: label.and_then(|text| serde_json::from_str(&text).ok()),
    })
}

/// As above: choices that cannot be read become none.
pub(super) fn sampling_of(row: &Row<'_>, column: usize) -> rusqlite::Result<SamplingOverrides> {
    let text: String = row.get(column)?;
    Ok(serde_json::from_str(&text).unwrap_or_default())
}

/// Plain data as JSON.
pub(super) fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("numbers and texts have a JSON form")
}

const ROLES: [(Role, &str); 3] = [
    (Role::System, "system"),
    (Role::User, "user"),
    (Role::Assistant, "assistant"),
];

const STATES: [(MessageState, &str); 5] = [
    (MessageState::Complete, "complete"),
    (MessageState::Running, "running"),
    (MessageState::Cancelled, "cancelled"),
    (MessageState::Interrupted, "interrupted"),
    (MessageState::Failed, "failed"),
];

const REASONS: [(FinishReason, &str); 3] = [
    (FinishReason::Stop, "stop"),
    (FinishReason::Length, "length"),
    (FinishReason::Cancelled, "cancelled"),
];

/// The word in the file for a value, and back. The schema allows no other words.
macro_rules! stored_as_word {
    ($kind:ty, $words:ident) => {
        impl ToSql for $kind {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                let word = $words.iter().find(|(value, _)| value == self);
                Ok(word.expect("every value has a word").1.into())
            }
        }
        impl FromSql for $kind {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<$kind> {
                let text = value.as_str()?;
                let found = $words.iter().find(|(_, word)| *word == text);
                found
                    .map(|(value, _)| *value)
                    .ok_or(FromSqlError::InvalidType)
            }
        }
    };
}

stored_as_word!(Role, ROLES);
stored_as_word!(MessageState, STATES);
stored_as_word!(FinishReason, REASONS);
