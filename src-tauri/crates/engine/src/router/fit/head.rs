//! The head of the semantic stage: one hidden layer over the embedding, fitted with Adam (Kingma and Ba 2015).

use super::{EMBEDDER, Kind, Row, weights};
use crate::router::linear::{CLASSES, Order, softmax};
use crate::router::semantic::Head;
use std::collections::HashMap;

/// How the head is fitted.
#[derive(Clone, Copy, Debug)]
pub struct HeadOptions {
    /// Hidden units.
    pub units: usize,
    /// Passes over the rows.
    pub passes: usize,
    /// Most questions of one source and class.
    pub questions: usize,
    /// Most passages of one source and class.
    pub passages: usize,
}

impl Default for HeadOptions {
    fn default() -> HeadOptions {
        HeadOptions {
            units: 128,
            passes: 4,
            questions: 5000,
            passages: 900,
        }
    }
}

const BATCH: usize = 64;
const RATE: f32 = 0.01;
const PULL: f32 = 1e-5;
/// Spread of the first weights of either layer.
const FIRST_HIDDEN: f32 = 1.5;
const FIRST_TOP: f32 = 0.2;

/// Fits a head on the rows that are used. `embeddings`: one for each row, `[rows, dimension]`.
pub fn head(rows: &[Row], embeddings: &[Vec<f32>], used: &[bool], options: HeadOptions) -> Head {
    let mut counts: HashMap<(usize, &str), usize> = HashMap::new();
    let taken: Vec<bool> = rows
        .iter()
        .zip(used)
        .map(|(row, used)| {
            let most = match row.kind {
                Kind::Question => options.questions,
                Kind::Passage => options.passages,
                Kind::Term | Kind::Made => usize::MAX,
            };
            let count = counts.entry((row.class, &row.source)).or_default();
            *count += usize::from(*used);
            *used && *count <= most
        })
        .collect();
    let weights = weights(rows, &taken);
    let mut samples: Vec<usize> = (0..rows.len()).filter(|at| taken[*at]).collect();
    let dimension = embeddings.first().map_or(0, Vec::len);
    let units = options.units;
    let mut order = Order::new();
    let mut head = Head {
        embedder: EMBEDDER.to_owned(),
        hidden: (0..dimension * units)
            .map(|_| FIRST_HIDDEN * order.between())
            .collect(),
        hidden_bias: vec![0.0; units],
        top: (0..units)
            .map(|_| std::array::from_fn(|_| FIRST_TOP * order.between()))
            .collect(),
        bias: [0.0; CLASSES],
    };
    let mut fit = Slopes {
        hidden: Adam::new(dimension * units),
        hidden_bias: Adam::new(units),
        top: Adam::new(units * CLASSES),
        bias: Adam::new(CLASSES),
    };
    let steps = (options.passes * samples.len().div_ceil(BATCH)) as f32;
    let mut step = 0.0;
    for _ in 0..options.passes {
        order.shuffle(&mut samples);
        for batch in samples.chunks(BATCH) {
            for at in batch {
                fit.add(
                    &head,
                    &embeddings[*at],
                    rows[*at].class,
                    weights[*at] / BATCH as f32,
                );
            }
            step += 1.0;
            let rate = RATE * (1.0 - step / steps).max(0.02);
            fit.hidden.step(&mut head.hidden, rate, PULL);
            fit.hidden_bias.step(&mut head.hidden_bias, rate, 0.0);
            fit.top.step(head.top.as_flattened_mut(), rate, PULL);
            fit.bias.step(&mut head.bias, rate, 0.0);
        }
    }
    head
}

struct Slopes {
    hidden: Adam,
    hidden_bias: Adam,
    top: Adam,
    bias: Adam,
}

impl Slopes {
    /// Adds the slope of one sample's loss.
    fn add(&mut self, head: &Head, embedding: &[f32], class: usize, weight: f32) {
        let count = head.hidden_bias.len();
        let mut units = vec![0.0; count];
        head.units(embedding, &mut units);
        let mut slope = softmax(head.above(&units), 1.0);
        slope[class] -= 1.0;
        for (one, sum) in slope.iter_mut().zip(&mut self.bias.slope) {
            *one *= weight;
            *sum += *one;
        }
        let mut below = vec![0.0; count];
        for (at, unit) in units.iter().enumerate().filter(|(_, unit)| **unit > 0.0) {
            let tops = &mut self.top.slope[at * CLASSES..][..CLASSES];
            for ((slope, weight), top) in slope.iter().zip(&head.top[at]).zip(tops) {
                below[at] += slope * weight;
                *top += slope * unit;
            }
        }
        for (sum, one) in self.hidden_bias.slope.iter_mut().zip(&below) {
            *sum += one;
        }
        for (sums, x) in self.hidden.slope.chunks_exact_mut(count).zip(embedding) {
            for (sum, one) in sums.iter_mut().zip(&below) {
                *sum += x * one;
            }
        }
    }
}

struct Adam {
    slope: Vec<f32>,
    mean: Vec<f32>,
    square: Vec<f32>,
}

impl Adam {
    fn new(count: usize) -> Adam {
        Adam {
            slope: vec![0.0; count],
            mean: vec![0.0; count],
            square: vec![0.0; count],
        }
    }

    fn step(&mut self, weights: &mut [f32], rate: f32, pull: f32) {
        let sums = self
            .slope
            .iter_mut()
            .zip(&mut self.mean)
            .zip(&mut self.square);
        for (weight, ((slope, mean), square)) in weights.iter_mut().zip(sums) {
            *mean = 0.9 * *mean + 0.1 * *slope;
            *square = 0.99 * *square + 0.01 * *slope * *slope;
            *weight -= rate * (*mean / (square.sqrt() + 1e-6) + pull * *weight);
            *slope = 0.0;
        }
    }
}
