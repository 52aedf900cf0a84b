//! What the search can find: folded words of titles and messages, under the rows they belong to.

use super::fold;
use rusqlite::{Connection, OptionalExtension};

/// Makes a message findable, or findable by its new text.
pub(super) fn put_message(connection: &Connection, row: i64, text: &str) -> rusqlite::Result<()> {
    drop_message(connection, row)?;
    connection
        .prepare_cached("INSERT INTO message_index (rowid, words) VALUES (?1, ?2)")?
        .execute((row, fold::folded(text)))?;
    Ok(())
}

/// The same, unless the message or its conversation is in the trash, or the message is still being made.
pub(super) fn put_if_shown(connection: &Connection, row: i64) -> rusqlite::Result<()> {
    let text: Option<String> = connection
        .prepare_cached(
            "SELECT m.content FROM messages m JOIN conversations c ON c.row = m.conversation
             WHERE m.row = ?1 AND m.trashed_at IS NULL AND c.trashed_at IS NULL AND m.state <> 'running'",
        )?
        .query_row([row], |row| row.get(0))
        .optional()?;
    match text {
        Some(text) => put_message(connection, row, &text),
        None => Ok(()),
    }
}

/// Makes a conversation findable by its title.
pub(super) fn put_title(connection: &Connection, row: i64, title: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM title_index WHERE rowid = ?1")?
        .execute([row])?;
    connection
        .prepare_cached("INSERT INTO title_index (rowid, words) VALUES (?1, ?2)")?
        .execute((row, fold::folded(title)))?;
    Ok(())
}

/// Makes a whole conversation findable.
pub(super) fn put_conversation(connection: &Connection, row: i64) -> rusqlite::Result<()> {
    let title: String = connection.query_row(
        "SELECT title FROM conversations WHERE row = ?1",
        [row],
        |row| row.get(0),
    )?;
    put_title(connection, row, &title)?;
    let mut messages = connection.prepare_cached(
        "SELECT row, content FROM messages WHERE conversation = ?1 AND trashed_at IS NULL AND state <> 'running'",
    )?;
    let mut rows = messages.query([row])?;
    while let Some(message) = rows.next()? {
        put_message(connection, message.get(0)?, message.get_ref(1)?.as_str()?)?;
    }
    Ok(())
}

/// The search no longer finds the message.
pub(super) fn drop_message(connection: &Connection, row: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM message_index WHERE rowid = ?1")?
        .execute([row])?;
    Ok(())
}

/// The search no longer finds anything of the conversation.
pub(super) fn drop_conversation(connection: &Connection, row: i64) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM title_index WHERE rowid = ?1", [row])?;
    connection.execute(
        "DELETE FROM message_index WHERE rowid IN (SELECT row FROM messages WHERE conversation = ?1)",
        [row],
    )?;
    Ok(())
}

/// Running answers are not in the index; call this while the interrupted ones can still be told apart.
pub(super) fn interrupted(connection: &Connection) -> rusqlite::Result<()> {
    let mut running = connection.prepare(
        "SELECT m.row, m.content FROM messages m JOIN conversations c ON c.row = m.conversation
         WHERE m.state = 'running' AND m.trashed_at IS NULL AND c.trashed_at IS NULL",
    )?;
    let mut rows = running.query([])?;
    while let Some(message) = rows.next()? {
        put_message(connection, message.get(0)?, message.get_ref(1)?.as_str()?)?;
    }
    Ok(())
}

/// Merges each index into one segment, without what was deleted.
pub(super) fn merge(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "INSERT INTO message_index (message_index) VALUES ('optimize');
         INSERT INTO title_index (title_index) VALUES ('optimize');",
    )
}
