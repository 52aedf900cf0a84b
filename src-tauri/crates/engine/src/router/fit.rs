//! Fitting the shipped data: the lexicon from labelled and weakly labelled texts, the head over their embeddings, examples.
//!
//! Every source has one voice: a row weighs `rows of its source and class ^ −½`, so that neither a large source nor the phrases of
//! one decide. An entry of the lexicon must occur in two sources or be a term chosen by hand. Fits are seeded: the same rows give
//! the same data. Used by the examples `router_fit` (writes `resources/router`) and `router_evidence` (fits again without a source).

mod features;
mod head;
mod keywords;
mod prototypes;

pub use features::Features;
pub use head::{HeadOptions, head};
pub use keywords::{KeywordOptions, Keywords, keywords};
pub use prototypes::examples;

use super::builtin::{BUILTIN_EMBEDDER, FitFile};
use super::lexicon::Lexicon;
use super::semantic::{Embeds, Examples, Head};
use super::{CLASS_NAMES, CLASSES, Calibration, Router, Tuning};
use crate::error::EngineError;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A question with a label.
    Question,
    /// A sentence of a text about the class's field: a weak label.
    Passage,
    /// A term chosen by hand; may have a `*`.
    Term,
    /// A sentence made of terms.
    Made,
}

/// A text and its class.
#[derive(Clone, Debug)]
pub struct Row {
    /// The text.
    pub text: String,
    /// Its class: a place in [`CLASS_NAMES`].
    pub class: usize,
    /// Where it comes from.
    pub source: String,
    /// What it is.
    pub kind: Kind,
}

/// Weight of the passages of a source against its questions.
const PASSAGES: f32 = 1.0;
/// Weight of the terms chosen by hand.
const TERMS: f32 = 3.0;
/// How strongly a source's size is taken away: 1 would give every source the same weight, 0 every row.
const SOURCE_BALANCE: f32 = 0.5;
/// The same for the classes.
const CLASS_BALANCE: f32 = 0.6;

/// The weight of each row that is used, 0 for the others; the mean of the used ones is 1.
fn weights(rows: &[Row], used: &[bool]) -> Vec<f32> {
    let mut counts: HashMap<(usize, &str), f32> = HashMap::new();
    let of_used = || rows.iter().zip(used).filter(|(_, used)| **used);
    for (row, _) in of_used() {
        *counts.entry((row.class, &row.source)).or_default() += 1.0;
    }
    let mut weights: Vec<f32> = rows
        .iter()
        .zip(used)
        .map(|(row, used)| match (used, row.kind) {
            (false, _) => 0.0,
            (true, kind) => {
                let kind = match kind {
                    Kind::Question => 1.0,
                    Kind::Passage => PASSAGES,
                    Kind::Term | Kind::Made => TERMS,
                };
                kind * counts[&(row.class, row.source.as_str())].powf(-SOURCE_BALANCE)
            }
        })
        .collect();
    let mut classes = [0.0_f32; CLASSES];
    for (row, weight) in rows.iter().zip(&weights) {
        classes[row.class] += weight;
    }
    for (row, weight) in rows.iter().zip(&mut weights) {
        if *weight > 0.0 {
            *weight *= classes[row.class].powf(-CLASS_BALANCE);
        }
    }
    let mean = weights.iter().sum::<f32>() / of_used().count().max(1) as f32;
    weights.iter().map(|weight| weight / mean).collect()
}

/// A router with fitted data of one's own.
///
/// # Errors
/// If the embedder cannot embed the examples.
pub fn router(
    keywords: &Keywords,
    head: Head,
    calibration: Calibration,
    examples: &[Vec<String>],
    embedder: Arc<dyn Embeds>,
) -> Result<Router, EngineError> {
    let lexicon = Lexicon::new(keywords.entries.clone(), keywords.bias)
        .expect("fewer entries than an automaton can hold");
    let known = examples
        .iter()
        .map(|texts| Examples::new(texts, embedder.as_ref()))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Router {
        lexicon: Arc::new(lexicon),
        calibration,
        head: Some(Arc::new(head)),
        embedder,
        known: Arc::new(known),
        own: Vec::new(),
        corrections: Vec::new(),
        tuning: Tuning::default(),
        telling: Arc::default(),
    })
}

/// Writes the files of `resources/router`.
///
/// # Errors
/// If the folder cannot be written.
pub fn write(
    folder: &Path,
    keywords: &Keywords,
    head: &Head,
    calibration: Calibration,
    examples: &[Vec<String>],
) -> std::io::Result<()> {
    std::fs::create_dir_all(folder.join("lexicon"))?;
    std::fs::create_dir_all(folder.join("examples"))?;
    for (class, name) in CLASS_NAMES.iter().enumerate() {
        let mut text = format!("# entry, weight for {name}, mass\n");
        for entry in &keywords.entries {
            if entry.weights[class] != 0.0 {
                text += &format!("{}\t{}\t{}\n", entry.text, entry.weights[class], entry.mass);
            }
        }
        std::fs::write(folder.join("lexicon").join(format!("{name}.tsv")), text)?;
        let text = examples[class].join("\n") + "\n";
        std::fs::write(folder.join("examples").join(format!("{name}.txt")), text)?;
    }
    std::fs::write(folder.join("head.f32"), head.to_bytes())?;
    let fit = FitFile {
        version: 1,
        keyword_bias: keywords.bias,
        calibration,
    };
    let fit = serde_json::to_string_pretty(&fit).map_err(std::io::Error::other)?;
    std::fs::write(folder.join("fit.json"), fit + "\n")
}

/// The name heads are fitted for here.
pub const EMBEDDER: &str = BUILTIN_EMBEDDER;
