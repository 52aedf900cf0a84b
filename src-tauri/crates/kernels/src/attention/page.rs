//! One head's part of a page, read as a whole by a few query rows side by side.

use super::layout::{PAGE, PageLayout};
use super::merge::row_chunks;
use super::products::{Tiles, outer, products};
use super::store::{Stored, elements};
use crate::float::exp_lanes;
use crate::float::lanes::{LANES, Lanes};

/// Query rows computed side by side; twelve accumulators of eight floats fit the registers of AVX2.
pub(super) const MOST_ROWS: usize = 6;

/// One query row and how many positions of the page at hand it sees.
#[derive(Clone, Copy)]
pub(super) struct QueryRow<'a> {
    /// `[head_dim]`
    pub(super) q: &'a [f32],
    pub(super) visible: usize,
}

/// One head's part of a page.
pub(super) struct HeadPage<'a, E> {
    /// `[PAGE / 16][head_dim]` of sixteen positions.
    keys: &'a [[E; LANES]],
    /// `[padded_dim / 16][PAGE]` of sixteen dimensions.
    values: &'a [[E; LANES]],
    /// `[PAGE / 16]`, empty where the format has no scales.
    key_scales: &'a [[f32; LANES]],
    value_scales: &'a [[f32; LANES]],
    head_dim: usize,
}

impl<'a, E: Stored> HeadPage<'a, E> {
    pub(super) fn new(page: &'a [u8], layout: &PageLayout, layer: usize, kv_head: usize) -> Self {
        let [keys, values, key_scales, value_scales] = layout.head(layer, kv_head);
        Self {
            keys: elements::<E>(&page[keys]).as_chunks().0,
            values: elements::<E>(&page[values]).as_chunks().0,
            key_scales: elements::<f32>(&page[key_scales]).as_chunks().0,
            value_scales: elements::<f32>(&page[value_scales]).as_chunks().0,
            head_dim: layout.head_dim,
        }
    }

    /// What this page contributes to at most [`MOST_ROWS`] query rows.
    ///
    /// A row of `out` becomes `[max score, Σ exp(score − max), 0…]`, then the weighted values, see [`super::merge`].
    #[inline(always)]
    pub(super) fn attend<L: Lanes>(
        &self,
        l: L,
        rows: &[QueryRow<'_>],
        scale: f32,
        out: &mut [[f32; LANES]],
    ) {
        let mut weights = [[[0.0; LANES]; PAGE / LANES]; MOST_ROWS];
        let weights = &mut weights[..rows.len()];
        match rows.len() {
            6 => self.score::<L, 6>(l, rows, scale, weights),
            5 => self.score::<L, 5>(l, rows, scale, weights),
            4 => self.score::<L, 4>(l, rows, scale, weights),
            3 => self.score::<L, 3>(l, rows, scale, weights),
            2 => self.score::<L, 2>(l, rows, scale, weights),
            _ => self.score::<L, 1>(l, rows, scale, weights),
        }
        let row_chunks = row_chunks(self.values.len() / PAGE * LANES);
        let parts = out.chunks_exact_mut(row_chunks);
        for ((row, weights), part) in rows.iter().zip(&mut *weights).zip(parts) {
            self.soften(l, weights, row.visible, &mut part[0]);
        }
        let shared = rows.iter().map(|row| row.visible).min().unwrap_or(0);
        match rows.len() {
            6 => self.weigh::<L, 6>(l, weights, shared, out),
            5 => self.weigh::<L, 5>(l, weights, shared, out),
            4 => self.weigh::<L, 4>(l, weights, shared, out),
            3 => self.weigh::<L, 3>(l, weights, shared, out),
            2 => self.weigh::<L, 2>(l, weights, shared, out),
            _ => self.weigh::<L, 1>(l, weights, shared, out),
        }
        // Positions that only some of the rows see.
        let parts = out.chunks_exact_mut(row_chunks);
        for ((row, weights), part) in rows.iter().zip(&*weights).zip(parts) {
            let weights = &weights.as_flattened()[shared..row.visible];
            if !weights.is_empty() {
                let values = self.values.chunks_exact(PAGE);
                for (values, out) in values.zip(&mut part[1..]) {
                    let values = [&values[shared..row.visible]];
                    let [[sum]] = outer(l, [weights], values, [[l.load(out)]]);
                    l.store(sum, out);
                }
            }
        }
    }

    /// Scores of every row with the positions any of them sees, in tiles of sixteen positions.
    #[inline(always)]
    fn score<L: Lanes, const ROWS: usize>(
        &self,
        l: L,
        rows: &[QueryRow<'_>],
        scale: f32,
        weights: &mut [[[f32; LANES]; PAGE / LANES]],
    ) {
        let longest = rows.iter().map(|row| row.visible).max().unwrap_or(0);
        let q: [&[f32]; ROWS] = std::array::from_fn(|row| rows[row].q);
        let (dim, tiles) = (self.head_dim, longest.div_ceil(LANES));
        let keys = Tiles {
            vectors: &self.keys[..tiles * dim],
            length: dim,
            depth: dim,
        };
        products(l, q, keys, weights.as_flattened_mut(), PAGE / LANES);
        for tile in 0..tiles {
            let factor = if E::SCALED {
                l.mul(l.load(&self.key_scales[tile]), l.splat(scale))
            } else {
                l.splat(scale)
            };
            for weights in &mut *weights {
                let score = l.mul(l.load(&weights[tile]), factor);
                l.store(score, &mut weights[tile]);
            }
        }
    }

    /// Values of the first `shared` positions, summed with the weights of each row.
    #[inline(always)]
    fn weigh<L: Lanes, const ROWS: usize>(
        &self,
        l: L,
        weights: &[[[f32; LANES]; PAGE / LANES]],
        shared: usize,
        out: &mut [[f32; LANES]],
    ) {
        let flat: [&[f32]; ROWS] = std::array::from_fn(|row| weights[row].as_flattened());
        let row_chunks = out.len() / ROWS;
        let values = Tiles {
            vectors: self.values,
            length: PAGE,
            depth: shared,
        };
        products(l, flat, values, &mut out[1..], row_chunks);
    }

    /// Turns the scores of a row into the weights of its values; writes maximum and sum of exponentials to `head`.
    #[inline(always)]
    fn soften<L: Lanes>(
        &self,
        l: L,
        weights: &mut [[f32; LANES]; PAGE / LANES],
        visible: usize,
        head: &mut [f32; LANES],
    ) {
        let weights = &mut weights[..visible.div_ceil(LANES)];
        if let Some(last) = weights.last_mut() {
            last[(visible - 1) % LANES + 1..].fill(f32::NEG_INFINITY);
        }
        let mut max = l.splat(f32::NEG_INFINITY);
        for tile in weights.iter() {
            max = l.max(l.load(tile), max);
        }
        let largest = l.max_lane(max);
        let mut sum = l.splat(0.0);
        for (tile, weights) in weights.iter_mut().enumerate() {
            let p = exp_lanes(l, l.sub(l.load(weights), l.splat(largest)));
            sum = l.add(sum, p);
            let weight = if E::SCALED {
                l.mul(p, l.load(&self.value_scales[tile]))
            } else {
                p
            };
            l.store(weight, weights);
        }
        *head = [0.0; LANES];
        head[0] = largest;
        head[1] = l.sum(sum);
    }
}
