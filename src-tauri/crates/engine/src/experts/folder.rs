//! An expert in a folder, as PEFT or the R3MES trainer leaves it: what belongs to it is copied, the rest stays.

use super::contents::{CONTENTS, Content, LICENCE, WEIGHTS};
use super::hold::Hold;
use super::stamp::FileStamp;
use crate::cancel::Cancel;
use crate::error::EngineError;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Other names of the licence.
const LICENCES: [&str; 3] = ["LICENSE.txt", "LICENSE.md", "LICENCE"];
/// What old versions of PEFT wrote: a pickle, which runs code when it is read.
const PICKLE: &str = "adapter_model.bin";
/// Bytes copied between two looks at the cancel flag.
const PIECE: usize = 1 << 20;

/// Copies the expert's files; tells whether it was done, or cancelled.
///
/// # Errors
/// If one is missing, too large, changes while it is read, or the disk is too small.
pub(super) fn copy(
    from: &Path,
    into: &Path,
    hold: &Hold,
    cancel: &Cancel,
) -> Result<bool, EngineError> {
    let mut files = Vec::new();
    for content in CONTENTS {
        if let Some(path) = find(from, content)? {
            let stamp = FileStamp::of(&path).map_err(EngineError::io("read", &path))?;
            if stamp.size > content.most_bytes {
                return Err(EngineError::BadExpert {
                    path: from.to_owned(),
                    found: format!("`{}` of {} B", content.name, stamp.size),
                    expected: format!("at most {} B", content.most_bytes),
                });
            }
            files.push((path, into.join(content.name), stamp));
        }
    }
    hold.reserve(files.iter().map(|(_, _, stamp)| stamp.size).sum())?;
    for (path, to, before) in files {
        if !copy_file(&path, &to, cancel).map_err(EngineError::io("copy", &path))? {
            return Ok(false);
        }
        let after = FileStamp::of(&path).map_err(EngineError::io("read", &path))?;
        if before != after {
            return Err(EngineError::BadExpert {
                found: format!("`{}` changed while it was read", name(&path)),
                path: from.to_owned(),
                expected: "files that nobody writes any more".into(),
            });
        }
    }
    Ok(true)
}

fn find(from: &Path, content: Content) -> Result<Option<PathBuf>, EngineError> {
    let others: &[&str] = match content.name {
        LICENCE => &LICENCES,
        _ => &[],
    };
    let names = std::iter::once(&content.name).chain(others);
    if let Some(path) = names
        .map(|name| from.join(name))
        .find(|path| path.is_file())
    {
        return Ok(Some(path));
    }
    if !content.required {
        return Ok(None);
    }
    let pickle = content.name == WEIGHTS && from.join(PICKLE).exists();
    Err(EngineError::BadExpert {
        path: from.to_owned(),
        found: match pickle {
            true => format!("`{PICKLE}`, which would run code when read"),
            false => format!("no `{}`", content.name),
        },
        expected: format!("`{}` as PEFT or the R3MES trainer writes it", content.name),
    })
}

fn copy_file(from: &Path, to: &Path, cancel: &Cancel) -> io::Result<bool> {
    let mut source = File::open(from)?;
    let mut target = File::create_new(to)?;
    let mut piece = vec![0; PIECE];
    loop {
        if cancel.is_set() {
            return Ok(false);
        }
        match source.read(&mut piece)? {
            0 => break,
            read => target.write_all(&piece[..read])?,
        }
    }
    target.sync_all()?;
    Ok(true)
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
