//! The file: migrations, newer versions, damage.

use super::super::migrate::{Before, migrate};
use super::super::schema::STEPS;
use super::*;
use rusqlite::Connection;

#[test]
fn an_older_file_is_copied_before_it_is_changed() {
    let (folder, store) = store();
    let (id, _) = talked(&store, "eski", "cevap");
    drop(store);
    let path = folder.home().conversations();
    let mut connection = Connection::open(&path).expect("opened");
    let steps = [
        STEPS[0],
        STEPS[1],
        "CREATE TABLE labels (row INTEGER PRIMARY KEY)",
        "CREATE TABLE jobs (row INTEGER PRIMARY KEY)",
    ];
    migrate(&mut connection, &path, &steps, Before::Copy).expect("migrated");
    let tables = |path| -> (i64, i64) {
        let connection = Connection::open(path).expect("opened");
        let version = connection.pragma_query_value(None, "user_version", |row| row.get(0));
        let count = "SELECT count(*) FROM sqlite_schema WHERE name IN ('labels', 'jobs')";
        (
            version.expect("a version"),
            connection
                .query_row(count, [], |row| row.get(0))
                .expect("a count"),
        )
    };
    assert_eq!(tables(folder.file("r3mes.sqlite")), (4, 2));
    assert_eq!(tables(folder.file("r3mes.sqlite.before-v3")), (2, 0));
    assert_eq!(tables(folder.file("r3mes.sqlite.before-v4")), (3, 1));
    assert!(!folder.file("r3mes.sqlite.before-v2").exists());
    drop(connection);
    std::fs::rename(folder.file("r3mes.sqlite.before-v3"), &path).expect("put back");
    assert_eq!(folder.open().load(&id).expect("loaded").messages.len(), 2);
}

#[test]
fn a_step_that_fails_leaves_the_version_before_it() {
    let (folder, store) = store();
    talked(&store, "eski", "cevap");
    drop(store);
    let path = folder.home().conversations();
    let mut connection = Connection::open(&path).expect("opened");
    let steps = [
        STEPS[0],
        STEPS[1],
        "CREATE TABLE labels (row INTEGER PRIMARY KEY); SELECT nonsense;",
    ];
    assert_refused(
        migrate(&mut connection, &path, &steps, Before::Copy),
        "cannot bring up to date",
    );
    drop(connection);
    let store = folder.open();
    assert_eq!(store.list().expect("a list").len(), 1);
    assert_whole(&store);
}

#[test]
fn a_newer_file_is_refused_and_not_touched() {
    let (folder, store) = store();
    talked(&store, "yeni", "cevap");
    drop(store);
    let path = folder.home().conversations();
    let connection = Connection::open(&path).expect("opened");
    connection
        .pragma_update(None, "user_version", 99)
        .expect("written");
    connection.close().expect("closed");
    let before = std::fs::read(&path).expect("readable");
    assert_refused(
        folder.try_open(),
        "schema version 99, expected at most 2: a newer R3MES Desktop wrote it",
    );
    assert_eq!(std::fs::read(&path).expect("readable"), before);
    let files = std::fs::read_dir(folder.home().path)
        .expect("a folder")
        .count();
    assert_eq!(files, 1);
}

#[test]
fn a_file_of_another_program_is_refused() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.home().path).expect("made");
    let connection = Connection::open(folder.home().conversations()).expect("opened");
    connection
        .execute_batch("CREATE TABLE bookmarks (url TEXT)")
        .expect("written");
    connection.close().expect("closed");
    assert_refused(folder.try_open(), "a database of another program");
}

#[test]
fn damage_is_told_with_the_path_and_nothing_is_deleted() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.home().path).expect("made");
    let path = folder.home().conversations();
    std::fs::write(
        &path,
        "this is no database at all, just some text ".repeat(200),
    )
    .expect("written");
    let before = std::fs::read(&path).expect("readable");
    let text = folder.try_open().expect_err("damaged").report();
    assert!(
        text.contains("r3mes.sqlite") && text.contains("hint: nothing was changed"),
        "{text}"
    );
    assert_eq!(std::fs::read(&path).expect("readable"), before);
}

#[test]
fn damage_inside_is_found_after_a_crash() {
    let (folder, store) = store();
    for turn in 0..60 {
        talked(
            &store,
            &format!("{turn} {}", "uzun soru ".repeat(60)),
            &"uzun cevap ".repeat(60),
        );
    }
    drop(store);
    let path = folder.home().conversations();
    let mut bytes = std::fs::read(&path).expect("readable");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8192].fill(0x5a);
    std::fs::write(&path, &bytes).expect("written");
    // What a crash leaves: a log of changes beside the file.
    std::fs::write(folder.file("r3mes.sqlite-wal"), [0; 32]).expect("written");
    let text = folder.try_open().expect_err("damaged").report();
    assert!(
        text.contains("expected a whole database of conversations"),
        "{text}"
    );
    assert_eq!(
        std::fs::metadata(&path).expect("there").len() as usize,
        bytes.len()
    );
}

#[test]
fn a_folder_in_the_way_is_an_error_with_the_path() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.home().conversations()).expect("made");
    assert_refused(folder.try_open(), "r3mes.sqlite");
}

#[cfg(unix)]
#[test]
fn what_people_write_is_for_them_only() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, store) = store();
    talked(&store, "gizli", "cevap");
    store.backup(&folder.file("backup")).expect("backed up");
    for entry in std::fs::read_dir(folder.home().path).expect("a folder") {
        let entry = entry.expect("a file");
        let mode = entry.metadata().expect("there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", entry.path().display());
    }
}

#[test]
fn a_run_that_settled_leaves_no_log() {
    let (folder, store) = store();
    let (id, _) = talked(&store, "soru", "cevap");
    store.settle().expect("settled");
    let log = folder.file("r3mes.sqlite-wal");
    assert_eq!(std::fs::metadata(log).expect("there").len(), 0);
    // The process ends here without dropping anything.
    std::mem::forget(store);
    assert_eq!(folder.open().load(&id).expect("loaded").messages.len(), 2);
}
