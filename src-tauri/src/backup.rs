//! Everything a person made (conversations, presets, settings) as one file, and back.

use crate::desk::{Desk, Failure};
use r3mes_engine::{Home, Settings, SettingsLock};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use tempfile::NamedTempFile;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

const FORMAT: u32 = 1;
const MANIFEST: &str = "r3mes-backup.json";
const DATABASE: &str = "r3mes.sqlite";
const SETTINGS: &str = "settings.json";
/// More text than a person writes in a life; a file that says it holds more is no backup.
const MOST_DATABASE_BYTES: u64 = 16 << 30;
const MOST_TEXT_BYTES: u64 = 1 << 20;

/// What the file says of itself.
#[derive(Serialize, Deserialize)]
struct Manifest {
    format: u32,
    version: String,
}

/// Writes a backup; its size in bytes. An older file of that name is replaced when the new one is whole.
///
/// # Errors
/// If the store cannot be copied or the file cannot be written.
pub(crate) fn write(desk: &Desk, path: &Path) -> Result<u64, Failure> {
    let home = desk.engine.settings().home.clone();
    let copies = tempfile::tempdir_in(&home.path).map_err(said("write into the data folder"))?;
    let database = copies.path().join(DATABASE);
    desk.store.backup(&database)?;
    let manifest = Manifest {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").into(),
    };
    let manifest = serde_json::to_vec_pretty(&manifest).unwrap_or_default();
    let settings = {
        let _held = SettingsLock::hold(&home)?;
        text_of(&Settings::values(&home)?)
    };
    whole_file(path, |file| {
        let mut zip = ZipWriter::new(file);
        // A database beyond 4 GiB needs the larger form of the format.
        let options = SimpleFileOptions::default().large_file(true);
        zip.start_file(MANIFEST, options)?;
        zip.write_all(&manifest)?;
        zip.start_file(SETTINGS, options)?;
        zip.write_all(settings.as_bytes())?;
        zip.start_file(DATABASE, options)?;
        std::io::copy(&mut File::open(&database)?, &mut zip)?;
        zip.finish()?;
        Ok(())
    })
}

/// Replaces conversations, presets and settings by those of a backup. Everything in it is checked before anything changes.
///
/// # Errors
/// If it is not a backup, is damaged or newer than this program, or the data folder cannot be written.
pub(crate) fn restore(desk: &Desk, path: &Path) -> Result<(), Failure> {
    let home = desk.engine.settings().home.clone();
    let file = File::open(path).map_err(said("open the backup"))?;
    let mut zip = ZipArchive::new(file).map_err(|_| no_backup("it is no archive"))?;
    let manifest: Manifest = serde_json::from_str(&text(&mut zip, MANIFEST)?)
        .map_err(|_| no_backup("its description cannot be read"))?;
    if manifest.format > FORMAT {
        return Err(no_backup(&format!(
            "it is of the newer version {}; this is {}",
            manifest.version,
            env!("CARGO_PKG_VERSION")
        )));
    }
    let settings: Map<String, Value> = serde_json::from_str(&text(&mut zip, SETTINGS)?)
        .map_err(|_| no_backup("its settings cannot be read"))?;
    Settings::check(&home, &settings)?;
    let copies = tempfile::tempdir_in(&home.path).map_err(said("write into the data folder"))?;
    let database = copies.path().join(DATABASE);
    unpack(&mut zip, &database)?;
    desk.store.restore_backup(&database)?;
    put_settings(&home, &settings)?;
    desk.engine.read_settings_again()?;
    tracing::info!("a backup was restored");
    Ok(())
}

fn put_settings(home: &Home, settings: &Map<String, Value>) -> Result<(), Failure> {
    let _held = SettingsLock::hold(home)?;
    let text = text_of(settings);
    whole_file(&home.settings(), |file| {
        file.write_all(text.as_bytes())?;
        Ok(())
    })?;
    Ok(())
}

fn text_of(values: &Map<String, Value>) -> String {
    format!("{:#}\n", Value::Object(values.clone()))
}

fn text(zip: &mut ZipArchive<File>, name: &str) -> Result<String, Failure> {
    let entry = zip
        .by_name(name)
        .map_err(|_| no_backup(&format!("`{name}` is missing")))?;
    let mut text = String::new();
    entry
        .take(MOST_TEXT_BYTES)
        .read_to_string(&mut text)
        .map_err(|_| no_backup(&format!("`{name}` is damaged")))?;
    Ok(text)
}

fn unpack(zip: &mut ZipArchive<File>, to: &Path) -> Result<(), Failure> {
    let entry = zip
        .by_name(DATABASE)
        .map_err(|_| no_backup("the conversations are missing"))?;
    let said_bytes = entry.size();
    if said_bytes > MOST_DATABASE_BYTES {
        return Err(no_backup("its conversations are larger than any could be"));
    }
    let mut file = File::create(to).map_err(said("write into the data folder"))?;
    let copied = std::io::copy(&mut entry.take(MOST_DATABASE_BYTES), &mut file)
        .map_err(|error| no_backup(&format!("the conversations are damaged: {error}")))?;
    match copied == said_bytes {
        true => Ok(()),
        false => Err(no_backup("the conversations are cut off")),
    }
}

/// Writes a file under a temporary name beside it and renames it when it is whole; its size.
pub(crate) fn whole_file(
    path: &Path,
    fill: impl FnOnce(&mut File) -> zip::result::ZipResult<()>,
) -> Result<u64, Failure> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let doing = format!("write `{}`", path.display());
    let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))
        .map_err(|error| Failure::new(format!("cannot {doing}: {error}")))?;
    let written = fill(file.as_file_mut())
        .and_then(|()| Ok(file.as_file().sync_all()?))
        .and_then(|()| Ok(file.as_file().metadata()?.len()));
    let bytes = written.map_err(|error| Failure::new(format!("cannot {doing}: {error}")))?;
    file.persist(path)
        .map_err(|error| Failure::new(format!("cannot {doing}: {}", error.error)))?;
    Ok(bytes)
}

fn said(doing: &'static str) -> impl Fn(std::io::Error) -> Failure {
    move |error| Failure::new(format!("cannot {doing}: {error}"))
}

fn no_backup(reason: &str) -> Failure {
    Failure::refused(format!(
        "the file is no backup that can be restored: {reason}"
    ))
}
