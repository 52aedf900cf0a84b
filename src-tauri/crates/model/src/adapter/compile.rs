//! From the numbers of a file to scales and gains: the one form in which every adapter is applied.

use r3mes_kernels::{Isa, Pool};

use super::config::AdapterForm;
use super::error::AdapterError;
use super::file::LinearNumbers;
use super::linear::LinearName;
use super::norms::{base_rows, gram, quadratic};
use crate::weights::Weights;

/// Norms of `BA` below this count as this, in the additive form.
const SMALLEST_NORM: f64 = 1e-8;

/// `y ← gain ⊙ y + scales ⊙ B(A·x)`.
pub(super) struct Compiled {
    /// `[out]`
    pub scales: Vec<f32>,
    /// `[out]`, in the weight-decomposed form.
    pub gain: Option<Vec<f32>>,
    /// Whether `B` is zero: the adapter has not been trained here.
    pub untrained: bool,
}

/// Everything that [`compile`] needs beside the numbers.
pub(super) struct Place<'a> {
    pub adapter: &'a str,
    pub layer: usize,
    pub linear: LinearName,
    pub form: AdapterForm,
    pub scaling: f64,
    pub rank: usize,
}

/// Works out scales and gain of one linear.
///
/// # Errors
/// If a row of the weight and its change are all zero while the magnitude is not, or a result is no finite f32.
pub(super) fn compile(
    isa: Isa,
    pool: &Pool,
    weights: &Weights,
    place: &Place<'_>,
    numbers: &LinearNumbers,
) -> Result<Compiled, AdapterError> {
    let LinearNumbers { a, b, magnitude } = numbers;
    let (s, rank) = (place.scaling, place.rank);
    let rows = b.len() / rank;
    let untrained = b.iter().all(|value| *value == 0.0);
    let Some(magnitude) = magnitude else {
        return Ok(Compiled {
            scales: vec![s as f32; rows],
            gain: None,
            untrained,
        });
    };
    let gram = gram(a, rank);
    let changes = b.chunks_exact(rank);
    if place.form == AdapterForm::Additive {
        let scales = changes.zip(magnitude).map(|(b, m)| {
            let norm = quadratic(b, &gram).sqrt().max(SMALLEST_NORM);
            (s * f64::from(*m) / norm) as f32
        });
        return Ok(Compiled {
            scales: scales.collect(),
            gain: None,
            untrained,
        });
    }
    let (base, first) = place.linear.find(weights, place.layer);
    let base = base_rows(isa, pool, base, (first, rows), a, rank);
    let mut gain = Vec::with_capacity(rows);
    for (row, (b, m)) in changes.zip(magnitude).enumerate() {
        let cross: f64 = base.products[row * rank..][..rank]
            .iter()
            .zip(b)
            .map(|(product, b)| product * f64::from(*b))
            .sum();
        let square = base.squares[row] + 2.0 * s * cross + s * s * quadratic(b, &gram);
        gain.push(match (square > 0.0, *m == 0.0) {
            (true, _) => (f64::from(*m) / square.sqrt()) as f32,
            // A row of zeros of length zero is what it should be.
            (false, true) => 1.0,
            (false, false) => return Err(zero_norm(place, row, *m)),
        });
    }
    Ok(Compiled {
        scales: gain.iter().map(|g| (f64::from(*g) * s) as f32).collect(),
        gain: Some(gain),
        untrained,
    })
}

fn zero_norm(place: &Place<'_>, row: usize, magnitude: f32) -> AdapterError {
    AdapterError::Linear {
        adapter: place.adapter.to_owned(),
        layer: place.layer,
        linear: place.linear.as_str(),
        found: format!(
            "output feature {row} of weight and change together has norm 0 and magnitude {magnitude}"
        ),
        expected: "a norm above 0, or magnitude 0".to_owned(),
    }
}
