//! Conversations as files: markdown to read, JSON to import again, lines of questions and answers to train with.

use super::messages::load;
use super::{Conversations, Refusal, list, markdown, presets, tree};
use crate::api::Role;
use crate::api::conversation::{Conversation, ExportFormat, Message, MessageState, Preset};
use crate::error::EngineError;
use crate::folders::write_atomically;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The name in our JSON files.
pub(super) const FORMAT: &str = "r3mes-conversations";
/// The version of that format which this build writes.
pub(super) const VERSION: u32 = 1;

/// Our JSON file. A conversation in it has everything that is not in the trash.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ExportFile {
    pub format: String,
    pub version: u32,
    /// Milliseconds since 1970.
    pub exported_at: i64,
    /// Those that the conversations were set up with, or all.
    #[serde(default)]
    pub presets: Vec<Preset>,
    pub conversations: Vec<Conversation>,
}

/// One line of a JSONL export: a question, its whole answer, and what was said before.
#[derive(Serialize)]
struct Pair<'a> {
    prompt: &'a str,
    response: &'a str,
    system: &'a str,
    history: &'a [Turn<'a>],
    model: Option<&'a str>,
    finish_reason: Option<crate::api::FinishReason>,
    conversation_id: &'a str,
    title: &'a str,
    created_at: i64,
}

#[derive(Clone, Serialize)]
struct Turn<'a> {
    role: Role,
    content: &'a str,
}

impl Conversations {
    /// Writes one conversation to a file: markdown and JSONL the shown branch, JSON everything.
    ///
    /// # Errors
    /// If there is no such conversation outside the trash, or the file cannot be written.
    pub fn export(&self, id: &str, format: ExportFormat, path: &Path) -> Result<(), EngineError> {
        self.check_target(path)?;
        let text = self.read(|connection| match format {
            ExportFormat::Json => {
                let conversation = load(connection, id)?;
                let used = |preset: &Preset| conversation.preset_id.as_ref() == Some(&preset.id);
                let presets = presets::all(connection)?.into_iter().filter(used).collect();
                Ok(json(self.now(), presets, vec![conversation]))
            }
            ExportFormat::Markdown => {
                let (conversation, shown) = shown(connection, id)?;
                Ok(markdown::page(&conversation, &shown))
            }
            ExportFormat::Jsonl => {
                let (conversation, shown) = shown(connection, id)?;
                Ok(lines(&conversation, &shown))
            }
        })?;
        write_atomically(path, text.as_bytes())
    }

    /// Writes every conversation outside the trash and every preset to a file that [`Conversations::import`] reads.
    ///
    /// # Errors
    /// If the store cannot be read or the file cannot be written.
    pub fn export_everything(&self, path: &Path) -> Result<(), EngineError> {
        self.check_target(path)?;
        let text = self.read(|connection| {
            let mut ids = connection
                .prepare("SELECT id FROM conversations WHERE trashed_at IS NULL ORDER BY row")?;
            let ids = ids.query_map([], |row| row.get::<_, String>(0))?;
            let conversations = ids
                .map(|id| load(connection, &id?))
                .collect::<Result<_, Refusal>>()?;
            Ok(json(self.now(), presets::all(connection)?, conversations))
        })?;
        write_atomically(path, text.as_bytes())
    }
}

fn json(now: i64, presets: Vec<Preset>, conversations: Vec<Conversation>) -> String {
    let file = ExportFile {
        format: FORMAT.into(),
        version: VERSION,
        exported_at: now,
        presets,
        conversations,
    };
    let mut text = serde_json::to_string_pretty(&file).expect("numbers and texts have a JSON form");
    text.push('\n');
    text
}

/// A conversation and the messages of the branch it shows.
fn shown(connection: &Connection, id: &str) -> Result<(Conversation, Vec<Message>), Refusal> {
    let row = list::row_of(connection, id)?;
    let leaf: Option<i64> = connection.query_row(
        "SELECT leaf FROM conversations WHERE row = ?1",
        [row],
        |row| row.get(0),
    )?;
    let path = match leaf {
        Some(leaf) => tree::path(connection, leaf)?,
        None => Vec::new(),
    };
    Ok((load(connection, id)?, path))
}

/// Only whole answers: one that was stopped teaches to stop in the middle.
fn lines(conversation: &Conversation, shown: &[Message]) -> String {
    let mut text = String::new();
    let mut history: Vec<Turn<'_>> = Vec::new();
    for pair in shown.windows(2) {
        let [question, answer] = pair else { continue };
        let asked = question.role == Role::User && answer.role == Role::Assistant;
        if !asked || answer.state != MessageState::Complete || answer.content.trim().is_empty() {
            continue;
        }
        let line = Pair {
            prompt: &question.content,
            response: &answer.content,
            system: &conversation.system_prompt,
            history: &history,
            model: answer.model.as_deref(),
            finish_reason: answer.finish_reason,
            conversation_id: &conversation.summary.id,
            title: &conversation.summary.title,
            created_at: answer.created_at,
        };
        text.push_str(&super::messages::json(&line));
        text.push('\n');
        history.extend([question, answer].map(|message| Turn {
            role: message.role,
            content: &message.content,
        }));
    }
    text
}
