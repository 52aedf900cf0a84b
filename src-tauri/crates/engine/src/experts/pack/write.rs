//! From an installed expert to a pack.

use super::super::card::Card;
use super::super::contents::{CARD, CONFIG, CONTENTS, WEIGHTS};
use super::super::hash;
use super::super::stamp::FileStamp;
use super::manifest::{MANIFEST, Manifest, PackedFile};
use crate::catalogue::hex;
use crate::error::EngineError;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// From this size on an entry needs the larger form of the format.
const LARGE: u64 = u32::MAX as u64;

/// A file as it goes into the pack.
struct Source {
    packed: PackedFile,
    content: Content,
}

enum Content {
    Bytes(Vec<u8>),
    File(PathBuf, FileStamp),
}

/// Writes the expert in `folder` as a pack; gives its bytes. An older file of that name is replaced when the new one is whole.
///
/// # Errors
/// If a file of it is missing or changes meanwhile, or the pack cannot be written.
pub(in super::super) fn write(
    folder: &Path,
    id: &str,
    card: &Card,
    to: &Path,
) -> Result<u64, EngineError> {
    let sources = sources(folder, card)?;
    let sha256 = |name: &str| {
        let source = sources.iter().find(|source| source.packed.path == name);
        source.map_or("", |source| source.packed.sha256.as_str())
    };
    let generation = hash::generation(sha256(CONFIG), sha256(WEIGHTS));
    let files = sources.iter().map(|source| source.packed.clone()).collect();
    let manifest = Manifest::new(generation, files);
    let manifest = serde_json::to_vec_pretty(&manifest).unwrap_or_default();

    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(parent).map_err(EngineError::io("write into", parent))?;
    let written = fill(file.as_file_mut(), &manifest, &sources)
        .and_then(|()| file.as_file().sync_all())
        .and_then(|()| Ok(file.as_file().metadata()?.len()));
    let bytes = written.map_err(EngineError::io("write", to))?;
    for source in &sources {
        if let Content::File(path, before) = &source.content {
            let after = FileStamp::of(path).map_err(EngineError::io("read", path))?;
            if *before != after {
                return Err(EngineError::ExpertChanging { id: id.to_owned() });
            }
        }
    }
    allow_reading(file.path());
    file.persist(to)
        .map_err(|error| EngineError::io("write", to)(error.error))?;
    Ok(bytes)
}

fn sources(folder: &Path, card: &Card) -> Result<Vec<Source>, EngineError> {
    let mut sources = Vec::new();
    for content in CONTENTS {
        let path = folder.join(content.name);
        let source = if content.name == CARD {
            let bytes = card.to_bytes();
            let sha256 = hex(&Sha256::digest(&bytes));
            (bytes.len() as u64, sha256, Content::Bytes(bytes))
        } else if path.exists() {
            let stamp = FileStamp::of(&path).map_err(EngineError::io("read", &path))?;
            let sha256 = hash::of_file(&path).map_err(EngineError::io("read", &path))?;
            (stamp.size, sha256, Content::File(path, stamp))
        } else {
            continue;
        };
        let (size, sha256, bytes) = source;
        sources.push(Source {
            packed: PackedFile {
                path: content.name.to_owned(),
                size,
                sha256,
            },
            content: bytes,
        });
    }
    Ok(sources)
}

fn fill(file: &mut File, manifest: &[u8], sources: &[Source]) -> io::Result<()> {
    let mut zip = ZipWriter::new(file);
    let options = |size: u64| {
        SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644)
            .large_file(size >= LARGE)
    };
    zip.start_file(MANIFEST, options(manifest.len() as u64))?;
    zip.write_all(manifest)?;
    for source in sources {
        zip.start_file(&source.packed.path, options(source.packed.size))?;
        match &source.content {
            Content::Bytes(bytes) => zip.write_all(bytes)?,
            Content::File(path, _) => {
                io::copy(&mut File::open(path)?, &mut zip)?;
            }
        }
    }
    zip.finish()?;
    Ok(())
}

/// A temporary file is for its owner's eyes only; a pack is made to be given away.
#[cfg(unix)]
fn allow_reading(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    // A file system without permissions needs none.
    let _unsupported = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644));
}

#[cfg(not(unix))]
fn allow_reading(_: &Path) {}
