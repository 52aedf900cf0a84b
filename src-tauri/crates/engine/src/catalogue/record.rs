//! `r3mes-model.json`: what belongs in a model's folder.

use super::hash::hex;
use crate::api::FileRecord;
use crate::error::EngineError;
use crate::folders::write_atomically;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::{Component, Path, PathBuf};

/// The record's file name in a model's folder.
pub(crate) const FILE: &str = "r3mes-model.json";
/// The schema this build reads and writes.
const SCHEMA: u32 = 1;

/// What belongs in a model's folder, written last, when everything else is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    schema: u32,
    /// The installed name.
    pub name: String,
    /// `hub:<owner>/<name>`, `file:<path>` or `builtin`.
    pub source: String,
    /// The version at the source.
    pub revision: Option<String>,
    /// The licence its source states.
    pub licence: Option<String>,
    /// Every file but this one.
    pub files: Vec<FileRecord>,
}

impl Record {
    /// A record of this build's schema.
    pub fn new(
        name: String,
        source: String,
        revision: Option<String>,
        licence: Option<String>,
        files: Vec<FileRecord>,
    ) -> Record {
        Record {
            schema: SCHEMA,
            name,
            source,
            revision,
            licence,
            files,
        }
    }

    /// Reads the record of a model's folder.
    ///
    /// # Errors
    /// If it is missing, is not such a record, is of another schema, or names a file outside the folder.
    pub fn read(folder: &Path) -> Result<Record, EngineError> {
        let path = folder.join(FILE);
        let bytes = std::fs::read(&path).map_err(EngineError::io("read", &path))?;
        let refuse = |reason: String| EngineError::Unreadable {
            path: path.clone(),
            reason,
        };
        let record: Record =
            serde_json::from_slice(&bytes).map_err(|error| refuse(error.to_string()))?;
        if record.schema != SCHEMA {
            return Err(refuse(format!(
                "schema version {}, this build reads {SCHEMA}",
                record.schema
            )));
        }
        match record.files.iter().find(|file| !is_inside(&file.path)) {
            Some(file) => Err(refuse(format!(
                "file name `{}`, expected a path inside the model's folder",
                file.path
            ))),
            None => Ok(record),
        }
    }

    /// Writes the record into a model's folder.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn write(&self, folder: &Path) -> Result<(), EngineError> {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        write_atomically(&folder.join(FILE), text.as_bytes())
    }

    /// What the reader of models opens: the `.gguf` file when there is one, otherwise the folder.
    pub fn entry_path(&self, folder: &Path) -> PathBuf {
        let gguf = self.files.iter().find(|file| file.path.ends_with(".gguf"));
        gguf.map_or(folder.to_owned(), |file| folder.join(&file.path))
    }

    /// A hash over the hashes of the weight files; nothing when there are none.
    pub fn weights_hash(&self) -> Option<String> {
        let is_weights = |path: &str| path.ends_with(".safetensors") || path.ends_with(".gguf");
        let files = self.files.iter().filter(|file| is_weights(&file.path));
        let mut lines: Vec<String> = files
            .map(|file| format!("{} {}\n", file.sha256, file.path))
            .collect();
        lines.sort();
        let hash = Sha256::digest(lines.concat());
        (!lines.is_empty()).then(|| format!("sha256:{}", hex(&hash)))
    }

    /// Bytes of all files.
    pub fn size_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }
}

/// Whether a relative path with `/` stays inside its folder on every system.
pub(crate) fn is_inside(path: &str) -> bool {
    let plain = Path::new(path)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    let odd = |c: char| matches!(c, '\\' | ':' | '\0') || c.is_control();
    let empty_part = path
        .split('/')
        .any(|part| part.is_empty() || part.starts_with('.'));
    !path.is_empty() && path.len() <= 255 && plain && !empty_part && !path.contains(odd)
}

#[cfg(test)]
mod tests {
    use super::is_inside;

    #[test]
    fn only_paths_inside_the_folder_are_accepted() {
        for bad in [
            "",
            "/etc/passwd",
            "../x",
            "a/../x",
            "a//x",
            "C:x",
            "a\\x",
            ".hidden",
            "a/./x",
            "x\0",
        ] {
            assert!(!is_inside(bad), "{bad:?}");
        }
        for good in [
            "config.json",
            "gguf/model-q.gguf",
            "model-00001-of-00002.safetensors",
        ] {
            assert!(is_inside(good), "{good:?}");
        }
    }
}
