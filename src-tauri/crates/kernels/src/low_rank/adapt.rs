//! Adapters applied to the result of a product.

use std::sync::Arc;

use super::down::{Down, ROWS};
use super::memory::LowRank;
use super::shape::LowRankPrecision;
use super::up::Up;
use crate::float::lanes::{LANES, dispatch};
use crate::pool::Slots;
use crate::ternary::{TernaryMatrix, matmul_beside};
use crate::{Activations, Isa, Pool};

/// Tiles of 16 output features that a thread claims at once.
const TILES_PER_ITEM: usize = 16;
/// Tokens against which a few rows of `A` are taken at once: their activations stay in the second cache level.
const TOKENS_PER_ITEM: usize = 32;

/// What adapters do to one linear, whose results stand in columns `first_row..` of each token's results.
#[derive(Debug, Clone)]
pub struct Adapted {
    /// First column among the results of all linears that share the input.
    pub first_row: usize,
    /// Output features.
    pub rows: usize,
    /// What the result is multiplied by.
    pub gain: Gain,
    /// What is added, in this order.
    pub parts: Vec<Part>,
}

/// One adapter's addition with its share.
#[derive(Debug, Clone)]
pub struct Part {
    /// The low-rank change.
    pub change: LowRank,
    /// Its share.
    pub weight: f32,
}

/// `γ`, one factor for each output feature.
#[derive(Debug, Clone)]
pub enum Gain {
    /// 1 everywhere.
    One,
    /// That of the adapter of this place among the parts.
    Of(usize),
    /// Its own: `[rows]`.
    Mixed(Arc<[f32]>),
}

impl Adapted {
    fn gain(&self) -> Option<&[f32]> {
        match &self.gain {
            Gain::One => None,
            Gain::Of(part) => self.parts[*part].change.gain(),
            Gain::Mixed(gain) => Some(gain),
        }
    }
}

/// `y ← γ ⊙ y + Σ w · c ⊙ B(A·x)` for every linear of `linears`.
///
/// # Shapes
/// - `x`: `[tokens, in_features]` · `y`: `[tokens, width]`, the results of all linears that read `x` side by side
/// - `scratch` holds `A·x` and is reused from call to call
///
/// # Panics
/// If a shape disagrees: the caller built `linears` for this model.
pub fn adapt(
    isa: Isa,
    pool: &Pool,
    linears: &[Adapted],
    tokens: usize,
    x: &[f32],
    y: &mut [f32],
    scratch: &mut Vec<f32>,
) {
    if tokens == 0 || linears.is_empty() {
        return;
    }
    let ranks = clear(linears, tokens, scratch);
    let inputs = Inputs::new(linears, tokens, x);
    let t = Slots::new(scratch);
    pool.run(inputs.items(), &|item| inputs.run(isa, item, &t));
    up(isa, pool, linears, tokens, (scratch, ranks), y);
}

/// [`matmul`](crate::matmul) and then [`adapt`]: `A·x` is computed in the same job of the pool as the product.
///
/// # Shapes
/// - as there; `x`: `[tokens, cols]`, what `activations` was quantised from
///
/// # Panics
/// As there.
#[expect(
    clippy::too_many_arguments,
    reason = "those of the two functions it joins"
)]
pub fn matmul_adapted(
    isa: Isa,
    pool: &Pool,
    (matrix, row_scales): (&TernaryMatrix, &[f32]),
    activations: &Activations,
    linears: &[Adapted],
    x: &[f32],
    y: &mut [f32],
    scratch: &mut Vec<f32>,
) {
    let tokens = activations.tokens();
    let ranks = clear(linears, tokens, scratch);
    let inputs = Inputs::new(linears, tokens.max(1), x);
    let t = Slots::new(scratch);
    let others = |item| inputs.run(isa, item, &t);
    let matrix = (matrix, row_scales);
    matmul_beside(isa, pool, matrix, activations, y, (inputs.items(), &others));
    if tokens > 0 && !linears.is_empty() {
        up(isa, pool, linears, tokens, (scratch, ranks), y);
    }
}

/// Makes room for `A·x`; returns its length for one token.
fn clear(linears: &[Adapted], tokens: usize, scratch: &mut Vec<f32>) -> usize {
    let ranks = linears.iter().map(ranks_of).sum();
    scratch.clear();
    scratch.resize(tokens * ranks, 0.0);
    ranks
}

/// `A·x` of all parts side by side, as items of work: a few rows of `A` against some tokens.
struct Inputs<'a> {
    linears: &'a [Adapted],
    tokens: usize,
    columns: usize,
    x: &'a [f32],
    /// Groups of [`ROWS`] rows in all parts.
    groups: usize,
    ranks: usize,
}

impl<'a> Inputs<'a> {
    fn new(linears: &'a [Adapted], tokens: usize, x: &'a [f32]) -> Self {
        let columns = x.len() / tokens;
        let parts = || linears.iter().flat_map(|linear| &linear.parts);
        assert!(
            parts().all(|part| part.change.shape().in_features == columns),
            "an adapter for another input than {columns} features"
        );
        Self {
            linears,
            tokens,
            columns,
            x,
            groups: parts().map(groups_of).sum(),
            ranks: linears.iter().map(ranks_of).sum(),
        }
    }

    fn items(&self) -> usize {
        self.groups * self.tokens.div_ceil(TOKENS_PER_ITEM)
    }

    /// One item; `t` is `[tokens, ranks]`.
    fn run(&self, isa: Isa, item: usize, t: &Slots<'_, f32>) {
        let (chunk, mut group) = (item / self.groups, item % self.groups);
        let mut place = 0;
        let parts = self.linears.iter().flat_map(|linear| &linear.parts);
        for part in parts {
            if group >= groups_of(part) {
                group -= groups_of(part);
                place += part.change.shape().rank;
                continue;
            }
            let first = chunk * TOKENS_PER_ITEM;
            let count = TOKENS_PER_ITEM.min(self.tokens - first);
            let x = &self.x[first * self.columns..][..count * self.columns];
            let mut out = [[0.0; ROWS]; TOKENS_PER_ITEM];
            let rows = rows_of(isa, part, group, x, self.columns, &mut out[..count]);
            for (token, values) in out[..count].iter().enumerate() {
                let start = (first + token) * self.ranks + place + group * ROWS;
                // SAFETY: each (token, rows of a part) is handed out once.
                unsafe { t.range(start, rows) }.copy_from_slice(&values[..rows]);
            }
            return;
        }
    }
}

fn groups_of(part: &Part) -> usize {
    part.change.shape().rank.div_ceil(ROWS)
}

/// The rows of one group; returns how many they are.
fn rows_of(
    isa: Isa,
    part: &Part,
    group: usize,
    x: &[f32],
    columns: usize,
    out: &mut [[f32; ROWS]],
) -> usize {
    let shape = part.change.shape();
    let first = group * ROWS;
    let rows = ROWS.min(shape.rank - first);
    let padded = shape.padded_in();
    let weight = part.weight;
    match shape.precision {
        LowRankPrecision::F32 => {
            let codes = &part.change.down_f32()[first * padded..][..rows * padded];
            let down = Down {
                codes,
                scales: &[],
                rows,
                x,
                columns,
                weight,
                out,
            };
            dispatch(isa, down);
        }
        LowRankPrecision::Int8 => {
            let codes = &part.change.down_i8()[first * padded..][..rows * padded];
            let blocks = padded / super::BLOCK;
            let scales = &part.change.down_scales()[first * blocks..][..rows * blocks];
            let down = Down {
                codes,
                scales,
                rows,
                x,
                columns,
                weight,
                out,
            };
            dispatch(isa, down);
        }
    }
    rows
}

fn up(
    isa: Isa,
    pool: &Pool,
    linears: &[Adapted],
    tokens: usize,
    (t, ranks): (&[f32], usize),
    y: &mut [f32],
) {
    let width = y.len() / tokens;
    let items = |linear: &Adapted| linear.rows.div_ceil(LANES * TILES_PER_ITEM);
    let total = linears.iter().map(items).sum();
    let slots = Slots::new(y);
    pool.run(total, &|mut item| {
        let mut place = 0;
        let mut found = None;
        for linear in linears {
            if item < items(linear) {
                found = Some(linear);
                break;
            }
            item -= items(linear);
            place += ranks_of(linear);
        }
        let linear = found.expect("the item is one of those counted");
        assert!(
            linear.first_row + linear.rows <= width,
            "adapted rows past the result's {width}"
        );
        let parts: Vec<(&LowRank, usize)> = linear
            .parts
            .iter()
            .scan(place, |place, part| {
                let first = *place;
                *place += part.change.shape().rank;
                Some((&part.change, first))
            })
            .collect();
        for (part, _) in &parts {
            assert_eq!(part.shape().out_features, linear.rows, "rows of an adapter");
        }
        let first = item * TILES_PER_ITEM;
        let from = first * LANES;
        let rows = (TILES_PER_ITEM * LANES).min(linear.rows - from);
        let up = Up {
            parts: &parts,
            gain: linear.gain(),
            first,
            t,
            ranks,
            // SAFETY: each (token, rows of an item) is handed out once.
            y: &mut |token| unsafe { slots.range(token * width + linear.first_row + from, rows) },
            tokens,
        };
        dispatch(isa, up);
    });
}

fn ranks_of(linear: &Adapted) -> usize {
    linear
        .parts
        .iter()
        .map(|part| part.change.shape().rank)
        .sum()
}
