//! Compares model folders with their records: quickly for the list, byte by byte for `verify`.

use super::Located;
use super::Shelf;
use super::hash::hashed;
use super::record::{FILE, Record};
use crate::api::{FileCheck, FileRecord, ModelEntry, ModelReport, ModelState, Verification};
use crate::cancel::Cancel;
use crate::error::EngineError;
use crate::folders::size_of;
use crate::inspect::shape_of;
use std::path::Path;

/// How a folder below `models/` is listed; nothing for a folder that is being deleted.
pub(super) fn entry(folder: &Path) -> Option<ModelEntry> {
    let name = folder.file_name()?.to_string_lossy().into_owned();
    if name.ends_with(".removed") || name.starts_with('.') {
        return None;
    }
    let mut entry = ModelEntry {
        name,
        state: ModelState::Ready,
        active: false,
        built_in: false,
        source: String::new(),
        revision: None,
        licence: None,
        size_bytes: size_of(folder),
        path: folder.to_owned(),
    };
    match Record::read(folder) {
        Err(_) if !folder.join(FILE).exists() => {
            entry.state = ModelState::Broken {
                reason: format!("no `{FILE}`: these files were not put here by r3mes"),
            };
        }
        Err(error) => {
            entry.state = ModelState::Broken {
                reason: error.report(),
            };
        }
        Ok(record) => {
            if let Some(reason) = first_problem(folder, &record) {
                entry.state = ModelState::Broken { reason };
            }
            entry.source = record.source.clone();
            entry.revision = record.revision.clone();
            entry.licence = record.licence.clone();
            entry.size_bytes = record.size_bytes();
        }
    }
    Some(entry)
}

/// The first file that is missing or has another size than recorded.
pub(super) fn first_problem(folder: &Path, record: &Record) -> Option<String> {
    record
        .files
        .iter()
        .find_map(|file| size_problem(folder, file))
}

fn size_problem(folder: &Path, file: &FileRecord) -> Option<String> {
    match std::fs::metadata(folder.join(&file.path)) {
        Ok(found) if found.len() == file.size => None,
        Ok(found) => Some(format!(
            "`{}` has {} B, its record says {} B",
            file.path,
            found.len(),
            file.size
        )),
        Err(_) => Some(format!("`{}` is missing", file.path)),
    }
}

/// Reads every byte again. Nothing when it was cancelled.
pub(super) fn verify(
    shelf: Shelf,
    entry: &ModelEntry,
    cancel: &Cancel,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Option<Verification>, EngineError> {
    let mut verification = Verification {
        name: entry.name.clone(),
        ok: false,
        files: Vec::new(),
        error: None,
    };
    let record = match Record::read(&entry.path) {
        Ok(record) => record,
        Err(error) => {
            verification.error = Some(error.report());
            return Ok(Some(verification));
        }
    };
    let total = record.size_bytes();
    let mut done = 0;
    for file in &record.files {
        let mut problem = size_problem(&entry.path, file);
        if problem.is_none() {
            let path = entry.path.join(&file.path);
            let mut read = done;
            let mut each = |piece: &[u8]| {
                read += piece.len() as u64;
                progress(read, total);
                Ok(())
            };
            let hash = hashed(&path, cancel, &mut each).map_err(EngineError::io("read", &path))?;
            match hash {
                None => return Ok(None),
                Some(hash) if hash != file.sha256 => {
                    problem = Some(format!(
                        "its sha256 is {hash}, its record says {}",
                        file.sha256
                    ));
                }
                Some(_) => {}
            }
        }
        done += file.size;
        verification.files.push(FileCheck {
            path: file.path.clone(),
            size: file.size,
            problem,
        });
    }
    let all_good = verification.files.iter().all(|file| file.problem.is_none());
    if all_good && let Err(error) = shelf.check(&record.entry_path(&entry.path)) {
        verification.error = Some(error.report());
    }
    verification.ok = all_good && verification.error.is_none();
    Ok(Some(verification))
}

/// What `model info` tells of an installed model, broken or not.
pub(super) fn report(mut entry: ModelEntry, located: Result<Located, EngineError>) -> ModelReport {
    let files = Record::read(&entry.path).map_or(Vec::new(), |record| record.files);
    let shape = located.and_then(|located| shape_of(&located.path));
    if let (ModelState::Ready, Err(error)) = (&entry.state, &shape) {
        entry.state = ModelState::Broken {
            reason: error.report(),
        };
    }
    ModelReport {
        entry,
        shape: shape.ok(),
        files,
    }
}

/// What `model info` tells of a folder or file that is not installed.
pub(super) fn report_path(path: &Path) -> Result<ModelReport, EngineError> {
    let shape = shape_of(path)?;
    let size_bytes = match path.is_dir() {
        true => size_of(path),
        false => std::fs::metadata(path).map_or(0, |found| found.len()),
    };
    Ok(ModelReport {
        entry: ModelEntry {
            name: path.display().to_string(),
            state: ModelState::Ready,
            active: false,
            built_in: false,
            source: format!("file:{}", path.display()),
            revision: None,
            licence: None,
            size_bytes,
            path: path.to_owned(),
        },
        shape: Some(shape),
        files: Vec::new(),
    })
}
