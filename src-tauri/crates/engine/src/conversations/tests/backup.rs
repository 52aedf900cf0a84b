//! Backups, and putting them back.

use super::*;
use rusqlite::Connection;

#[test]
fn a_backup_made_in_use_brings_everything_back() {
    let (folder, store) = store();
    let (id, _) = talked(&store, "önce", "cevap");
    let before = store.load(&id).expect("loaded");
    let path = folder.file("yedek kopya.r3mes");
    let bytes = store.backup(&path).expect("backed up");
    assert_eq!(bytes, std::fs::metadata(&path).expect("there").len());
    let (later, _) = talked(&store, "sonra", "cevap");
    store.rename(&id, "başka").expect("renamed");
    store.restore_backup(&path).expect("restored");
    assert_eq!(store.load(&id).expect("loaded"), before);
    assert_unknown(store.load(&later));
    talked(&store, "still works", "yes");
    assert_whole(&store);
    // What was there can be brought back in the same way.
    store
        .restore_backup(&folder.file("r3mes.sqlite.replaced"))
        .expect("restored");
    assert_eq!(store.load(&later).expect("loaded").messages.len(), 2);
    drop(store);
    assert_eq!(folder.open().list().expect("a list").len(), 2);
    let left = ["r3mes.sqlite.incoming", "r3mes.sqlite.replaced.partial"]
        .map(|name| folder.file(name).exists());
    assert_eq!(left, [false, false]);
}

#[test]
fn what_is_no_backup_changes_nothing() {
    let (folder, store) = store();
    let (id, _) = talked(&store, "önce", "cevap");
    let path = folder.file("backup");
    let refused = |message: &str| {
        assert_refused(store.restore_backup(&path), message);
        assert_eq!(store.load(&id).expect("loaded").messages.len(), 2);
        assert!(!folder.file("r3mes.sqlite.incoming").exists());
        assert!(!folder.file("r3mes.sqlite.replaced").exists());
    };
    refused("cannot read");
    std::fs::write(&path, "no database ".repeat(1000)).expect("written");
    refused("expected a whole database");
    std::fs::write(&path, "").expect("written");
    refused("an empty database");
    std::fs::remove_file(&path).expect("removed");
    let connection = Connection::open(&path).expect("opened");
    connection
        .execute_batch("CREATE TABLE x (y)")
        .expect("written");
    refused("a database of another program");
    for (change, message) in [
        ("PRAGMA user_version = 99", "schema version 99"),
        (
            "CREATE TRIGGER evil AFTER INSERT ON messages BEGIN DELETE FROM messages; END",
            "trigger \"evil\"",
        ),
        ("DROP TABLE presets", "table \"presets\""),
        ("CREATE VIEW extra AS SELECT 1", "view \"extra\""),
    ] {
        store.backup(&path).expect("backed up");
        Connection::open(&path)
            .expect("opened")
            .execute_batch(change)
            .expect("changed");
        refused(message);
    }
    store.backup(&path).expect("backed up");
    let bytes = std::fs::read(&path).expect("readable");
    std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("written");
    refused("expected a whole database");
    assert_refused(store.backup(store.path()), "expected another file");
}

#[test]
fn a_damaged_store_is_replaced_by_a_backup_and_kept() {
    let (folder, store) = store();
    let (id, _) = talked(&store, "önce", "cevap");
    let path = folder.file("backup");
    store.backup(&path).expect("backed up");
    drop(store);
    std::fs::write(folder.home().conversations(), "damage ".repeat(1000)).expect("written");
    std::fs::write(folder.file("r3mes.sqlite-wal"), "old log").expect("written");
    folder.try_open().expect_err("damaged");
    let store = Conversations::open_backup(&folder.home(), &path).expect("restored");
    assert_eq!(store.load(&id).expect("loaded").messages.len(), 2);
    let kept = std::fs::read(folder.file("r3mes.sqlite.replaced")).expect("kept");
    assert!(kept.starts_with(b"damage"));
    assert!(folder.file("r3mes.sqlite.replaced-wal").exists());
    assert_whole(&store);
}

#[test]
fn a_backup_opens_on_an_empty_machine() {
    let (folder, store) = store();
    talked(&store, "önce", "cevap");
    let path = folder.file("backup");
    store.backup(&path).expect("backed up");
    let other = Folder::new();
    let store = Conversations::open_backup(&other.home(), &path).expect("restored");
    assert_eq!(store.list().expect("a list").len(), 1);
    assert!(!other.file("r3mes.sqlite.replaced").exists());
}
