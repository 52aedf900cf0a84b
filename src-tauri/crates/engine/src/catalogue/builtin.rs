//! The model inside the program: listed always, unpacked when it is first used.
//!
//! Its revision is the hash of its files, so a newer program unpacks its own model again and a damaged copy is replaced.

use super::hash::hex;
use super::record::Record;
use super::{BUILTIN, Shelf, check};
use crate::api::{FileRecord, ModelEntry, ModelState};
use crate::error::EngineError;
use crate::folders::{Home, sync_folder};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

include!(concat!(env!("OUT_DIR"), "/builtin_files.rs"));

/// How the built-in model is listed, whether it is unpacked or not.
pub(super) fn entry(home: &Home) -> ModelEntry {
    ModelEntry {
        name: BUILTIN.into(),
        state: match FILES {
            [] => ModelState::Broken {
                reason: "this program was built without a built-in model".into(),
            },
            _ => ModelState::Ready,
        },
        active: false,
        built_in: true,
        source: "builtin".into(),
        revision: Some(record().revision.clone().unwrap_or_default()),
        licence: Some("Apache-2.0".into()),
        size_bytes: FILES.iter().map(|(_, bytes)| bytes.len() as u64).sum(),
        path: folder(home),
    }
}

/// Makes sure the built-in model is unpacked and tells where.
///
/// # Errors
/// If this program has none, or the data folder cannot be written.
pub(super) fn unpack(home: &Home) -> Result<PathBuf, EngineError> {
    if FILES.is_empty() {
        return Err(EngineError::BrokenModel {
            shelf: Shelf::Models,
            name: BUILTIN.into(),
            reason: "this program was built without one".into(),
            hint: "`r3mes model pull REPO` fetches a model, `--model PATH` names one you have"
                .into(),
        });
    }
    let folder = folder(home);
    let wanted = record();
    if is_unpacked(&folder, wanted) {
        return Ok(folder);
    }
    let models = home.models();
    std::fs::create_dir_all(&models).map_err(EngineError::io("make the folder", &models))?;
    let fresh = tempfile::Builder::new()
        .prefix("builtin-")
        .suffix(".partial")
        .tempdir_in(&models)
        .map_err(EngineError::io("write into", &models))?;
    for (name, bytes) in FILES {
        let path = fresh.path().join(name);
        write(&path, bytes).map_err(EngineError::io("write", &path))?;
    }
    wanted.write(fresh.path())?;
    replace(fresh, &folder, wanted)?;
    sync_folder(&models);
    Ok(folder)
}

/// Puts the fresh copy where the old one was. Another process may have done the same a moment ago: then its copy stays.
fn replace(fresh: tempfile::TempDir, folder: &Path, wanted: &Record) -> Result<(), EngineError> {
    let fresh = fresh.keep();
    for _ in 0..3 {
        if folder.exists() && !is_unpacked(folder, wanted) {
            // A half-deleted old copy is damaged too, and the next pass deletes the rest.
            let _gone_or_not = std::fs::remove_dir_all(folder);
        }
        match std::fs::rename(&fresh, folder) {
            Ok(()) => return Ok(()),
            Err(_) if is_unpacked(folder, wanted) => {
                return std::fs::remove_dir_all(&fresh).map_err(EngineError::io("delete", &fresh));
            }
            Err(_) => {}
        }
    }
    std::fs::rename(&fresh, folder).map_err(EngineError::io("unpack the built-in model to", folder))
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let mut file = std::fs::File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn is_unpacked(folder: &Path, wanted: &Record) -> bool {
    Record::read(folder).is_ok_and(|found| found == *wanted)
        && check::first_problem(folder, wanted).is_none()
}

fn folder(home: &Home) -> PathBuf {
    home.models().join(BUILTIN)
}

/// What belongs in its folder; hashed once, since it cannot change while the program runs.
fn record() -> &'static Record {
    static RECORD: LazyLock<Record> = LazyLock::new(hashed_record);
    &RECORD
}

fn hashed_record() -> Record {
    let files: Vec<FileRecord> = FILES
        .iter()
        .map(|(name, bytes)| FileRecord {
            path: (*name).to_owned(),
            size: bytes.len() as u64,
            sha256: hex(&Sha256::digest(bytes)),
        })
        .collect();
    let mut whole = Sha256::new();
    for file in &files {
        whole.update(format!("{} {}\n", file.sha256, file.path));
    }
    let revision = format!("sha256:{}", hex(&whole.finalize()));
    Record::new(
        BUILTIN.into(),
        "builtin".into(),
        Some(revision),
        Some("Apache-2.0".into()),
        files,
    )
}
