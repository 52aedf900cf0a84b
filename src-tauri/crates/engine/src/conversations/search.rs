//! Full-text search over titles and messages.

use super::snippet::{Term, snippet};
use super::{Conversations, fold};
use crate::api::Role;
use crate::api::conversation::SearchHit;
use crate::error::EngineError;
use rusqlite::Connection;

/// Hits in one answer.
const MOST_HITS: usize = 50;
/// Of those, titles.
const MOST_TITLES: usize = 15;
/// Matches that are weighed against one another: the newest ones. A word that is everywhere says nothing about old ones.
const MOST_WEIGHED: i64 = 1000;
/// Words of a query that count.
const MOST_TERMS: usize = 16;
/// The weight of a match halves, down to half of what it was, in this time.
const HALF_LIFE_MS: f64 = 90.0 * 24.0 * 60.0 * 60.0 * 1000.0;

impl Conversations {
    /// Titles, then messages, that hold every word of the query, the last word also as the beginning of one. Better and
    /// newer ones first, at most 50. Any text is a query; one without words finds nothing.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn search(&self, query: &str) -> Result<Vec<SearchHit>, EngineError> {
        let terms = terms(query);
        if terms.is_empty() {
            return Ok(Vec::new());
        }
        let now = self.now();
        self.read(|connection| {
            let pattern = pattern(&terms);
            let mut hits = titles(connection, &pattern, &terms, now)?;
            let room = MOST_HITS - hits.len();
            hits.extend(messages(connection, &pattern, &terms, now, room)?);
            Ok(hits)
        })
    }
}

/// The words of a query; the last one may be unfinished.
fn terms(query: &str) -> Vec<Term> {
    let mut terms: Vec<Term> = fold::words(query)
        .take(MOST_TERMS)
        .map(|word| Term {
            folded: word.folded,
            begins: false,
        })
        .collect();
    if let Some(last) = terms.last_mut() {
        last.begins = true;
    }
    terms
}

/// In FTS5's language. Folded words are letters and digits, so quoting them is enough.
fn pattern(terms: &[Term]) -> String {
    let mut pattern = String::new();
    for term in terms {
        pattern.push('"');
        pattern.push_str(&term.folded);
        pattern.push_str(if term.begins { "\"* " } else { "\" " });
    }
    pattern
}

/// A match before its text is fetched.
struct Weighed {
    row: i64,
    weight: f64,
}

fn weigh(
    connection: &Connection,
    sql: &str,
    pattern: &str,
    now: i64,
    most: usize,
) -> rusqlite::Result<Vec<Weighed>> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map((pattern, MOST_WEIGHED), |row| {
        let time: i64 = row.get(1)?;
        let relevance: f64 = row.get(2)?;
        let age = (now.saturating_sub(time)).max(0) as f64;
        // SQLite's bm25 is negative, better is smaller.
        Ok(Weighed {
            row: row.get(0)?,
            weight: -relevance * (1.0 + (-age / HALF_LIFE_MS).exp2()),
        })
    })?;
    let mut weighed = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    weighed.sort_by(|a, b| b.weight.total_cmp(&a.weight).then(b.row.cmp(&a.row)));
    weighed.truncate(most);
    Ok(weighed)
}

fn titles(
    connection: &Connection,
    pattern: &str,
    terms: &[Term],
    now: i64,
) -> rusqlite::Result<Vec<SearchHit>> {
    let weighed = weigh(
        connection,
        "SELECT c.row, c.updated_at, f.relevance FROM
           (SELECT rowid, bm25(title_index) AS relevance FROM title_index WHERE title_index MATCH ?1
            ORDER BY rowid DESC LIMIT ?2) f
         JOIN conversations c ON c.row = f.rowid",
        pattern,
        now,
        MOST_TITLES,
    )?;
    let mut fetch = connection
        .prepare_cached("SELECT id, title, updated_at FROM conversations WHERE row = ?1")?;
    let hit = |title: Weighed| {
        fetch.query_row([title.row], |row| {
            let title: String = row.get(1)?;
            let (snippet, marks) = snippet(&title, terms);
            Ok(SearchHit {
                conversation_id: row.get(0)?,
                conversation_title: title,
                message_id: None,
                role: None,
                created_at: row.get(2)?,
                snippet,
                marks,
            })
        })
    };
    weighed.into_iter().map(hit).collect()
}

fn messages(
    connection: &Connection,
    pattern: &str,
    terms: &[Term],
    now: i64,
    most: usize,
) -> rusqlite::Result<Vec<SearchHit>> {
    let weighed = weigh(
        connection,
        "SELECT m.row, m.created_at, f.relevance FROM
           (SELECT rowid, bm25(message_index) AS relevance FROM message_index WHERE message_index MATCH ?1
            ORDER BY rowid DESC LIMIT ?2) f
         JOIN messages m ON m.row = f.rowid",
        pattern,
        now,
        most,
    )?;
    let mut fetch = connection.prepare_cached(
        "SELECT c.id, c.title, m.id, m.role, m.created_at, m.content FROM messages m
         JOIN conversations c ON c.row = m.conversation WHERE m.row = ?1",
    )?;
    let hit = |message: Weighed| {
        fetch.query_row([message.row], |row| {
            let (snippet, marks) = snippet(row.get_ref(5)?.as_str()?, terms);
            Ok(SearchHit {
                conversation_id: row.get(0)?,
                conversation_title: row.get(1)?,
                message_id: Some(row.get(2)?),
                role: Some(row.get::<_, Role>(3)?),
                created_at: row.get(4)?,
                snippet,
                marks,
            })
        })
    };
    weighed.into_iter().map(hit).collect()
}
