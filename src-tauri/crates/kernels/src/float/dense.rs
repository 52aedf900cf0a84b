//! `y = W·x` for matrices that are not ternary: unquantised linears and the exact head of small models.

use half::{bf16, f16};

use super::disjoint::DisjointMut;
use super::dot::{Element, dot_lanes};
use super::lanes::{Kernel, LANES, Lanes, dispatch};
use crate::isa::Isa;
use crate::pool::Pool;

/// Rows claimed at once by a thread.
const ROWS_PER_ITEM: usize = 32;

/// The values of a [`DenseMatrix`], row-major.
pub enum DenseRows {
    /// 32-bit floats.
    F32(Vec<f32>),
    /// IEEE half floats.
    F16(Vec<f16>),
    /// bfloat16.
    Bf16(Vec<bf16>),
}

/// A matrix of floats, `[rows, cols]` row-major.
pub struct DenseMatrix {
    rows: usize,
    cols: usize,
    values: DenseRows,
}

/// A dense matrix whose values are not `rows · cols`.
#[derive(Debug, thiserror::Error)]
#[error("dense matrix: {found} values, expected {rows} rows of {cols}")]
pub struct DenseShapeError {
    found: usize,
    rows: usize,
    cols: usize,
}

impl DenseMatrix {
    /// Takes `rows · cols` values, row-major.
    ///
    /// # Errors
    /// If the number of values is another.
    pub fn new(rows: usize, cols: usize, values: DenseRows) -> Result<Self, DenseShapeError> {
        let found = match &values {
            DenseRows::F32(v) => v.len(),
            DenseRows::F16(v) => v.len(),
            DenseRows::Bf16(v) => v.len(),
        };
        if rows.checked_mul(cols) != Some(found) {
            return Err(DenseShapeError { found, rows, cols });
        }
        Ok(Self { rows, cols, values })
    }

    /// Output features.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Input features.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Bytes the values occupy.
    pub fn bytes(&self) -> u64 {
        let each = match self.values {
            DenseRows::F32(_) => 4,
            DenseRows::F16(_) | DenseRows::Bf16(_) => 2,
        };
        self.rows as u64 * self.cols as u64 * each
    }

    /// Row `row` widened to f32 into `out`.
    ///
    /// # Panics
    /// If there is no such row or `out` is not `cols` long.
    pub fn row(&self, row: usize, out: &mut [f32]) {
        assert!(row < self.rows, "row {row} of a matrix of {}", self.rows);
        assert_eq!(out.len(), self.cols, "row buffer of a dense matrix");
        let range = row * self.cols..(row + 1) * self.cols;
        match &self.values {
            DenseRows::F32(v) => out.copy_from_slice(&v[range]),
            DenseRows::F16(v) => {
                for (out, x) in out.iter_mut().zip(&v[range]) {
                    *out = x.to_f32();
                }
            }
            DenseRows::Bf16(v) => {
                for (out, x) in out.iter_mut().zip(&v[range]) {
                    *out = x.to_f32();
                }
            }
        }
    }
}

/// `out = x · Wᵀ`, every value the sixteen-lane dot product of a token and a row.
///
/// # Shapes
/// - `x`: `[tokens, cols]` · `out`: `[tokens, rows]`
///
/// # Panics
/// If `x` is not whole tokens or `out` does not fit it.
pub fn dense_matmul(isa: Isa, pool: &Pool, matrix: &DenseMatrix, x: &[f32], out: &mut [f32]) {
    let (rows, cols) = (matrix.rows, matrix.cols);
    if rows == 0 || cols == 0 {
        out.fill(0.0);
        return;
    }
    assert_eq!(x.len() % cols, 0, "dense_matmul: input is not whole tokens");
    let tokens = x.len() / cols;
    assert_eq!(out.len(), tokens * rows, "dense_matmul: output length");
    let out = DisjointMut::new(out);
    pool.run(rows.div_ceil(ROWS_PER_ITEM), &|item| {
        let first = item * ROWS_PER_ITEM;
        let last = (first + ROWS_PER_ITEM).min(rows);
        match &matrix.values {
            DenseRows::F32(v) => block(isa, v, cols, rows, first..last, x, &out),
            DenseRows::F16(v) => block(isa, v, cols, rows, first..last, x, &out),
            DenseRows::Bf16(v) => block(isa, v, cols, rows, first..last, x, &out),
        }
    });
}

fn block<E: Element>(
    isa: Isa,
    values: &[E],
    cols: usize,
    rows: usize,
    range: std::ops::Range<usize>,
    x: &[f32],
    out: &DisjointMut<'_>,
) {
    let weights = &values[range.start * cols..range.end * cols];
    let part = |token: usize| {
        let start = token * rows;
        // SAFETY: items cover disjoint row ranges, so their parts of a token's outputs do not overlap, and every token of an
        // item is asked for once.
        unsafe { out.part(start + range.start..start + range.end) }
    };
    let mut tokens = x.chunks_exact(cols).enumerate();
    while tokens.len() >= TOKENS_AT_ONCE {
        let tile: [(usize, &[f32]); TOKENS_AT_ONCE] =
            std::array::from_fn(|_| tokens.next().expect("as many tokens are left"));
        dispatch(
            isa,
            Tile {
                weights,
                x: tile.map(|(_, x)| x),
                out: tile.map(|(token, _)| part(token)),
            },
        );
    }
    for (token, x) in tokens {
        let out = part(token);
        dispatch(isa, Rows { weights, x, out });
    }
}

/// Tokens that share one reading of the weights.
const TOKENS_AT_ONCE: usize = 4;

/// As [`Rows`], for several tokens: each weight is loaded once for all of them.
struct Tile<'a, E> {
    weights: &'a [E],
    x: [&'a [f32]; TOKENS_AT_ONCE],
    out: [&'a mut [f32]; TOKENS_AT_ONCE],
}

impl<E: Element> Kernel for Tile<'_, E> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(mut self, l: L) {
        let rows = self.out[0].len();
        let mut row = 0;
        // Sixteen sums fit the registers only where a vector is one register.
        while L::REGISTERS == 1 && row + ROWS_AT_ONCE <= rows {
            self.rows::<L, ROWS_AT_ONCE>(l, row);
            row += ROWS_AT_ONCE;
        }
        while row < rows {
            self.rows::<L, 1>(l, row);
            row += 1;
        }
    }
}

impl<E: Element> Tile<'_, E> {
    /// The products of `ROWS` rows from `first` on with every token.
    #[inline(always)]
    fn rows<L: Lanes, const ROWS: usize>(&mut self, l: L, first: usize) {
        let cols = self.x[0].len();
        let full = cols / LANES;
        let rows: [&[E]; ROWS] =
            std::array::from_fn(|row| &self.weights[(first + row) * cols..][..cols]);
        let chunks = rows.map(|row| &row.as_chunks::<LANES>().0[..full]);
        let x = self.x.map(|x| &x.as_chunks::<LANES>().0[..full]);
        let mut acc = [[l.splat(0.0); TOKENS_AT_ONCE]; ROWS];
        for chunk in 0..full {
            let mut tokens = [l.splat(0.0); TOKENS_AT_ONCE];
            for (token, x) in tokens.iter_mut().zip(&x) {
                *token = l.load(&x[chunk]);
            }
            for (acc, row) in acc.iter_mut().zip(&chunks) {
                let weight = E::load(l, &row[chunk]);
                for (acc, &token) in acc.iter_mut().zip(&tokens) {
                    *acc = l.fma(token, weight, *acc);
                }
            }
        }
        for (row, (acc, weights)) in acc.iter_mut().zip(&rows).enumerate() {
            for ((acc, x), out) in acc.iter_mut().zip(&self.x).zip(&mut self.out) {
                if full * LANES < cols {
                    let weight = E::load_part(l, &weights[full * LANES..]);
                    *acc = l.fma(l.load_part(&x[full * LANES..]), weight, *acc);
                }
                out[first + row] = l.sum(*acc);
            }
        }
    }
}

struct Rows<'a, E> {
    weights: &'a [E],
    x: &'a [f32],
    out: &'a mut [f32],
}

/// Rows whose sums run side by side, to hide the latency of the additions.
const ROWS_AT_ONCE: usize = 4;

impl<E: Element> Kernel for Rows<'_, E> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let cols = self.x.len();
        let (x, x_tail) = self.x.as_chunks::<LANES>();
        let (groups, rest) = self.out.as_chunks_mut::<ROWS_AT_ONCE>();
        let rest_start = groups.len() * ROWS_AT_ONCE;
        for (group, out) in groups.iter_mut().enumerate() {
            let rows: [&[E]; ROWS_AT_ONCE] = std::array::from_fn(|row| {
                &self.weights[(group * ROWS_AT_ONCE + row) * cols..][..cols]
            });
            let [first, second, third, fourth] = rows.map(|row| row.as_chunks::<LANES>().0);
            let pairs = first.iter().zip(second).zip(third.iter().zip(fourth));
            let mut acc = [l.splat(0.0); ROWS_AT_ONCE];
            for (x, ((first, second), (third, fourth))) in x.iter().zip(pairs) {
                let x = l.load(x);
                acc[0] = l.fma(x, E::load(l, first), acc[0]);
                acc[1] = l.fma(x, E::load(l, second), acc[1]);
                acc[2] = l.fma(x, E::load(l, third), acc[2]);
                acc[3] = l.fma(x, E::load(l, fourth), acc[3]);
            }
            for row in 0..ROWS_AT_ONCE {
                if !x_tail.is_empty() {
                    let tail = rows[row].as_chunks::<LANES>().1;
                    acc[row] = l.fma(l.load_part(x_tail), E::load_part(l, tail), acc[row]);
                }
                out[row] = l.sum(acc[row]);
            }
        }
        for (row, out) in rest.iter_mut().enumerate() {
            let weights = &self.weights[(rest_start + row) * cols..][..cols];
            *out = dot_lanes(l, self.x, weights);
        }
    }
}
