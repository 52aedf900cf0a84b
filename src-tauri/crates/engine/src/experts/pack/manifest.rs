//! `manifest.json`: every file of a pack, with its size and hash.

use super::super::contents::{CONTENTS, find};
use super::super::id::shown;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Its name in the pack.
pub(super) const MANIFEST: &str = "manifest.json";
/// The largest it may be.
pub(super) const MOST_BYTES: u64 = 64 << 10;
/// The format this build reads and writes.
const FORMAT: u32 = 1;

/// What a pack holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    format: u32,
    /// Version of the adapter.
    pub generation: String,
    /// Every file but this one.
    pub files: Vec<PackedFile>,
}

/// One file of a pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PackedFile {
    /// Its name.
    pub path: String,
    /// Its bytes.
    pub size: u64,
    /// Hash of its content, in lower-case hexadecimal.
    pub sha256: String,
}

impl Manifest {
    /// A manifest of this build's format.
    pub fn new(generation: String, files: Vec<PackedFile>) -> Manifest {
        Manifest {
            format: FORMAT,
            generation,
            files,
        }
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// What it holds and what it should: it is none, of another format, or its files are not an expert's.
    pub fn parse(bytes: &[u8]) -> Result<Manifest, (String, String)> {
        let manifest: Manifest = serde_json::from_slice(bytes).map_err(|error| {
            let found = format!("`{MANIFEST}`: {error}");
            (found, "the list of the pack's files".to_owned())
        })?;
        if manifest.format != FORMAT {
            let found = format!("a pack of format {}", manifest.format);
            return Err((found, format!("format {FORMAT}, which this build reads")));
        }
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), (String, String)> {
        let mut seen = BTreeSet::new();
        for file in &self.files {
            let path = shown(&file.path);
            let Some(content) = find(&file.path) else {
                return Err((format!("`{path}` in `{MANIFEST}`"), expected_names()));
            };
            if !seen.insert(content.name) {
                return Err((format!("`{path}` twice in `{MANIFEST}`"), "it once".into()));
            }
            if file.size > content.most_bytes {
                return Err((
                    format!("`{path}` of {} B", file.size),
                    format!("at most {} B", content.most_bytes),
                ));
            }
        }
        match CONTENTS
            .iter()
            .find(|content| content.required && !seen.contains(content.name))
        {
            Some(missing) => Err((
                format!("no `{}` in `{MANIFEST}`", missing.name),
                "a whole adapter".into(),
            )),
            None => Ok(()),
        }
    }
}

/// The names a pack may hold, for messages.
pub(super) fn expected_names() -> String {
    let names = CONTENTS.iter().map(|content| format!("`{}`", content.name));
    format!("only {}", names.collect::<Vec<_>>().join(", "))
}
