//! The lexicon: softmax regression over entries, kept to the ones that matter, fitted again.

use super::{Features, Row, weights};
use crate::router::lexicon::{Entry, PAD, POWER};
use crate::router::linear::{CLASSES, Order, Scores, softmax};
use std::collections::BTreeMap;

/// How the lexicon is fitted.
#[derive(Clone, Copy, Debug)]
pub struct KeywordOptions {
    /// Entries that are kept.
    pub entries: usize,
    /// Passes over the rows.
    pub passes: usize,
}

impl Default for KeywordOptions {
    fn default() -> KeywordOptions {
        KeywordOptions {
            entries: 140_000,
            passes: 5,
        }
    }
}

/// A fitted lexicon.
#[derive(Clone, Debug, PartialEq)]
pub struct Keywords {
    /// Its entries, sorted by their text.
    pub(in crate::router) entries: Vec<Entry>,
    /// Bias of each class.
    pub(in crate::router) bias: Scores,
}

impl Keywords {
    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Step of the first update (AdaGrad), and the pull of weights to 0.
const RATE: f32 = 0.3;
const PULL: f32 = 1e-3;
/// Rarer entries say more: `value = RARE / (RARE + share of rows)`.
const RARE: f32 = 1e-3;
/// Values of what is not a plain word: pairs and triples of words, parts of words, terms chosen by hand.
const PAIR: f32 = 0.5;
const TRIPLE: f32 = 0.4;
const PART: f32 = 0.5;
const CHOSEN: f32 = 3.0;
/// Sources and rows an entry must occur in, unless chosen by hand.
const LEAST_SOURCES: u8 = 2;
const LEAST_ROWS: u32 = 5;
/// What an entry matters: its largest weight, times `rows ^ OFTEN`. Rare terms decide rare questions.
const OFTEN: f32 = 0.25;
/// Decimals of shipped weights and masses.
const DECIMALS: f32 = 100.0;
const MASS_DECIMALS: f32 = 1000.0;
/// Shipped weights below this are left out.
const LEAST_WEIGHT: f32 = 0.25;

/// Fits a lexicon on the rows that are used.
pub fn keywords(
    rows: &[Row],
    features: &Features,
    used: &[bool],
    options: KeywordOptions,
) -> Keywords {
    let weights = weights(rows, used);
    let values = values(features, rows.len());
    let counts = counts(rows, features, used);
    let mut allowed: Vec<bool> = counts
        .iter()
        .zip(&features.chosen)
        .map(|((rows, sources), chosen)| {
            *chosen || *sources >= LEAST_SOURCES && *rows >= LEAST_ROWS
        })
        .collect();
    let first = fit(
        rows,
        features,
        used,
        &weights,
        &values,
        &allowed,
        options.passes.div_ceil(2),
    );
    let mut matter: Vec<(f32, usize)> = (0..allowed.len())
        .filter(|at| allowed[*at])
        .map(|at| {
            let most = first.0[at].iter().map(|w| w.abs()).fold(0.0, f32::max);
            let chosen = if features.chosen[at] { f32::MAX } else { 0.0 };
            (
                chosen.max(most * values[at] * (counts[at].0 as f32).powf(OFTEN)),
                at,
            )
        })
        .collect();
    matter.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    allowed.fill(false);
    for (_, at) in matter.iter().take(options.entries) {
        allowed[*at] = true;
    }
    let (fitted, bias) = fit(
        rows,
        features,
        used,
        &weights,
        &values,
        &allowed,
        options.passes,
    );
    let mut entries: Vec<Entry> = (0..allowed.len())
        .filter(|at| allowed[*at])
        .map(|at| Entry {
            text: features.names[at].clone(),
            weights: centred(fitted[at]).map(|weight| shipped(weight * values[at])),
            mass: (values[at] * values[at] * MASS_DECIMALS).round() / MASS_DECIMALS,
        })
        .filter(|entry| entry.weights.iter().any(|weight| *weight != 0.0))
        .collect();
    entries.sort_by(|a, b| a.text.cmp(&b.text));
    Keywords { entries, bias }
}

fn shipped(weight: f32) -> f32 {
    match weight.abs() < LEAST_WEIGHT {
        true => 0.0,
        false => (weight * DECIMALS).round() / DECIMALS,
    }
}

/// The same differences between the classes, around their median: most classes then have a weight near 0.
fn centred(weights: Scores) -> Scores {
    let mut sorted = weights;
    sorted.sort_by(f32::total_cmp);
    weights.map(|weight| weight - sorted[CLASSES / 2])
}

fn values(features: &Features, rows: usize) -> Vec<f32> {
    let mut counts = vec![0.0_f32; features.names.len()];
    for row in &features.rows {
        for at in row {
            counts[*at as usize] += 1.0;
        }
    }
    (0..counts.len())
        .map(|at| {
            let name = &features.names[at];
            let kind = match (
                features.chosen[at],
                name.contains('*') && name.len() > 1,
                name.matches(' ').count(),
            ) {
                (true, ..) => CHOSEN,
                (_, true, _) => PART,
                (_, _, 0) => 1.0,
                (_, _, 1) => PAIR,
                _ => TRIPLE,
            };
            kind * RARE / (RARE + counts[at] / rows as f32)
        })
        .collect()
}

/// In how many rows and in how many sources each entry occurs.
fn counts(rows: &[Row], features: &Features, used: &[bool]) -> Vec<(u32, u8)> {
    let mut by_source: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate().filter(|(at, _)| used[*at]) {
        by_source.entry(&row.source).or_default().push(at);
    }
    let mut counts = vec![(0_u32, 0_u8); features.names.len()];
    let mut last = vec![usize::MAX; features.names.len()];
    for (source, rows) in by_source.into_values().enumerate() {
        for at in rows.into_iter().flat_map(|row| &features.rows[row]) {
            let at = *at as usize;
            counts[at].0 += 1;
            if last[at] != source {
                last[at] = source;
                counts[at].1 = counts[at].1.saturating_add(1);
            }
        }
    }
    counts
}

struct Sample {
    row: usize,
    entries: Vec<u32>,
    scale: f32,
}

fn fit(
    rows: &[Row],
    features: &Features,
    used: &[bool],
    weights: &[f32],
    values: &[f32],
    allowed: &[bool],
    passes: usize,
) -> (Vec<Scores>, Scores) {
    let mut samples: Vec<Sample> = (0..rows.len())
        .filter(|row| used[*row])
        .map(|row| {
            let entries: Vec<u32> = features.rows[row]
                .iter()
                .copied()
                .filter(|at| allowed[*at as usize])
                .collect();
            let mass: f32 = entries.iter().map(|at| values[*at as usize].powi(2)).sum();
            Sample {
                row,
                entries,
                scale: (PAD + mass).powf(-POWER),
            }
        })
        .collect();
    let mut fitted = vec![[0.0_f32; CLASSES]; values.len()];
    let mut squares = vec![[1e-4_f32; CLASSES]; values.len()];
    let mut bias = [0.0_f32; CLASSES];
    let mut bias_squares = [1e-2_f32; CLASSES];
    let mut order = Order::new();
    for pass in 0..passes {
        order.shuffle(&mut samples);
        let rate = RATE * (1.0 - 0.9 * pass as f32 / passes as f32);
        for sample in &samples {
            let mut logits = bias;
            for at in &sample.entries {
                let at = *at as usize;
                for (logit, weight) in logits.iter_mut().zip(&fitted[at]) {
                    *logit += sample.scale * values[at] * weight;
                }
            }
            let weight = weights[sample.row];
            let mut slope = softmax(logits, 1.0);
            slope[rows[sample.row].class] -= 1.0;
            for class in 0..CLASSES {
                slope[class] *= weight;
                bias_squares[class] += slope[class] * slope[class];
                bias[class] -= rate * 0.1 * slope[class] / bias_squares[class].sqrt();
            }
            for at in &sample.entries {
                let at = *at as usize;
                let value = sample.scale * values[at];
                for class in 0..CLASSES {
                    let step = slope[class] * value + PULL * weight * fitted[at][class];
                    squares[at][class] += step * step;
                    fitted[at][class] -= rate * step / squares[at][class].sqrt();
                }
            }
        }
    }
    (fitted, bias)
}
