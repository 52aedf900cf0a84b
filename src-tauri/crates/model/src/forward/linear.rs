//! Linear layers: norm inside, activation quantisation, product, adapters, bias.
//!
//! `y = (Wq · q(x)) · row_scale / s` for a BitLinear, `y = W·x` for a dense one, `x` normalised first where the layer carries an inner
//! norm; then the adapters, which read `x` as it came, then the bias. Every linear of the model passes through [`project`].

use r3mes_kernels::low_rank::{Adapted, adapt, matmul_adapted};
use r3mes_kernels::{Activations, Isa, Pool, dense_matmul, matmul, quantize_on, rms_norm};

use super::rows::by_rows;
use crate::weights::{Linear, Matrix, Norm};

/// What runs the kernels.
#[derive(Clone, Copy)]
pub(super) struct Machine<'a> {
    pub(super) isa: Isa,
    pub(super) pool: &'a Pool,
}

/// Buffers of [`project`], reused from call to call.
#[derive(Default)]
pub(super) struct LinearScratch {
    activations: Activations,
    normed: Vec<f32>,
    part: Vec<f32>,
    low_rank: Vec<f32>,
}

impl LinearScratch {
    /// Bytes held, without the codes of the activations.
    pub(super) fn bytes(&self) -> usize {
        let floats = [&self.normed, &self.part, &self.low_rank];
        floats.map(Vec::capacity).iter().sum::<usize>() * size_of::<f32>()
    }
}

/// RMSNorm of every row of `x`.
///
/// # Shapes
/// - `x`, `out`: `[tokens, norm.weight.len()]`
pub(super) fn normalise(machine: Machine<'_>, norm: &Norm, x: &[f32], out: &mut [f32]) {
    let width = norm.weight.len();
    by_rows(machine.pool, out, width, &|rows, out| {
        for (row, out) in rows.zip(out.chunks_exact_mut(width)) {
            rms_norm(
                machine.isa,
                &x[row * width..][..width],
                &norm.weight,
                norm.eps,
                out,
            );
        }
    });
}

/// Applies linears that read the same input; their results stand side by side in each row of `out`.
///
/// The input is quantised once for all parts without an inner norm. `adapted` says what adapters do to the results.
///
/// # Shapes
/// - `x`: `[tokens, in_features]` · `out`: `[tokens, Σ out_features]`
pub(super) fn project(
    machine: Machine<'_>,
    (parts, adapted): (&[Linear], &[Adapted]),
    x: &[f32],
    tokens: usize,
    scratch: &mut LinearScratch,
    out: &mut [f32],
) {
    let in_features = x.len() / tokens;
    let width = out.len() / tokens;
    let Machine { isa, pool } = machine;
    if let [one] = parts
        && let (Matrix::Ternary { packed, row_scales }, None) = (&one.matrix, &one.inner_norm)
    {
        // The usual case: all linears in one product.
        let LinearScratch {
            activations,
            low_rank,
            ..
        } = scratch;
        quantize_on(pool, x, in_features, activations);
        let matrix = (&**packed, &row_scales[..]);
        matmul_adapted(isa, pool, matrix, activations, adapted, x, out, low_rank);
        return add_biases(parts, width, out);
    }
    let mut shared = false;
    let mut first = 0;
    for linear in parts {
        let rows = out_features(linear);
        let x = match &linear.inner_norm {
            Some(norm) => {
                scratch.normed.resize(x.len(), 0.0);
                normalise(machine, norm, x, &mut scratch.normed);
                shared = false;
                &scratch.normed[..]
            }
            None => x,
        };
        let whole = rows == width;
        let result = if whole {
            &mut out[..]
        } else if tokens == 1 {
            &mut out[first..first + rows]
        } else {
            scratch.part.resize(tokens * rows, 0.0);
            &mut scratch.part[..]
        };
        match &linear.matrix {
            Matrix::Ternary { packed, row_scales } => {
                if !shared {
                    quantize_on(pool, x, in_features, &mut scratch.activations);
                    shared = linear.inner_norm.is_none();
                }
                matmul(isa, pool, packed, row_scales, &scratch.activations, result);
            }
            Matrix::Dense(matrix) => dense_matmul(isa, pool, matrix, x, result),
        }
        if !whole && tokens > 1 {
            for (row, part) in out
                .chunks_exact_mut(width)
                .zip(scratch.part.chunks_exact(rows))
            {
                row[first..first + rows].copy_from_slice(part);
            }
        }
        first += rows;
    }
    adapt(isa, pool, adapted, tokens, x, out, &mut scratch.low_rank);
    add_biases(parts, width, out);
}

/// Each part's bias, where it has one, on its columns of every row.
fn add_biases(parts: &[Linear], width: usize, out: &mut [f32]) {
    let mut first = 0;
    for linear in parts {
        if let Some(bias) = &linear.bias {
            for row in out.chunks_exact_mut(width) {
                let row = &mut row[first..first + bias.len()];
                row.iter_mut().zip(bias).for_each(|(y, b)| *y += b);
            }
        }
        first += out_features(linear);
    }
}

/// Columns of the weight.
pub(super) fn in_features(linear: &Linear) -> usize {
    match &linear.matrix {
        Matrix::Ternary { packed, .. } => packed.cols(),
        Matrix::Dense(matrix) => matrix.cols(),
    }
}

fn out_features(linear: &Linear) -> usize {
    match &linear.matrix {
        Matrix::Ternary { packed, .. } => packed.rows(),
        Matrix::Dense(matrix) => matrix.rows(),
    }
}
