//! `t = w · A·x`: rows of `A` against tokens, in blocks of 64 columns.
//!
//! Within a block four vectors of sixteen products are added one after the other, the block's sum times its scale is added to the
//! row's sum; the sixteen lanes are added at the end as everywhere ([`crate::float`]).

use super::BLOCK;
use crate::float::dot::Element;
use crate::float::lanes::{Kernel, LANES, Lanes};

/// Rows of `A` that are taken at once.
pub(super) const ROWS: usize = 4;

/// Some rows of `A` against all tokens.
pub(super) struct Down<'a, E> {
    /// Up to [`ROWS`] rows: `[rows, padded in]`.
    pub codes: &'a [E],
    /// bf16 bits: `[rows, padded in / 64]`; empty where there are no scales.
    pub scales: &'a [u16],
    /// Rows among the codes.
    pub rows: usize,
    /// `[tokens, in]`.
    pub x: &'a [f32],
    /// Columns of `x`.
    pub columns: usize,
    /// Multiplied into every result.
    pub weight: f32,
    /// `[tokens, ROWS]`; rows past the last are left alone.
    pub out: &'a mut [[f32; ROWS]],
}

impl<E: Element> Kernel for Down<'_, E> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(mut self, l: L) {
        let rows = self.rows;
        // With two registers a vector fewer sums fit.
        match (rows, L::REGISTERS) {
            (ROWS, 1) => tokens::<L, E, ROWS, 4>(l, self, 0),
            (ROWS, _) => {
                tokens::<L, E, 2, 2>(l, self.again(), 0);
                tokens::<L, E, 2, 2>(l, self, 2);
            }
            _ => {
                for first in 0..rows {
                    tokens::<L, E, 1, 4>(l, self.again(), first);
                }
            }
        }
    }
}

impl<E> Down<'_, E> {
    /// The same, for a part of the rows.
    #[inline(always)]
    fn again(&mut self) -> Down<'_, E> {
        Down {
            out: &mut *self.out,
            ..*self
        }
    }
}

/// `R` rows from `first` against all tokens, `T` at a time and the rest one by one.
#[inline(always)]
fn tokens<L: Lanes, E: Element, const R: usize, const T: usize>(
    l: L,
    down: Down<'_, E>,
    first: usize,
) {
    let columns = down.columns;
    let count = down.out.len();
    let whole = count / T * T;
    let mut token = 0;
    while token < whole {
        let x = &down.x[token * columns..][..T * columns];
        let out = &mut down.out[token..][..T];
        sums::<L, E, R, T>(l, (down.codes, down.scales), first, x, down.weight, out);
        token += T;
    }
    while token < count {
        let x = &down.x[token * columns..][..columns];
        let out = &mut down.out[token..][..1];
        sums::<L, E, R, 1>(l, (down.codes, down.scales), first, x, down.weight, out);
        token += 1;
    }
}

#[inline(always)]
fn sums<L: Lanes, E: Element, const R: usize, const T: usize>(
    l: L,
    rows: (&[E], &[u16]),
    first: usize,
    x: &[f32],
    weight: f32,
    out: &mut [[f32; ROWS]],
) {
    let columns = x.len() / T;
    let blocks = columns.div_ceil(BLOCK);
    let mut acc = [[l.splat(0.0); T]; R];
    let mut inputs: [&[f32; BLOCK]; T] = [&[0.0; BLOCK]; T];
    for block in 0..columns / BLOCK {
        for token in 0..T {
            inputs[token] = x[token * columns + block * BLOCK..]
                .first_chunk()
                .expect("a whole block of columns");
        }
        add_block::<L, E, R, T>(l, rows, (first, block, blocks), &inputs, &mut acc);
    }
    let rest = columns % BLOCK;
    if rest > 0 {
        let mut padded = [[0.0f32; BLOCK]; T];
        for token in 0..T {
            padded[token][..rest].copy_from_slice(&x[(token + 1) * columns - rest..][..rest]);
        }
        for token in 0..T {
            inputs[token] = &padded[token];
        }
        add_block::<L, E, R, T>(l, rows, (first, blocks - 1, blocks), &inputs, &mut acc);
    }
    for (row, sums) in acc.iter().enumerate() {
        for token in 0..T {
            out[token][first + row] = l.sum(sums[token]) * weight;
        }
    }
}

/// Adds one block of columns to the sums of `R` rows and `T` tokens.
#[inline(always)]
fn add_block<L: Lanes, E: Element, const R: usize, const T: usize>(
    l: L,
    (codes, scales): (&[E], &[u16]),
    (first, block, blocks): (usize, usize, usize),
    inputs: &[&[f32; BLOCK]; T],
    acc: &mut [[L::V; T]; R],
) {
    for (row, acc) in acc.iter_mut().enumerate() {
        let place = (first + row) * blocks + block;
        let codes: &[E; BLOCK] = codes[place * BLOCK..]
            .first_chunk()
            .expect("rows are padded to whole blocks");
        let codes = codes.as_chunks::<LANES>().0;
        let scale = match scales.is_empty() {
            true => l.splat(1.0),
            false => l.splat(f32::from_bits(u32::from(scales[place]) << 16)),
        };
        let mut sum = [l.splat(0.0); T];
        for (vector, code) in codes.iter().enumerate() {
            let code = E::load(l, code);
            for token in 0..T {
                let input = l.load(&inputs[token].as_chunks::<LANES>().0[vector]);
                sum[token] = match vector {
                    0 => l.mul(input, code),
                    _ => l.fma(input, code, sum[token]),
                };
            }
        }
        for token in 0..T {
            acc[token] = l.fma(sum[token], scale, acc[token]);
        }
    }
}
