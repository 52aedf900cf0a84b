//! From the version of a file to the version of this build, one step at a time, each after a copy of the file.

use super::backup::copy_to;
use super::schema::APPLICATION_ID;
use crate::error::EngineError;
use rusqlite::Connection;
use std::path::Path;

/// What the header of a store says.
pub(super) struct Stamp {
    application: i32,
    /// How many steps made it.
    pub version: usize,
    empty: bool,
}

impl Stamp {
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Stamp> {
        let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get(0));
        let version: i32 = number("user_version")?;
        let empty = connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| {
            row.get(0)
        })?;
        Ok(Stamp {
            application: number("application_id")?,
            // A negative version is none of ours; taken for a newer one, it is left alone.
            version: usize::try_from(version).unwrap_or(usize::MAX),
            empty,
        })
    }

    /// Whether this build can use the file, with `steps` as the steps it knows.
    ///
    /// # Errors
    /// If it is another program's, or a newer version's.
    pub(super) fn check(&self, path: &Path, steps: &[&str]) -> Result<(), EngineError> {
        let fresh = self.empty && self.application == 0 && self.version == 0;
        if !fresh && self.application != APPLICATION_ID {
            return Err(EngineError::BadStore {
                path: path.to_owned(),
                found: "a database of another program".into(),
                expected: "conversations of R3MES Desktop".into(),
                hint: "move the file elsewhere, or choose another data folder with R3MES_HOME",
            });
        }
        if self.version > steps.len() {
            return Err(newer(path, &self.version.to_string(), steps.len()));
        }
        Ok(())
    }
}

/// The refusal of a file that a newer version wrote.
pub(super) fn newer(path: &Path, found: &str, known: usize) -> EngineError {
    EngineError::BadStore {
        path: path.to_owned(),
        found: format!("schema version {found}"),
        expected: format!("at most {known}: a newer R3MES Desktop wrote it"),
        hint: "install the newer version again; nothing in the file was changed",
    }
}

/// Whether a copy of the file is made before each step.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// `<file>.before-v<N>`.
    Copy,
    /// The file is a copy itself.
    Nothing,
}

/// Takes the steps that the file has not seen. Each is a transaction with the new version in it.
///
/// # Errors
/// If a copy cannot be written or a step fails; the file then has the version before that step.
pub(super) fn migrate(
    connection: &mut Connection,
    path: &Path,
    steps: &[&str],
    before: Before,
) -> Result<(), EngineError> {
    let failed = |doing| {
        move |source| EngineError::Store {
            doing,
            path: path.to_owned(),
            source,
        }
    };
    let stamp = Stamp::read(connection).map_err(failed("read"))?;
    for (done, step) in steps.iter().enumerate().skip(stamp.version) {
        let version = done + 1;
        // A file that this call begins holds nothing to lose.
        if stamp.version > 0 && before == Before::Copy {
            let mut copy = path.as_os_str().to_owned();
            copy.push(format!(".before-v{version}"));
            copy_to(connection, Path::new(&copy))?;
        }
        let mut take = || -> rusqlite::Result<()> {
            let transaction = connection.transaction()?;
            transaction.execute_batch(step)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", version as i64)?;
            transaction.commit()
        };
        take().map_err(failed("bring up to date"))?;
    }
    Ok(())
}
