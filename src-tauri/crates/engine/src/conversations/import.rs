//! Reading our own JSON files. They may come from anywhere: everything is checked before anything is stored.

use super::export::{ExportFile, FORMAT, VERSION};
use super::messages::{insert, json};
use super::{Conversations, Refusal, index, list, presets, title};
use crate::api::conversation::{Conversation, ConversationSummary, Message, MessageState, Preset};
use crate::error::EngineError;
use crate::random::uuid;
use rusqlite::{Connection, OptionalExtension, Transaction};
use serde::Deserialize;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::path::Path;

/// A larger file is not read into memory.
const MOST_BYTES: u64 = 1 << 30;
/// The last moment that a JavaScript date holds, in milliseconds.
const LAST_TIME: i64 = 8_640_000_000_000_000;

/// The part that says what the rest is.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
}

impl Conversations {
    /// Adds the conversations of a file that an export in JSON wrote; all or none. Ids that are taken here, or are no
    /// UUIDs, are replaced; presets that are here already are used.
    ///
    /// # Errors
    /// If the file cannot be read or is not right; the message names the place.
    pub fn import(&self, path: &Path) -> Result<Vec<ConversationSummary>, EngineError> {
        let file = read(path)?;
        let place = format!("`{}`", path.display());
        check(&file, &place)?;
        self.write(|transaction| {
            let presets = store_presets(transaction, &file.presets)?;
            let mut added = Vec::with_capacity(file.conversations.len());
            for (at, conversation) in file.conversations.iter().enumerate() {
                let place = format!("{place}, conversations[{at}]");
                let row = store(transaction, conversation, &presets, &place)?;
                added.push(list::summary(transaction, row)?);
            }
            Ok(added)
        })
    }
}

fn refuse(place: &str, found: impl Into<String>, expected: &str) -> EngineError {
    EngineError::BadRequest {
        field: place.into(),
        found: found.into(),
        expected: expected.into(),
    }
}

fn read(path: &Path) -> Result<ExportFile, EngineError> {
    let place = format!("`{}`", path.display());
    let size = std::fs::metadata(path).map_err(EngineError::io("read", path))?;
    if size.len() > MOST_BYTES {
        let found = format!("{} B", size.len());
        return Err(refuse(&place, found, &format!("at most {MOST_BYTES} B")));
    }
    let bytes = std::fs::read(path).map_err(EngineError::io("read", path))?;
    let ours = "a file that R3MES Desktop exported as JSON";
    let head: Head =
        serde_json::from_slice(&bytes).map_err(|error| refuse(&place, error.to_string(), ours))?;
    if head.format != FORMAT {
        let format: String = head.format.chars().take(64).collect();
        return Err(refuse(&place, format!("format {format:?}"), ours));
    }
    if head.version == 0 || head.version > VERSION {
        return Err(refuse(
            &format!("{place}, version"),
            head.version.to_string(),
            &format!("at most {VERSION}; a newer R3MES Desktop wrote it"),
        ));
    }
    serde_json::from_slice(&bytes).map_err(|error| refuse(&place, error.to_string(), ours))
}

fn check(file: &ExportFile, place: &str) -> Result<(), EngineError> {
    let mut seen = HashSet::new();
    for (at, preset) in file.presets.iter().enumerate() {
        if preset.id.is_empty() || !seen.insert(&preset.id) {
            let place = format!("{place}, presets[{at}].id");
            return Err(refuse(&place, short(&preset.id), "an id of its own"));
        }
    }
    let mut seen = HashSet::new();
    for (at, conversation) in file.conversations.iter().enumerate() {
        let place = format!("{place}, conversations[{at}]");
        let summary = &conversation.summary;
        for time in [summary.created_at, summary.updated_at] {
            check_time(time, &format!("{place}.summary"))?;
        }
        for (at, message) in conversation.messages.iter().enumerate() {
            let place = format!("{place}.messages[{at}]");
            if message.id.is_empty() || !seen.insert(&message.id) {
                let place = format!("{place}.id");
                return Err(refuse(&place, short(&message.id), "an id of its own"));
            }
            check_time(message.created_at, &place)?;
        }
    }
    Ok(())
}

fn check_time(time: i64, place: &str) -> Result<(), EngineError> {
    if (0..=LAST_TIME).contains(&time) {
        return Ok(());
    }
    let expected = format!("milliseconds from 0 to {LAST_TIME}");
    Err(refuse(place, format!("time {time}"), &expected))
}

/// The indexes of the messages so that each parent comes before its children, otherwise in the file's order.
fn in_order(messages: &[Message], place: &str) -> Result<Vec<usize>, EngineError> {
    let by_id: HashMap<&str, usize> = messages
        .iter()
        .enumerate()
        .map(|(at, message)| (message.id.as_str(), at))
        .collect();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); messages.len()];
    let mut ready = BinaryHeap::new();
    for (at, message) in messages.iter().enumerate() {
        match &message.parent {
            None => ready.push(Reverse(at)),
            Some(parent) => {
                let parent = by_id.get(parent.as_str()).ok_or_else(|| {
                    refuse(
                        &format!("{place}.messages[{at}].parent"),
                        short(parent),
                        "the id of a message of the same conversation",
                    )
                })?;
                children[*parent].push(at);
            }
        }
    }
    let mut order = Vec::with_capacity(messages.len());
    while let Some(Reverse(at)) = ready.pop() {
        order.push(at);
        ready.extend(children[at].iter().map(|child| Reverse(*child)));
    }
    if order.len() == messages.len() {
        return Ok(order);
    }
    let reached: HashSet<usize> = order.into_iter().collect();
    let lost = (0..messages.len()).find(|at| !reached.contains(at));
    Err(refuse(
        &format!("{place}.messages[{}].parent", lost.unwrap_or(0)),
        "a circle of parents",
        "a way up to a first message",
    ))
}

/// Tells the row of each preset by its id in the file.
fn store_presets<'a>(
    transaction: &Transaction<'_>,
    from_file: &'a [Preset],
) -> rusqlite::Result<HashMap<&'a str, i64>> {
    let known = presets::all(transaction)?;
    let mut rows = HashMap::new();
    for preset in from_file {
        let same = |known: &&Preset| {
            known.name == preset.name
                && known.system_prompt == preset.system_prompt
                && known.sampling == preset.sampling
        };
        let row = match known.iter().find(same) {
            Some(known) => transaction.query_row(
                "SELECT row FROM presets WHERE id = ?1",
                [&known.id],
                |row| row.get(0),
            )?,
            None => {
                let new = Preset {
                    id: free_id(transaction, "presets", &preset.id)?,
                    ..preset.clone()
                };
                presets::insert(transaction, &new)?
            }
        };
        rows.insert(preset.id.as_str(), row);
    }
    Ok(rows)
}

fn store(
    transaction: &Transaction<'_>,
    conversation: &Conversation,
    presets: &HashMap<&str, i64>,
    place: &str,
) -> Result<i64, Refusal> {
    let order = in_order(&conversation.messages, place)?;
    let summary = &conversation.summary;
    let preset = conversation.preset_id.as_deref();
    let row = transaction
        .prepare_cached(
            "INSERT INTO conversations (id, title, pinned, created_at, updated_at, system_prompt, preset, sampling, draft)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .insert((
            free_id(transaction, "conversations", &summary.id)?,
            title::tidy(&summary.title),
            summary.pinned,
            summary.created_at,
            summary.updated_at,
            &conversation.system_prompt,
            preset.and_then(|id| presets.get(id)),
            json(&conversation.sampling),
            &conversation.draft,
        ))?;
    let mut rows: HashMap<&str, i64> = HashMap::new();
    for at in order {
        let message = &conversation.messages[at];
        let parent = message
            .parent
            .as_deref()
            .and_then(|id| rows.get(id))
            .copied();
        let stored = Message {
            id: free_id(transaction, "messages", &message.id)?,
            state: match message.state {
                // Nobody makes it any more.
                MessageState::Running => MessageState::Interrupted,
                state => state,
            },
            ..message.clone()
        };
        rows.insert(&message.id, insert(transaction, row, parent, &stored)?);
    }
    if let Some(leaf) = &conversation.leaf {
        let leaf = rows.get(leaf.as_str()).ok_or_else(|| {
            let expected = "the id of a message of the same conversation";
            Refusal::Ours(refuse(&format!("{place}.leaf"), short(leaf), expected))
        })?;
        super::tree::show(transaction, row, Some(*leaf))?;
    }
    index::put_conversation(transaction, row)?;
    Ok(row)
}

/// The id itself when it is a UUID that nothing in `table` has, otherwise a new one.
fn free_id(connection: &Connection, table: &'static str, id: &str) -> rusqlite::Result<String> {
    let taken: Option<i64> = connection
        .prepare_cached(&format!("SELECT row FROM {table} WHERE id = ?1"))?
        .query_row([id], |row| row.get(0))
        .optional()?;
    match taken {
        None if is_uuid(id) => Ok(id.to_owned()),
        _ => Ok(uuid()),
    }
}

fn is_uuid(id: &str) -> bool {
    let dash = |at| matches!(at, 8 | 13 | 18 | 23);
    let digit = |c: u8| c.is_ascii_digit() || matches!(c, b'a'..=b'f');
    let right = |(at, c): (usize, u8)| if dash(at) { c == b'-' } else { digit(c) };
    id.len() == 36 && id.bytes().enumerate().all(right)
}

/// What an error shows of an id.
fn short(id: &str) -> String {
    format!("{:?}", id.chars().take(64).collect::<String>())
}
