//! Merging what the pages of a row gave, in page order, and the final division.
//!
//! A partial row is `[maximum, sum of exponentials, unused…]` followed by the weighted values, sixteen floats at a time.

use crate::float::exp_lanes;
use crate::float::lanes::{LANES, Lanes};

/// Chunks of sixteen floats that a partial row occupies.
pub(super) fn row_chunks(padded_dim: usize) -> usize {
    1 + padded_dim / LANES
}

/// `running ← running ⊕ page`: both are rescaled to the larger maximum and added.
#[inline(always)]
pub(super) fn merge<L: Lanes>(l: L, running: &mut [[f32; LANES]], page: &[[f32; LANES]]) {
    let (old_max, page_max) = (running[0][0], page[0][0]);
    let max = if page_max > old_max {
        page_max
    } else {
        old_max
    };
    let mut factors = [0.0; LANES];
    factors[0] = old_max - max;
    factors[1] = page_max - max;
    let exponentials = exp_lanes(l, l.load(&factors));
    l.store(exponentials, &mut factors);
    running[0][0] = max;
    running[0][1] = running[0][1].mul_add(factors[0], page[0][1] * factors[1]);
    let (old, new) = (l.splat(factors[0]), l.splat(factors[1]));
    for (running, page) in running.iter_mut().zip(page).skip(1) {
        let sum = l.fma(l.load(running), old, l.mul(l.load(page), new));
        l.store(sum, running);
    }
}

/// `out = weighted values / sum of exponentials`.
#[inline(always)]
pub(super) fn finish<L: Lanes>(l: L, row: &[[f32; LANES]], out: &mut [f32]) {
    let sum = l.splat(row[0][1]);
    for (values, out) in row[1..].iter().zip(out.chunks_mut(LANES)) {
        l.store_part(l.div(l.load(values), sum), out);
    }
}
