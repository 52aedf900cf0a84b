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
    for (token, x) in x.chunks_exact(cols).enumerate() {
        let start = token * rows;
        // SAFETY: items cover disjoint row ranges, so their parts of a token's outputs do not overlap, and tokens differ.
        let out = unsafe { out.part(start + range.start..start + range.end) };
        dispatch(isa, Rows { weights, x, out });
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
