//! Which entries could be in the lexicon, and which rows have them.

use super::{Kind, Row};
use crate::router::lexicon::pattern;
use crate::router::words::{Words, fold_term};
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use std::collections::HashMap;

/// Rows an entry must occur in.
const LEAST_ROWS: u32 = 4;
/// Letters of the beginnings and endings of words that are tried as entries, of words at least this long.
const BEGINNING: usize = 5;
const ENDING: usize = 4;
const LONG_WORD: usize = 7;

/// Rows as the entries they have.
pub struct Features {
    /// The entries of each row, sorted.
    pub(super) rows: Vec<Vec<u32>>,
    /// The entries.
    pub(super) names: Vec<String>,
    /// Whether an entry was chosen by hand.
    pub(super) chosen: Vec<bool>,
}

impl Features {
    /// Reads all rows.
    pub fn read(rows: &[Row]) -> Features {
        let mut ids: HashMap<String, u32> = HashMap::new();
        let mut names: Vec<String> = Vec::new();
        for row in rows.iter().filter(|row| row.kind == Kind::Term) {
            let name = fold_term(&row.text);
            if !name.trim_matches('*').is_empty() && !ids.contains_key(&name) {
                ids.insert(name.clone(), names.len() as u32);
                names.push(name);
            }
        }
        let chosen = names.len();
        let automaton = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .match_kind(MatchKind::Standard)
            .build(names.iter().map(|name| pattern(name)))
            .expect("a few thousand terms");
        let mut counts = vec![0_u32; chosen];
        let mut of_rows = Vec::with_capacity(rows.len());
        let mut grams = Vec::new();
        for row in rows {
            let folded = match row.kind {
                // Not a question: it has no beginning.
                Kind::Term => format!(" {} ", fold_term(&row.text).trim_matches('*')),
                _ => Words::read(&row.text).folded,
            };
            let mut found: Vec<u32> = automaton
                .find_overlapping_iter(&folded)
                .map(|hit| hit.pattern().as_u32())
                .collect();
            grams_of(&folded, &mut grams);
            for gram in grams.drain(..) {
                let id = match ids.get(&gram) {
                    Some(id) => *id,
                    None => {
                        let id = names.len() as u32;
                        ids.insert(gram.clone(), id);
                        names.push(gram);
                        counts.push(0);
                        id
                    }
                };
                found.push(id);
            }
            found.sort_unstable();
            found.dedup();
            for id in &found {
                counts[*id as usize] += 1;
            }
            of_rows.push(found);
        }
        only_frequent(of_rows, &names, &counts, chosen)
    }
}

/// Renumbers, without the entries that are rare and not chosen.
fn only_frequent(
    mut rows: Vec<Vec<u32>>,
    names: &[String],
    counts: &[u32],
    chosen: usize,
) -> Features {
    let mut new_ids = vec![u32::MAX; names.len()];
    let mut kept = Vec::new();
    for (at, name) in names.iter().enumerate() {
        if at < chosen || counts[at] >= LEAST_ROWS {
            new_ids[at] = kept.len() as u32;
            kept.push(name.clone());
        }
    }
    for row in &mut rows {
        row.retain(|id| new_ids[*id as usize] != u32::MAX);
        for id in row {
            *id = new_ids[*id as usize];
        }
    }
    let chosen = (0..kept.len()).map(|at| at < chosen).collect();
    Features {
        rows,
        names: kept,
        chosen,
    }
}

/// Words, pairs and triples of words, and beginnings and endings of long words.
fn grams_of(folded: &str, grams: &mut Vec<String>) {
    let words: Vec<&str> = folded.split_ascii_whitespace().collect();
    for (at, word) in words.iter().enumerate() {
        if *word != "^" {
            grams.push((*word).to_owned());
        }
        for more in 1..3 {
            if at + more < words.len() {
                grams.push(words[at..=at + more].join(" "));
            }
        }
        let starts: Vec<usize> = word.char_indices().map(|(start, _)| start).collect();
        if starts.len() >= LONG_WORD {
            grams.push(format!("{}*", &word[..starts[BEGINNING]]));
            grams.push(format!("*{}", &word[starts[starts.len() - ENDING]..]));
        }
    }
}
