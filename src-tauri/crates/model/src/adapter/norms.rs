//! Norms of the rows of `W₀ + s·BA`, without making `BA` or unpacking `W₀`.
//!
//! `‖w + s·v‖² = ‖w‖² + 2s·w·v + s²‖v‖²` with `v = b·A` for a row `b` of `B`. `w·v = b · (W₀Aᵀ)`, and `W₀Aᵀ` is a ternary product:
//! each row of `A` is written as three balanced base-256 digits, whose products are exact integers, so it is exact to 2⁻²² of the
//! row's largest number. `‖v‖² = b (AAᵀ) bᵀ`. Sums are f64.

use r3mes_kernels::{Activations, Isa, Pool, TernaryMatrix, dense_matmul, matmul_i32};

use crate::weights::{Linear, Matrix};

/// Digits of a fixed-point number.
const DIGITS: usize = 3;
/// The largest fixed-point number: its highest digit stays below 64.
const LARGEST: f64 = (1 << 22) as f64;

/// What is known of the rows of a base weight and their products with `A`.
pub(crate) struct BaseRows {
    /// `‖w‖²`: `[rows]`.
    pub squares: Vec<f64>,
    /// `W₀Aᵀ`: `[rows, rank]`.
    pub products: Vec<f64>,
}

/// Rows `first..first + count` of a linear against `a`.
///
/// # Shapes
/// - `a`: `[rank, in_features]`
pub(crate) fn base_rows(
    isa: Isa,
    pool: &Pool,
    linear: &Linear,
    (first, count): (usize, usize),
    a: &[f32],
    rank: usize,
) -> BaseRows {
    let rows = first..first + count;
    match &linear.matrix {
        Matrix::Ternary { packed, row_scales } => {
            let scales = &row_scales[rows.clone()];
            let scaled = |row: usize, value: f64| value * f64::from(scales[row]);
            let nonzeros = packed.nonzeros(rows.clone());
            let squares = nonzeros
                .iter()
                .enumerate()
                .map(|(row, count)| scaled(row, scaled(row, f64::from(*count))))
                .collect();
            let mut products = ternary_products(isa, pool, packed, rows, a, rank);
            for (row, products) in products.chunks_exact_mut(rank).enumerate() {
                products
                    .iter_mut()
                    .for_each(|product| *product = scaled(row, *product));
            }
            BaseRows { squares, products }
        }
        Matrix::Dense(matrix) => {
            let mut row = vec![0.0; matrix.cols()];
            let squares = rows
                .clone()
                .map(|index| {
                    matrix.row(index, &mut row);
                    square(&row)
                })
                .collect();
            let mut out = vec![0.0; rank * matrix.rows()];
            dense_matmul(isa, pool, matrix, a, &mut out);
            let products = rows
                .flat_map(|row| (0..rank).map(move |r| (r, row)))
                .map(|(r, row)| f64::from(out[r * matrix.rows() + row]))
                .collect();
            BaseRows { squares, products }
        }
    }
}

/// `A·Aᵀ`: `[rank, rank]`.
pub(crate) fn gram(a: &[f32], rank: usize) -> Vec<f64> {
    let columns = a.len() / rank;
    let row = |r: usize| &a[r * columns..][..columns];
    let mut out = vec![0.0; rank * rank];
    for i in 0..rank {
        for j in 0..=i {
            let sum = row(i)
                .iter()
                .zip(row(j))
                .map(|(x, y)| f64::from(*x) * f64::from(*y))
                .sum();
            out[i * rank + j] = sum;
            out[j * rank + i] = sum;
        }
    }
    out
}

/// `b G bᵀ`.
pub(crate) fn quadratic(b: &[f32], gram: &[f64]) -> f64 {
    let rank = b.len();
    b.iter()
        .enumerate()
        .map(|(i, x)| {
            let inner: f64 = gram[i * rank..][..rank]
                .iter()
                .zip(b)
                .map(|(g, y)| g * f64::from(*y))
                .sum();
            f64::from(*x) * inner
        })
        .sum::<f64>()
        // Rounding may leave less than nothing of a row that is nearly zero.
        .max(0.0)
}

fn square(row: &[f32]) -> f64 {
    row.iter().map(|x| f64::from(*x) * f64::from(*x)).sum()
}

fn ternary_products(
    isa: Isa,
    pool: &Pool,
    packed: &TernaryMatrix,
    rows: std::ops::Range<usize>,
    a: &[f32],
    rank: usize,
) -> Vec<f64> {
    let columns = packed.cols();
    let mut codes = vec![0i8; DIGITS * rank * columns];
    let mut units = Vec::with_capacity(rank);
    for (r, row) in a.chunks_exact(columns).enumerate() {
        let largest = row.iter().fold(0.0f32, |most, x| most.max(x.abs()));
        let unit = f64::from(largest) / LARGEST;
        units.push(unit);
        if largest == 0.0 {
            continue;
        }
        for (column, value) in row.iter().enumerate() {
            let mut rest = (f64::from(*value) / unit).round() as i32;
            for digit in 0..DIGITS {
                let low = (rest + 128).rem_euclid(256) - 128;
                codes[(r * DIGITS + digit) * columns + column] = low as i8;
                rest = (rest - low) / 256;
            }
        }
    }
    let activations = Activations::from_codes(&codes, columns);
    let all = packed.rows();
    let mut sums = vec![0i32; DIGITS * rank * all];
    matmul_i32(isa, pool, packed, &activations, &mut sums);
    let mut out = Vec::with_capacity(rows.len() * rank);
    for row in rows {
        for (r, unit) in units.iter().enumerate() {
            let whole = (0..DIGITS).rev().fold(0i64, |whole, digit| {
                whole * 256 + i64::from(sums[(r * DIGITS + digit) * all + row])
            });
            out.push(whole as f64 * unit);
        }
    }
    out
}
