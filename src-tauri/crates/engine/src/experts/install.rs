//! From a folder or a pack to an installed expert: put together out of sight, checked, then named by one rename.

use super::adapter::{AdapterShape, verify};
use super::base::{Base, same_base};
use super::card::{BaseModel, Card, Installed, InstalledFile};
use super::contents::{CARD, CONFIG, CONTENTS, WEIGHTS};
use super::hold::Hold;
use super::id::{self, known_domain};
use super::shelf::Shelf;
use super::stamp::FileStamp;
use super::{evaluation, examples, folder, hash, pack};
use crate::api::ExpertImport;
use crate::cancel::Cancel;
use crate::error::EngineError;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// The domain of an expert that states none.
const OWN_DOMAIN: &str = "own";

/// Installs the expert in a folder or pack and gives its id; nothing when it was cancelled. What it came from is not touched.
///
/// # Errors
/// If it is no expert that `base` could use, something in it is not allowed, its id is taken or cannot be made, or the disk is
/// too small. Nothing is installed then.
pub(crate) fn install(
    shelf: &Shelf,
    request: &ExpertImport,
    base: &Base,
    cancel: &Cancel,
) -> Result<Option<String>, EngineError> {
    if let Some(id) = &request.id {
        id::check(id)?;
    }
    let path =
        std::fs::canonicalize(&request.path).map_err(EngineError::io("open", &request.path))?;
    let Some(hold) = Hold::take(shelf, cancel)? else {
        return Ok(None);
    };
    let workspace = hold.workspace()?;
    let whole = match path.is_dir() {
        true => folder::copy(&path, workspace.path(), &hold, cancel)?,
        false => pack::unpack(&path, workspace.path(), &hold, cancel)?,
    };
    if !whole {
        return Ok(None);
    }
    let refuse = |found: String, expected: &str| EngineError::BadExpert {
        path: path.clone(),
        found,
        expected: expected.into(),
    };
    let mut card = Card::read(workspace.path())
        .map_err(|error| refuse(error_reason(&error), "a description this program reads"))?
        .unwrap_or_default();
    let id = choose_id(request, &card, &path)?;
    if shelf.has(&id) {
        return Err(taken(shelf, id));
    }
    examples::read(workspace.path())
        .map_err(|reason| refuse(reason, "one JSON object with `text` a line"))?;
    evaluation::read(workspace.path()).map_err(|reason| refuse(reason, "figures"))?;
    let mut keep_going = || !cancel.is_set();
    let verified = verify(workspace.path(), &id, &base.config, &mut keep_going);
    let unfit = |reason: String| EngineError::UnfitExpert {
        path: path.clone(),
        model: base.name.clone(),
        reason,
    };
    let Some(shape) = verified.map_err(unfit)? else {
        return Ok(None);
    };
    complete(&mut card, request, &id, shape);
    card.check()
        .map_err(|reason| refuse(reason, "texts that a list can show"))?;
    same_base(&card, base).map_err(|(found, expected)| refuse(found, &expected))?;
    card.installed = Some(installed(&path, workspace.path())?);
    card.write(workspace.path())?;
    hold.list(workspace, &id)?;
    shelf.forget(&id);
    Ok(Some(id))
}

fn choose_id(request: &ExpertImport, card: &Card, path: &Path) -> Result<String, EngineError> {
    if let Some(id) = &request.id {
        return Ok(id::check(id)?.to_owned());
    }
    if !card.id.is_empty() {
        return Ok(id::check(&card.id)?.to_owned());
    }
    let stem = match path.is_dir() {
        true => path.file_name(),
        false => path.file_stem(),
    };
    let stem = stem.unwrap_or_default().to_string_lossy();
    id::from_text(&stem).ok_or_else(|| EngineError::BadRequest {
        field: "id of an expert".into(),
        found: format!("none, and `{}` makes none", id::shown(&stem)),
        expected: "one with `--id`".into(),
    })
}

fn taken(shelf: &Shelf, id: String) -> EngineError {
    let folder = shelf.folder_of(&id);
    let card = Card::read(&folder).ok().flatten();
    let source = card.and_then(|card| card.installed).map(|from| from.source);
    EngineError::ExpertTaken {
        source_text: format!(
            "`{}`",
            source.unwrap_or_else(|| folder.display().to_string())
        ),
        id,
    }
}

/// What the person said, then what the card says, then what can be told.
fn complete(card: &mut Card, request: &ExpertImport, id: &str, shape: AdapterShape) {
    let said = |asked: &Option<String>, slot: &mut String| {
        if let Some(asked) = asked {
            slot.clone_from(asked);
        }
    };
    said(&request.name, &mut card.name);
    said(&request.domain, &mut card.domain);
    said(&request.description, &mut card.description);
    if request.licence.is_some() {
        card.licence.clone_from(&request.licence);
    }
    card.id = id.to_owned();
    if card.name.is_empty() {
        card.name = id.to_owned();
    }
    if card.domain.is_empty() {
        card.domain = known_domain(id).unwrap_or(OWN_DOMAIN).to_owned();
    }
    let base = card.base_model.get_or_insert_with(BaseModel::default);
    if base.name.is_none() {
        base.name = shape.base_model;
    }
    if *base == BaseModel::default() {
        card.base_model = None;
    }
}

fn installed(from: &Path, folder: &Path) -> Result<Installed, EngineError> {
    let mut files = Vec::new();
    for content in CONTENTS.iter().filter(|content| content.name != CARD) {
        let path = folder.join(content.name);
        if !path.exists() {
            continue;
        }
        let stamp = FileStamp::of(&path).map_err(EngineError::io("read", &path))?;
        files.push(InstalledFile {
            path: content.name.to_owned(),
            size: stamp.size,
            sha256: hash::of_file(&path).map_err(EngineError::io("read", &path))?,
            modified_ns: stamp.modified_ns,
        });
    }
    let of = |name: &str| {
        let file = files.iter().find(|file| file.path == name);
        file.map_or("", |file| file.sha256.as_str())
    };
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    Ok(Installed {
        source: format!("file:{}", from.display()),
        at_ms: since_1970.map_or(0, |time| time.as_millis() as u64),
        generation: hash::generation(of(CONFIG), of(WEIGHTS)),
        files,
    })
}

/// What is wrong with a file, without the temporary place it is at.
fn error_reason(error: &EngineError) -> String {
    match error {
        EngineError::Unreadable { path, reason } => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            format!("`{name}`: {reason}")
        }
        other => other.report(),
    }
}
