//! When two rows of logits count as equal.
//!
//! Rounding to int8 makes the network a step function. Where no activation lies on a rounding boundary (a *quiet* prompt), two right f32
//! engines agree to about 1e-6 of the logits' standard deviation σ; one boundary crossed moves them by 0.01 to 0.15 σ.

/// Share of the quiet prompts that must agree to [`QUIET_SIGMA`] at every logit.
pub const QUIET_SHARE: f64 = 0.7;
/// Largest difference of two right engines where nothing crosses a boundary, in σ.
pub const QUIET_SIGMA: f64 = 1e-3;
/// Largest difference on any prompt, in σ.
pub const ANY_SIGMA: f64 = 0.4;
/// Smallest cosine on any prompt.
pub const ANY_COSINE: f64 = 0.998;
/// Below this gap between its two largest logits, in σ, the reference itself is undecided.
pub const UNDECIDED_SIGMA: f64 = 0.35;
/// Share of greedy tokens that must come before first differences.
pub const GREEDY_SHARE: f64 = 0.35;

/// How far a row is from the published one.
#[derive(Debug, Clone, Copy)]
pub struct Distance {
    /// Largest difference, in σ of the published row.
    pub sigma: f64,
    pub cosine: f64,
    pub same_argmax: bool,
}

/// Compares a row of logits with the published one.
pub fn distance(ours: &[f32], published: &[f32]) -> Distance {
    assert_eq!(ours.len(), published.len(), "rows of the embedding");
    let wide = |row: &[f32]| {
        row.iter()
            .map(|&logit| f64::from(logit))
            .collect::<Vec<_>>()
    };
    let (a, b) = (wide(ours), wide(published));
    let largest = a
        .iter()
        .zip(&b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f64::max);
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    Distance {
        sigma: largest / deviation(published),
        cosine: product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt(),
        same_argmax: argmax(ours) == argmax(published),
    }
}

/// How far the best tokens, best first, are from a published row, in σ: the largest difference of their logits, or by how much the
/// published logit of a token that is missing exceeds the last of ours.
pub fn distance_of_best(best: &[(u32, f32)], published: &[f32]) -> f64 {
    let mut missing = published.to_vec();
    let mut largest: f64 = 0.0;
    for &(id, logit) in best {
        let theirs = std::mem::replace(&mut missing[id as usize], f32::NEG_INFINITY);
        largest = largest.max((f64::from(logit) - f64::from(theirs)).abs());
    }
    let last = best.last().expect("at least one").1;
    let missed = missing[argmax(&missing) as usize] - last;
    largest.max(f64::from(missed)) / deviation(published)
}

/// The standard deviation σ of a row.
fn deviation(row: &[f32]) -> f64 {
    let wide = || row.iter().map(|&logit| f64::from(logit));
    let mean = wide().sum::<f64>() / row.len() as f64;
    (wide().map(|logit| (logit - mean).powi(2)).sum::<f64>() / row.len() as f64).sqrt()
}

/// The id of the largest logit; the lowest one of several.
pub fn argmax(row: &[f32]) -> u32 {
    let mut best = 0;
    for (id, &logit) in row.iter().enumerate() {
        if logit > row[best] {
            best = id;
        }
    }
    best as u32
}
