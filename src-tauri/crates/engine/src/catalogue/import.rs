//! Copies a model the person already has into the data folder.

use super::hash::hashed;
use super::name::folder_name_from;
use super::{Catalogue, EMBEDDER_FILES, Partial, Record, Shelf};
use crate::api::{FileRecord, PullEvent, PullOutcome};
use crate::cancel::Cancel;
use crate::error::EngineError;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

impl Catalogue {
    /// Copies the model in `path`, a folder in the Hub's layout or a `.gguf` file, or the embedder in a folder. The original
    /// is not touched.
    ///
    /// # Errors
    /// If it is not one this program can use, the name is taken, the disk is too small, or the system refuses.
    pub fn import(
        &self,
        path: &Path,
        name: Option<&str>,
        cancel: &Cancel,
        events: &mut dyn FnMut(PullEvent),
    ) -> Result<PullOutcome, EngineError> {
        let path = std::fs::canonicalize(path).map_err(EngineError::io("open", path))?;
        self.shelf().check(&path)?;
        let wanted = match self.shelf() {
            Shelf::Models => wanted_files(&path)?,
            Shelf::Embedders => embedder_files(&path)?,
        };
        let name = name.map_or_else(|| default_name(&path), str::to_owned);
        let partial = Partial::begin(self, &name)?;
        match copy_all(&partial, &wanted, cancel, events) {
            Ok(Some(files)) => {
                events(PullEvent::Checking);
                let source = format!("file:{}", path.display());
                let record = Record::new(name, source, None, None, files);
                partial.finish(&record).map(PullOutcome::Installed)
            }
            Ok(None) => {
                partial.discard();
                Ok(PullOutcome::Cancelled { kept_bytes: 0 })
            }
            Err(error) => {
                partial.discard();
                Err(error)
            }
        }
    }
}

/// A file to copy: where it is, its name in the model's folder, its bytes.
struct Wanted {
    from: PathBuf,
    name: String,
    size: u64,
}

fn wanted_files(path: &Path) -> Result<Vec<Wanted>, EngineError> {
    let wanted = |path: PathBuf| -> Result<Wanted, EngineError> {
        let size = std::fs::metadata(&path)
            .map_err(EngineError::io("read", &path))?
            .len();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Ok(Wanted {
            from: path,
            name,
            size,
        })
    };
    if path.is_file() {
        let mut file = wanted(path.to_owned())?;
        file.name = folder_name_from(&file.name);
        return Ok(vec![file]);
    }
    let entries = std::fs::read_dir(path).map_err(EngineError::io("read the folder", path))?;
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file() && belongs(path))
        .collect();
    files.sort();
    files.into_iter().map(wanted).collect()
}

fn embedder_files(folder: &Path) -> Result<Vec<Wanted>, EngineError> {
    let there = EMBEDDER_FILES
        .iter()
        .filter(|name| folder.join(name).is_file());
    let wanted = there.map(|name| {
        let from = folder.join(name);
        let size = std::fs::metadata(&from)
            .map_err(EngineError::io("read", &from))?
            .len();
        let name = (*name).to_owned();
        Ok(Wanted { from, name, size })
    });
    wanted.collect()
}

/// Whether a file beside a model is part of it.
fn belongs(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let kind = path.extension().unwrap_or_default().to_string_lossy();
    matches!(&*kind, "json" | "safetensors" | "jinja") && name != super::record::FILE
        || name.starts_with("LICENSE")
}

fn default_name(path: &Path) -> String {
    let stem = if path.is_file() {
        path.file_stem()
    } else {
        path.file_name()
    };
    folder_name_from(&stem.unwrap_or_default().to_string_lossy())
}

fn copy_all(
    partial: &Partial,
    wanted: &[Wanted],
    cancel: &Cancel,
    events: &mut dyn FnMut(PullEvent),
) -> Result<Option<Vec<FileRecord>>, EngineError> {
    let total_bytes = wanted.iter().map(|file| file.size).sum();
    partial.reserve(total_bytes)?;
    let started = Instant::now();
    let mut before = 0;
    let mut records = Vec::new();
    for file in wanted {
        let mut progress = |bytes: u64| {
            let done_bytes = before + bytes;
            let seconds = started.elapsed().as_secs_f64().max(1e-3);
            events(PullEvent::Progress {
                file: file.name.clone(),
                done_bytes,
                total_bytes,
                bytes_per_second: done_bytes as f64 / seconds,
                eta: None,
            });
        };
        let to = partial.folder().join(&file.name);
        if let Some(folder) = to.parent() {
            std::fs::create_dir_all(folder).map_err(EngineError::io("make the folder", folder))?;
        }
        match copy(&file.from, &to, cancel, &mut progress)
            .map_err(EngineError::io("copy", &file.from))?
        {
            None => return Ok(None),
            Some((size, sha256)) => records.push(FileRecord {
                path: file.name.clone(),
                size,
                sha256,
            }),
        }
        before += file.size;
    }
    Ok(Some(records))
}

fn copy(
    from: &Path,
    to: &Path,
    cancel: &Cancel,
    progress: &mut dyn FnMut(u64),
) -> std::io::Result<Option<(u64, String)>> {
    let mut target = File::create(to)?;
    let mut done = 0;
    let hash = hashed(from, cancel, &mut |piece| {
        target.write_all(piece)?;
        done += piece.len() as u64;
        progress(done);
        Ok(())
    })?;
    let Some(hash) = hash else {
        return Ok(None);
    };
    target.sync_all()?;
    Ok(Some((done, hash)))
}
