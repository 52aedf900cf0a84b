//! Named system prompts with their sampling.

use super::messages::{json, sampling_of};
use super::{Conversations, Refusal, title, unknown};
use crate::api::conversation::Preset;
use crate::error::EngineError;
use crate::random::uuid;
use rusqlite::{Connection, OptionalExtension};

impl Conversations {
    /// Every preset, in the order they were made.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn presets(&self) -> Result<Vec<Preset>, EngineError> {
        self.read(|connection| Ok(all(connection)?))
    }

    /// Stores a preset and tells how; one with an empty id is new and gets one.
    ///
    /// # Errors
    /// If its name is blank, or its id is not empty and unknown.
    pub fn save_preset(&self, preset: &Preset) -> Result<Preset, EngineError> {
        self.write(|transaction| {
            let mut preset = Preset {
                name: title::tidy(&preset.name),
                ..preset.clone()
            };
            if preset.name.is_empty() {
                return Err(Refusal::Ours(EngineError::BadRequest {
                    field: "preset name".into(),
                    found: "nothing".into(),
                    expected: "a name".into(),
                }));
            }
            if preset.id.is_empty() {
                preset.id = uuid();
                insert(transaction, &preset)?;
                return Ok(preset);
            }
            let row = row_of(transaction, &preset.id)?;
            transaction.execute(
                "UPDATE presets SET name = ?2, system_prompt = ?3, sampling = ?4 WHERE row = ?1",
                (
                    row,
                    &preset.name,
                    &preset.system_prompt,
                    json(&preset.sampling),
                ),
            )?;
            Ok(preset)
        })
    }

    /// Deletes a preset. Conversations that were set up with it keep their prompt and sampling.
    ///
    /// # Errors
    /// If there is no such preset.
    pub fn delete_preset(&self, id: &str) -> Result<(), EngineError> {
        self.write(|transaction| {
            let row = row_of(transaction, id)?;
            transaction.execute("DELETE FROM presets WHERE row = ?1", [row])?;
            Ok(())
        })
    }
}

pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<Preset>> {
    let mut statement = connection
        .prepare_cached("SELECT id, name, system_prompt, sampling FROM presets ORDER BY row")?;
    let rows = statement.query_map([], |row| {
        Ok(Preset {
            id: row.get(0)?,
            name: row.get(1)?,
            system_prompt: row.get(2)?,
            sampling: sampling_of(row, 3)?,
        })
    })?;
    rows.collect()
}

pub(super) fn row_of(connection: &Connection, id: &str) -> Result<i64, Refusal> {
    connection
        .prepare_cached("SELECT row FROM presets WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?
        .ok_or_else(|| unknown("preset", id))
}

pub(super) fn insert(connection: &Connection, preset: &Preset) -> rusqlite::Result<i64> {
    connection
        .prepare_cached(
            "INSERT INTO presets (id, name, system_prompt, sampling) VALUES (?1, ?2, ?3, ?4)",
        )?
        .insert((
            &preset.id,
            &preset.name,
            &preset.system_prompt,
            json(&preset.sampling),
        ))
}
