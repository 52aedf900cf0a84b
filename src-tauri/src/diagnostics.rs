//! What helps to find a defect, in one file that a person may look through and send: the log, the machine, the list of
//! models. No conversation, no prompt, no name of the person, the machine or a folder.

use crate::backup::whole_file;
use crate::desk::{Desk, Failure};
use crate::redact::Redactor;
use r3mes_engine::Settings;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The end of a log is what matters; more of it is left out.
const MOST_LOG_BYTES: usize = 1 << 20;

/// Writes the file.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn write(desk: &Desk, path: &Path) -> Result<(), Failure> {
    let home = desk.engine.settings().home.clone();
    let redactor = Redactor::here(&home.path);
    let mut files = vec![
        ("machine.json".to_owned(), pretty(&desk.engine.doctor())),
        (
            "settings.json".to_owned(),
            pretty(&Settings::values(&home).unwrap_or_default()),
        ),
        ("models.json".to_owned(), pretty(&models(desk))),
        ("jobs.json".to_owned(), pretty(&desk.jobs.list())),
    ];
    files.extend(logs(&home.logs()));
    whole_file(path, |file| {
        let mut zip = ZipWriter::new(file);
        for (name, text) in &files {
            zip.start_file(name.as_str(), SimpleFileOptions::default())?;
            zip.write_all(redactor.redact(text).as_bytes())?;
        }
        zip.finish()?;
        Ok(())
    })?;
    Ok(())
}

fn pretty(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|error| error.to_string())
}

fn models(desk: &Desk) -> Value {
    let models = desk.engine.models();
    match models.list(Some(&desk.active_model())) {
        Ok(list) => {
            json!({"installed": list, "unfinished": models.unfinished().ok(), "loaded": desk.engine.loaded()})
        }
        Err(error) => json!({"error": error.report()}),
    }
}

fn logs(folder: &Path) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<(String, String)> = entries
        .filter_map(|entry| {
            let bytes = std::fs::read(entry.path()).ok()?;
            let end = &bytes[bytes.len().saturating_sub(MOST_LOG_BYTES)..];
            let name = entry.file_name().to_string_lossy().into_owned();
            Some((
                format!("logs/{name}"),
                String::from_utf8_lossy(end).into_owned(),
            ))
        })
        .collect();
    found.sort();
    found
}
