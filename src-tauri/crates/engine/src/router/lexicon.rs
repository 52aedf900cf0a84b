//! The keyword stage: weighted entries found in one pass over the folded question.
//!
//! An entry is a word, a phrase, or the beginning or ending of a word, with a weight for each expert it speaks for or against.
//! `logit_c = bias_c + Σ weight_{c,entry} / (PAD + Σ mass_entry)^POWER`, over the entries that occur (each once): a long question is
//! not surer than a short one because it is long. Entries and weights are data (`resources/router/lexicon`).

use super::linear::{CLASSES, Scores};
use super::words::Words;
use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use std::collections::HashMap;
use std::ops::Range;

/// Mass a question has before an entry is found.
pub(super) const PAD: f32 = 3.0;
/// How strongly the mass of all entries damps each.
pub(super) const POWER: f32 = 0.4;

/// An entry with its weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Entry {
    /// `heart attack`, `hastalik*` (any ending), `*itis` (any beginning).
    pub text: String,
    /// What it adds for each class.
    pub weights: Scores,
    /// What it adds to the damping.
    pub mass: f32,
}

/// Entries ready for matching.
pub(super) struct Lexicon {
    entries: Vec<Entry>,
    bias: Scores,
    automaton: AhoCorasick,
}

/// An entry in a question.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    /// Which entry.
    pub entry: usize,
    /// Its bytes in the question.
    pub range: Range<usize>,
}

/// What the keyword stage says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Keywords {
    /// Logits before calibration.
    pub logits: Scores,
    /// Multiplier of the weights of the found entries.
    pub scale: f32,
    /// The entries that occur, each once, in the order of their first occurrence.
    pub found: Vec<Found>,
}

impl Lexicon {
    /// Prepares the entries.
    ///
    /// # Errors
    /// If there are more entries than the automaton can hold.
    pub fn new(entries: Vec<Entry>, bias: Scores) -> Result<Lexicon, aho_corasick::BuildError> {
        let automaton = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .match_kind(MatchKind::Standard)
            .build(entries.iter().map(|entry| pattern(&entry.text)))?;
        Ok(Lexicon {
            entries,
            bias,
            automaton,
        })
    }

    /// Looks the question up.
    pub fn look_up(&self, words: &Words) -> Keywords {
        let mut found: Vec<Found> = Vec::with_capacity(32);
        for hit in self.automaton.find_overlapping_iter(&words.folded) {
            found.push(Found {
                entry: hit.pattern().as_usize(),
                range: hit.start()..hit.end(),
            });
        }
        found.sort_unstable_by_key(|f| (f.entry, f.range.start));
        found.dedup_by_key(|f| f.entry);
        let mass: f32 = found.iter().map(|f| self.entries[f.entry].mass).sum();
        let scale = (PAD + mass).powf(-POWER);
        let mut logits = self.bias;
        for one in &found {
            for (logit, weight) in logits.iter_mut().zip(&self.entries[one.entry].weights) {
                *logit += scale * weight;
            }
        }
        Keywords {
            logits,
            scale,
            found,
        }
    }

    /// The entry of a find.
    pub fn entry(&self, found: &Found) -> &Entry {
        &self.entries[found.entry]
    }
}

/// The entry as it is looked for: spaces are the boundaries of words.
pub(super) fn pattern(entry: &str) -> String {
    match (entry.strip_prefix('*'), entry.strip_suffix('*')) {
        (Some(ending), _) if !ending.is_empty() => format!("{ending} "),
        (_, Some(beginning)) if !beginning.is_empty() => format!(" {beginning}"),
        _ => format!(" {entry} "),
    }
}

/// Reads the file of one class: lines `entry TAB weight TAB mass`, `#` begins a comment.
///
/// # Errors
/// The number of the first line that is not one, from 1.
pub(super) fn read_class(
    text: &str,
    class: usize,
    into: &mut HashMap<String, Entry>,
) -> Result<(), usize> {
    for (number, line) in text.lines().enumerate() {
        if !line.contains('\t') && (line.is_empty() || line.starts_with('#')) {
            continue;
        }
        let mut cells = line.split('\t');
        let (Some(entry), Some(weight), Some(mass), None) =
            (cells.next(), cells.next(), cells.next(), cells.next())
        else {
            return Err(number + 1);
        };
        let (Ok(weight), Ok(mass)) = (weight.parse::<f32>(), mass.parse::<f32>()) else {
            return Err(number + 1);
        };
        if entry.is_empty() || !weight.is_finite() || !mass.is_finite() || mass < 0.0 {
            return Err(number + 1);
        }
        let found = into.entry(entry.to_owned()).or_insert_with(|| Entry {
            text: entry.to_owned(),
            weights: [0.0; CLASSES],
            mass,
        });
        found.weights[class] = weight;
    }
    Ok(())
}
