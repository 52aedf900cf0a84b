//! `expert.json`: what an expert is, for people; and, where it is installed, when and from where.

use super::contents::CARD;
use crate::error::EngineError;
use crate::folders::write_atomically;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The schema this build reads and writes.
const SCHEMA: u32 = 1;
const MOST_BYTES: u64 = 1 << 20;
const LONGEST_WORD: usize = 40;
const LONGEST_LINE: usize = 200;
const LONGEST_TEXT: usize = 4000;

/// What an expert is. Every part but the schema may be missing from a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Card {
    schema: u32,
    /// The id it was made under.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Name for people.
    #[serde(default)]
    pub name: String,
    /// Its field, in one word.
    #[serde(default)]
    pub domain: String,
    /// What it is good for, in a sentence.
    #[serde(default)]
    pub description: String,
    /// Licence of its files.
    #[serde(default)]
    pub licence: Option<String>,
    /// The model it was made for.
    #[serde(default)]
    pub base_model: Option<BaseModel>,
    /// Where it is installed only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed: Option<Installed>,
}

/// The model an expert was made for, as far as it is stated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BaseModel {
    /// Its name or repository.
    #[serde(default)]
    pub name: Option<String>,
    /// Hash of its weight files: `sha256:…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
}

/// How an expert came here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Installed {
    /// `file:<path>` of the folder or pack, or `trained`.
    pub source: String,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// Version of its files then.
    pub generation: String,
    /// Its files but this one.
    pub files: Vec<InstalledFile>,
}

/// A file as it was installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InstalledFile {
    /// Its name.
    pub path: String,
    /// Its bytes.
    pub size: u64,
    /// Hash of its content.
    pub sha256: String,
    /// When it was written, in nanoseconds since 1970: with the size it tells that the hash still holds.
    pub modified_ns: u64,
}

impl Default for Card {
    fn default() -> Card {
        Card {
            schema: SCHEMA,
            id: String::new(),
            name: String::new(),
            domain: String::new(),
            description: String::new(),
            licence: None,
            base_model: None,
            installed: None,
        }
    }
}

impl Card {
    /// Reads the card in a folder; nothing when there is none.
    ///
    /// # Errors
    /// If it is not such a card, is of another schema, or holds texts that no list could show.
    pub fn read(folder: &Path) -> Result<Option<Card>, EngineError> {
        let path = folder.join(CARD);
        let bytes = match std::fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Ok(found) if found.len() > MOST_BYTES => {
                return Err(EngineError::Unreadable {
                    reason: format!("{} B, expected at most {MOST_BYTES} B", found.len()),
                    path,
                });
            }
            _ => std::fs::read(&path).map_err(EngineError::io("read", &path))?,
        };
        Card::parse(&bytes)
            .map(Some)
            .map_err(|reason| EngineError::Unreadable { path, reason })
    }

    /// Reads a card.
    ///
    /// # Errors
    /// As [`Card::read`], in words.
    pub fn parse(bytes: &[u8]) -> Result<Card, String> {
        let card: Card = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if card.schema != SCHEMA {
            return Err(format!(
                "schema version {}, this build reads {SCHEMA}",
                card.schema
            ));
        }
        card.check()?;
        Ok(card)
    }

    /// Whether its texts can be shown in a list.
    ///
    /// # Errors
    /// If one is too long, has control characters, or the domain is more than a word.
    pub fn check(&self) -> Result<(), String> {
        let licence = self.licence.as_deref().unwrap_or_default();
        let base = self.base_model.as_ref();
        let base_name = base
            .and_then(|base| base.name.as_deref())
            .unwrap_or_default();
        for (field, text, longest) in [
            ("name", self.name.as_str(), LONGEST_LINE),
            ("domain", &self.domain, LONGEST_WORD),
            ("licence", licence, LONGEST_LINE),
            ("base_model", base_name, LONGEST_LINE),
            ("description", &self.description, LONGEST_TEXT),
        ] {
            let chars = text.chars().count();
            if chars > longest {
                return Err(format!(
                    "`{field}` has {chars} characters, expected at most {longest}"
                ));
            }
            if text.chars().any(char::is_control) {
                return Err(format!(
                    "`{field}` has control characters, expected one line of text"
                ));
            }
        }
        match self.domain.contains(char::is_whitespace) {
            true => Err(format!("`domain` is `{}`, expected one word", self.domain)),
            false => Ok(()),
        }
    }

    /// As it travels in a pack: without where and when it was installed here.
    pub fn for_pack(&self, id: &str) -> Card {
        Card {
            id: id.to_owned(),
            installed: None,
            ..self.clone()
        }
    }

    /// Its bytes; the same card gives the same ones.
    pub fn to_bytes(&self) -> Vec<u8> {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        format!("{text}\n").into_bytes()
    }

    /// Writes the card into a folder.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn write(&self, folder: &Path) -> Result<(), EngineError> {
        write_atomically(&folder.join(CARD), &self.to_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::Card;

    #[test]
    fn a_card_may_leave_out_everything_but_its_schema() {
        let card = Card::parse(br#"{"schema": 1, "later": true}"#);
        assert_eq!(card, Ok(Card::default()));
    }

    #[test]
    fn texts_that_no_list_could_show_are_refused() {
        let long = format!(r#"{{"schema": 1, "name": "{}"}}"#, "x".repeat(201));
        for (bytes, expected) in [
            (r#"{"schema": 2}"#, "schema version 2, this build reads 1"),
            (r#"{"name": "x"}"#, "missing field `schema`"),
            (
                r#"{"schema": 1, "domain": "two words"}"#,
                "expected one word",
            ),
            (
                r#"{"schema": 1, "name": "\u001b[2J"}"#,
                "control characters",
            ),
            (&long, "`name` has 201 characters, expected at most 200"),
        ] {
            let error = Card::parse(bytes.as_bytes()).expect_err(expected);
            assert!(error.contains(expected), "{error}");
        }
    }
}
