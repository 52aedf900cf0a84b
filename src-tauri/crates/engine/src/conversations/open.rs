//! Opening the store: look before touching, bring it up to date, tidy what the last run left.

use super::migrate::{Before, Stamp, migrate, newer};
use super::schema::{APPLICATION_ID, STEPS};
use super::{Clock, Conversations, index, trash};
use crate::error::EngineError;
use crate::folders::Home;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

/// How long one process waits for another at the same file.
const BUSY: Duration = Duration::from_secs(5);

impl Conversations {
    /// Opens the store of a data folder, or makes it. Answers that were running are marked as interrupted;
    /// what lay in the trash for 30 days is deleted.
    ///
    /// # Errors
    /// If the file is damaged, another program's or a newer version's (it is left as it is), or the system refuses.
    pub fn open(home: &Home) -> Result<Conversations, EngineError> {
        Conversations::open_at(home, Box::new(system_clock))
    }

    pub(super) fn open_at(home: &Home, now: Clock) -> Result<Conversations, EngineError> {
        let path = home.conversations();
        let connection = connect(&path, now())?;
        Ok(Conversations {
            connection: Mutex::new(connection),
            path,
            now,
        })
    }
}

pub(super) fn system_clock() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    // A clock set before 1970 is a clock that says nothing.
    since.map_or(0, |time| {
        i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
    })
}

/// A connection to a store of this build's version.
pub(super) fn connect(path: &Path, now: i64) -> Result<Connection, EngineError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(EngineError::io("make the folder", folder))?;
    look(path)?;
    // The log of changes is emptied when a run ends in order.
    let log = std::fs::metadata(beside(path, "-wal"));
    let unclean = log.is_ok_and(|log| log.len() > 0);
    make_private(path)?;
    let failed = |source| unusable(path, source);
    let keep_log = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
    let mut connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(failed)?;
    // Until it is known that the file is ours and whole, closing it changes nothing.
    connection.set_db_config(keep_log, true).map_err(failed)?;
    Stamp::read(&connection)
        .map_err(failed)?
        .check(path, &STEPS)?;
    configure(&connection).map_err(failed)?;
    if unclean {
        check_whole(&connection, path)?;
    }
    connection.set_db_config(keep_log, false).map_err(failed)?;
    migrate(&mut connection, path, &STEPS, Before::Copy)?;
    tidy(&mut connection, now).map_err(failed)?;
    Ok(connection)
}

/// A new file is for its owner only; what SQLite puts beside it follows.
fn make_private(path: &Path) -> Result<(), EngineError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(EngineError::io("make", path)(error))
        }
        _ => Ok(()),
    }
}

/// Refuses by the header alone what must not be touched, before SQLite opens the file.
fn look(path: &Path) -> Result<(), EngineError> {
    const VERSION: usize = 60;
    const APPLICATION: usize = 68;
    let mut header = [0; 72];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut header));
    if read.is_err() {
        // Not there yet, or too short to be a database: SQLite decides, and says what is wrong.
        return Ok(());
    }
    let number = |at: usize| i32::from_be_bytes([0, 1, 2, 3].map(|byte| header[at + byte]));
    let version = number(VERSION);
    if number(APPLICATION) == APPLICATION_ID && usize::try_from(version).unwrap_or(0) > STEPS.len()
    {
        return Err(newer(path, &version.to_string(), STEPS.len()));
    }
    Ok(())
}

/// What every connection of ours is set to.
pub(super) fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // A file that came from elsewhere must not run functions through its schema.
    connection.pragma_update(None, "trusted_schema", false)?;
    // What a person deletes is gone from the file.
    connection.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// # Errors
/// If SQLite finds damage.
pub(super) fn check_whole(connection: &Connection, path: &Path) -> Result<(), EngineError> {
    let found: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|source| unusable(path, source))?;
    match found.as_str() {
        "ok" => Ok(()),
        damage => Err(damaged(path, damage.replace('\n', " "))),
    }
}

/// Damage is told apart from a full disk or a missing right.
pub(super) fn unusable(path: &Path, source: rusqlite::Error) -> EngineError {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    match source.sqlite_error_code() {
        Some(DatabaseCorrupt | NotADatabase) => damaged(path, source.to_string()),
        _ => EngineError::Store {
            doing: "open",
            path: path.to_owned(),
            source,
        },
    }
}

fn damaged(path: &Path, found: String) -> EngineError {
    EngineError::BadStore {
        path: path.to_owned(),
        found,
        expected: "a whole database of conversations".into(),
        hint: "nothing was changed; restore a backup, or move the file elsewhere to begin with an empty one",
    }
}

/// What the last run left: answers nobody makes any more, old trash.
fn tidy(connection: &mut Connection, now: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    index::interrupted(&transaction)?;
    transaction.execute(
        "UPDATE messages SET state = 'interrupted' WHERE state = 'running'",
        [],
    )?;
    trash::purge(&transaction, now)?;
    transaction.commit()
}

/// A file of SQLite's beside `path`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
