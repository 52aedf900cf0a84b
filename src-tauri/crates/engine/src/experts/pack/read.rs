//! From a pack of anybody's making to files in one folder.

use super::super::contents::{CONFIG, WEIGHTS, find};
use super::super::hash;
use super::super::hold::Hold;
use super::super::id::shown;
use super::manifest::{MANIFEST, MOST_BYTES, Manifest, PackedFile, expected_names};
use crate::cancel::Cancel;
use crate::catalogue::hex;
use crate::error::EngineError;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use zip::read::ZipFile;
use zip::{CompressionMethod, ZipArchive};

/// Most entries a pack may have: the manifest and every file an expert may have.
const MOST_ENTRIES: usize = 7;
/// Numbers never become this many times smaller; a bomb does.
const MOST_RATIO: u64 = 200;
/// Below this size a ratio says nothing.
const SMALL_BYTES: u64 = 1 << 20;
/// The kind of file in a Unix mode, and the value that is a plain file.
const KIND: u32 = 0o170_000;
const PLAIN: u32 = 0o100_000;
/// Bytes inflated between two looks at the cancel flag.
const PIECE: usize = 1 << 18;

/// What is wrong with a pack: what it holds, what it should.
type Wrong = (String, String);

/// Writes the files of a pack into a folder; tells whether it was done, or cancelled.
///
/// # Errors
/// If it is no pack, holds anything but an expert's files, holds them damaged, or the disk is too small.
pub(in super::super) fn unpack(
    pack: &Path,
    into: &Path,
    hold: &Hold,
    cancel: &Cancel,
) -> Result<bool, EngineError> {
    let refuse = |(found, expected): Wrong| EngineError::BadExpert {
        path: pack.to_owned(),
        found,
        expected,
    };
    let file = File::open(pack).map_err(EngineError::io("open", pack))?;
    let mut zip = ZipArchive::new(file).map_err(|error| {
        refuse((
            format!("no whole archive ({error})"),
            "a folder with an adapter or a `.r3mes-expert` pack".into(),
        ))
    })?;
    let manifest = check_entries(&mut zip).map_err(refuse)?;
    hold.reserve(manifest.files.iter().map(|file| file.size).sum())?;
    for file in &manifest.files {
        let to = into.join(&file.path);
        let mut target = File::create_new(&to).map_err(EngineError::io("write", &to))?;
        match inflate(&mut zip, file, &mut target, cancel) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(Failed::Pack(wrong)) => return Err(refuse(wrong)),
            Err(Failed::Disk(error)) => return Err(EngineError::io("write", &to)(error)),
        }
        target.sync_all().map_err(EngineError::io("write", &to))?;
    }
    check_generation(&manifest).map_err(refuse)?;
    Ok(true)
}

/// Looks at every entry before anything is inflated, and reads the manifest.
fn check_entries(zip: &mut ZipArchive<File>) -> Result<Manifest, Wrong> {
    if zip.has_duplicate_names() {
        return Err(wrong("two files of one name", "each once"));
    }
    if zip.len() > MOST_ENTRIES {
        return Err(wrong(format!("{} files", zip.len()), expected_names()));
    }
    let mut names = Vec::new();
    for index in 0..zip.len() {
        let entry = zip.by_index_raw(index).map_err(|error| damaged(&error))?;
        names.push(check_entry(&entry)?);
    }
    if zip
        .has_overlapping_entries()
        .map_err(|error| damaged(&error))?
    {
        return Err(wrong(
            "files that share their bytes",
            "each with bytes of its own",
        ));
    }
    if !names.iter().any(|name| name == MANIFEST) {
        return Err(wrong(
            format!("no `{MANIFEST}`"),
            "the list of the pack's files",
        ));
    }
    let manifest = Manifest::parse(&read_manifest(zip)?)?;
    let packed = |name: &String| manifest.files.iter().any(|file| file.path == *name);
    if let Some(stray) = names.iter().find(|name| *name != MANIFEST && !packed(name)) {
        return Err(wrong(
            format!("`{stray}`, which `{MANIFEST}` does not name"),
            "only files it names",
        ));
    }
    match manifest
        .files
        .iter()
        .find(|file| !names.contains(&file.path))
    {
        Some(missing) => Err(wrong(
            format!("no `{}`", missing.path),
            format!("it, as `{MANIFEST}` says"),
        )),
        None => Ok(manifest),
    }
}

/// Whether an entry is a plain file of a name that an expert may have.
fn check_entry(entry: &ZipFile<'_, File>) -> Result<String, Wrong> {
    let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
    let told = shown(&name);
    let leaves = name.starts_with(['/', '\\'])
        || name.contains(':')
        || name.split(['/', '\\']).any(|part| part == "..");
    if leaves {
        return Err(wrong(
            format!("`{told}`, which leads out of the expert's folder"),
            expected_names(),
        ));
    }
    if name != MANIFEST && find(&name).is_none() {
        return Err(wrong(format!("`{told}`"), expected_names()));
    }
    let kind = entry.unix_mode().map_or(0, |mode| mode & KIND);
    if entry.is_symlink() || entry.is_dir() || !matches!(kind, 0 | PLAIN) {
        return Err(wrong(
            format!("`{told}`, which is a link or a folder"),
            "a file",
        ));
    }
    if entry.encrypted() {
        return Err(wrong(
            format!("`{told}`, which is encrypted"),
            "a file anybody can read",
        ));
    }
    if !matches!(
        entry.compression(),
        CompressionMethod::Stored | CompressionMethod::Deflated
    ) {
        return Err(wrong(
            format!("`{told}`, compressed with {}", entry.compression()),
            "stored or deflated",
        ));
    }
    check_ratio(&told, entry.size(), entry.compressed_size())?;
    Ok(name)
}

fn check_ratio(name: &str, size: u64, packed: u64) -> Result<(), Wrong> {
    match size > SMALL_BYTES && size / MOST_RATIO > packed {
        true => Err(wrong(
            format!("`{name}` of {packed} B that would become {size} B"),
            format!("numbers, which never become {MOST_RATIO} times smaller"),
        )),
        false => Ok(()),
    }
}

fn read_manifest(zip: &mut ZipArchive<File>) -> Result<Vec<u8>, Wrong> {
    let entry = zip.by_name(MANIFEST).map_err(|error| damaged(&error))?;
    let mut bytes = Vec::new();
    entry
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| damaged(&error))?;
    match bytes.len() as u64 > MOST_BYTES {
        true => Err(wrong(
            format!("a `{MANIFEST}` of more than {MOST_BYTES} B"),
            "the list of the pack's files",
        )),
        false => Ok(bytes),
    }
}

enum Failed {
    Pack(Wrong),
    Disk(std::io::Error),
}

/// Inflates one file, counting; tells whether it was done, or cancelled.
fn inflate(
    zip: &mut ZipArchive<File>,
    file: &PackedFile,
    target: &mut File,
    cancel: &Cancel,
) -> Result<bool, Failed> {
    let pack = |wrong: Wrong| Failed::Pack(wrong);
    let entry = zip.by_name(&file.path);
    let mut entry = entry.map_err(|error| pack(damaged(&error)))?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; PIECE];
    let mut done = 0;
    loop {
        if cancel.is_set() {
            return Ok(false);
        }
        let read = entry.read(&mut piece);
        let read = read.map_err(|error| {
            pack(wrong(
                format!("`{}` damaged after {done} B ({error})", file.path),
                "it whole",
            ))
        })?;
        if read == 0 {
            break;
        }
        done += read as u64;
        if done > file.size {
            return Err(pack(wrong(
                format!(
                    "`{}` with more than the {} B that `{MANIFEST}` says",
                    file.path, file.size
                ),
                "exactly those",
            )));
        }
        hash.update(&piece[..read]);
        target.write_all(&piece[..read]).map_err(Failed::Disk)?;
    }
    if done < file.size {
        return Err(pack(wrong(
            format!("`{}` with {done} B", file.path),
            format!("the {} B that `{MANIFEST}` says", file.size),
        )));
    }
    let found = hex(&hash.finalize());
    match found == file.sha256 {
        true => Ok(true),
        false => Err(pack(wrong(
            format!("`{}` with sha256 {found}", file.path),
            format!("{}, as `{MANIFEST}` says", shown(&file.sha256)),
        ))),
    }
}

/// Whether the version a pack says it is follows from its files.
fn check_generation(manifest: &Manifest) -> Result<(), Wrong> {
    let sha256 = |name: &str| {
        let file = manifest.files.iter().find(|file| file.path == name);
        file.map_or("", |file| file.sha256.as_str())
    };
    let found = hash::generation(sha256(CONFIG), sha256(WEIGHTS));
    match found == manifest.generation {
        true => Ok(()),
        false => Err(wrong(
            format!("generation `{}`", shown(&manifest.generation)),
            format!("`{found}`, which follows from its files"),
        )),
    }
}

fn damaged(error: &dyn std::fmt::Display) -> Wrong {
    wrong(format!("a damaged archive ({error})"), "a whole one")
}

fn wrong(found: impl Into<String>, expected: impl Into<String>) -> Wrong {
    (found.into(), expected.into())
}
