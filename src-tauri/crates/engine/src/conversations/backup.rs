//! Copies of the store, made while it is in use, and putting one back in its place.

use super::migrate::{Before, Stamp, migrate};
use super::open::{beside, check_whole, configure, connect, system_clock, unusable};
use super::schema::STEPS;
use super::{Clock, Conversations};
use crate::error::EngineError;
use crate::folders::{Home, sync_folder};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::sync::Mutex;

impl Conversations {
    /// Copies the store to one file while it is in use; tells its size in bytes.
    ///
    /// # Errors
    /// If the file cannot be written, or is the store itself.
    pub fn backup(&self, path: &Path) -> Result<u64, EngineError> {
        self.check_target(path)?;
        copy_to(&self.connection(), path)?;
        let size = std::fs::metadata(path).map_err(EngineError::io("read", path))?;
        Ok(size.len())
    }

    /// Replaces everything by a backup, which may be of an older version. What was there is kept as
    /// `r3mes.sqlite.replaced`.
    ///
    /// # Errors
    /// If the file is not a whole backup that this build can read (nothing is changed then), or the system refuses.
    pub fn restore_backup(&self, path: &Path) -> Result<(), EngineError> {
        let incoming = beside(&self.path, ".incoming");
        receive(path, &incoming)?;
        let mut connection = self.connection();
        let refuse = |source| EngineError::Store {
            doing: "replace",
            path: self.path.clone(),
            source,
        };
        let nothing = Connection::open_in_memory().map_err(refuse)?;
        let old = std::mem::replace(&mut *connection, nothing);
        // Closing writes the log of changes into the file and removes it, unless another process is at the file.
        let replaced = match old.close() {
            Ok(()) => exchange(&self.path, &incoming),
            Err((_still_open, source)) => Err(refuse(source)),
        };
        *connection = connect(&self.path, self.now())?;
        replaced
    }

    /// The same where the store cannot be opened: puts a backup in its place and opens that.
    ///
    /// # Errors
    /// As above.
    pub fn open_backup(home: &Home, path: &Path) -> Result<Conversations, EngineError> {
        let target = home.conversations();
        std::fs::create_dir_all(&home.path)
            .map_err(EngineError::io("make the folder", &home.path))?;
        let incoming = beside(&target, ".incoming");
        receive(path, &incoming)?;
        exchange(&target, &incoming)?;
        let now: Clock = Box::new(system_clock);
        Ok(Conversations {
            connection: Mutex::new(connect(&target, now())?),
            path: target,
            now,
        })
    }
}

/// Copies a database that is in use to one whole file, which appears under its name by a rename.
///
/// # Errors
/// If the file cannot be written.
pub(super) fn copy_to(from: &Connection, path: &Path) -> Result<(), EngineError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let file = tempfile::NamedTempFile::new_in(folder).map_err(EngineError::io("write", path))?;
    copy(from, file.path()).map_err(|source| EngineError::Store {
        doing: "write a copy to",
        path: path.to_owned(),
        source,
    })?;
    let persist = || -> std::io::Result<()> {
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    persist().map_err(EngineError::io("write", path))?;
    sync_folder(folder);
    Ok(())
}

fn copy(from: &Connection, path: &Path) -> rusqlite::Result<()> {
    let mut to = Connection::open(path)?;
    let step = Backup::new(from, &mut to)?.step(-1)?;
    if step != StepResult::Done {
        // Another process holds the file for writing.
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
            None,
        ));
    }
    // One file, also where its folder cannot be written.
    to.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))?;
    to.close().map_err(|(_, error)| error)
}

/// A checked copy of a backup, brought to this build's version, at `incoming`.
fn receive(backup: &Path, incoming: &Path) -> Result<(), EngineError> {
    if let Err(error) = std::fs::metadata(backup) {
        return Err(EngineError::io("read", backup)(error));
    }
    let failed = |source| unusable(backup, source);
    let from = Connection::open_with_flags(
        backup,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(failed)?;
    let stamp = Stamp::read(&from).map_err(failed)?;
    stamp.check(backup, &STEPS)?;
    if stamp.version == 0 {
        return Err(EngineError::BadStore {
            path: backup.to_owned(),
            found: "an empty database".into(),
            expected: "a backup of R3MES Desktop".into(),
            hint: "choose a file that the backup made",
        });
    }
    check_whole(&from, backup)?;
    copy_to(&from, incoming)?;
    let received = bring_up_to_date(incoming).and_then(|()| check_schema(incoming, backup));
    if received.is_err() {
        // The refusal is what matters; a leftover copy is replaced by the next try.
        let _gone = std::fs::remove_file(incoming);
    }
    received
}

fn bring_up_to_date(incoming: &Path) -> Result<(), EngineError> {
    let failed = |source| unusable(incoming, source);
    let mut connection = Connection::open(incoming).map_err(failed)?;
    configure(&connection).map_err(failed)?;
    migrate(&mut connection, incoming, &STEPS, Before::Nothing)?;
    check_whole(&connection, incoming)?;
    connection
        .pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))
        .map_err(failed)?;
    connection.close().map_err(|(_, source)| failed(source))
}

/// A backup has our tables and nothing that acts by itself but what our own steps make.
fn check_schema(incoming: &Path, backup: &Path) -> Result<(), EngineError> {
    let failed = |source| unusable(backup, source);
    let schema = |connection: &Connection| -> rusqlite::Result<Vec<(String, String, String)>> {
        let mut all = connection.prepare(
            "SELECT type, name, iif(type IN ('trigger', 'view'), sql, '') FROM sqlite_schema
             WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name",
        )?;
        let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        rows.collect()
    };
    let found = Connection::open(incoming).map_err(failed)?;
    let found = schema(&found).map_err(failed)?;
    let mut ours = Connection::open_in_memory().map_err(failed)?;
    migrate(&mut ours, backup, &STEPS, Before::Nothing)?;
    let ours = schema(&ours).map_err(failed)?;
    if found == ours {
        return Ok(());
    }
    let odd = found.iter().find(|item| !ours.contains(item));
    let odd = odd.or_else(|| ours.iter().find(|item| !found.contains(item)));
    Err(EngineError::BadStore {
        path: backup.to_owned(),
        found: match odd {
            Some((kind, name, _)) => format!("an unexpected or missing {kind} {name:?}"),
            None => "another schema".into(),
        },
        expected: "the tables of R3MES Desktop and nothing else".into(),
        hint: "choose a file that the backup made",
    })
}

/// Puts `incoming` in the place of `target`, which is kept as `….replaced`. A crash leaves the old file or the new one.
fn exchange(target: &Path, incoming: &Path) -> Result<(), EngineError> {
    let kept = beside(target, ".replaced");
    let failed = |doing| EngineError::io(doing, target);
    if target.exists() {
        let partial = beside(target, ".replaced.partial");
        std::fs::copy(target, &partial).map_err(failed("copy"))?;
        std::fs::File::open(&partial)
            .and_then(|file| file.sync_all())
            .and_then(|()| std::fs::rename(&partial, &kept))
            .map_err(failed("keep a copy of"))?;
    }
    // A log of changes belongs to the file it lies beside; beside another one it would destroy that.
    for suffix in ["-wal", "-shm"] {
        let log = beside(target, suffix);
        if log.exists() {
            std::fs::rename(&log, beside(&kept, suffix)).map_err(failed("keep the changes of"))?;
        }
    }
    std::fs::rename(incoming, target).map_err(failed("replace"))?;
    sync_folder(target.parent().unwrap_or(Path::new(".")));
    Ok(())
}
