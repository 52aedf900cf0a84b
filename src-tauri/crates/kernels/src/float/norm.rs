//! `y = x · 1/√(mean(x²) + eps) · weight`, per row.

use super::lanes::{Kernel, LANES, Lanes, dispatch};
use crate::isa::Isa;

/// Factor for rows whose squares overflow f32; a power of two, so the scaling itself is exact.
const SHRINK: f32 = f32::from_bits((127 - 96) << 23);

/// RMS normalisation of each row of `x`.
///
/// The squares are summed in the sixteen-lane order; a row whose sum of squares overflows is summed again scaled by
/// 2⁻⁹⁶, so only a row holding infinities or NaN gives NaN or zeros.
///
/// # Shapes
/// - `x`, `out`: `[tokens, weight.len()]`
///
/// # Panics
/// If `out` is not as long as `x`, or `x` is not whole rows.
///
/// Source: Zhang and Sennrich 2019; transformers `BitNetRMSNorm`.
pub fn rms_norm(isa: Isa, x: &[f32], weight: &[f32], eps: f32, out: &mut [f32]) {
    assert_eq!(
        x.len(),
        out.len(),
        "rms_norm: input and output differ in length"
    );
    if weight.is_empty() {
        assert!(x.is_empty(), "rms_norm: weight is empty, input is not");
        return;
    }
    assert_eq!(
        x.len() % weight.len(),
        0,
        "rms_norm: input is not whole rows"
    );
    let rows = x.chunks_exact(weight.len());
    for (x, out) in rows.zip(out.chunks_exact_mut(weight.len())) {
        dispatch(
            isa,
            RmsNorm {
                x,
                weight,
                eps,
                out,
            },
        );
    }
}

struct RmsNorm<'a> {
    x: &'a [f32],
    weight: &'a [f32],
    eps: f32,
    out: &'a mut [f32],
}

impl Kernel for RmsNorm<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let len = self.x.len() as f32;
        let squares = sum_of_squares(l, self.x, 1.0);
        let inv = if squares == f32::INFINITY {
            SHRINK / (sum_of_squares(l, self.x, SHRINK) / len).sqrt()
        } else {
            1.0 / (squares / len + self.eps).sqrt()
        };
        let inv = l.splat(inv);
        let (x, x_tail) = self.x.as_chunks::<LANES>();
        let (weight, weight_tail) = self.weight.as_chunks::<LANES>();
        let (out, out_tail) = self.out.as_chunks_mut::<LANES>();
        for ((x, weight), out) in x.iter().zip(weight).zip(out) {
            l.store(l.mul(l.mul(l.load(x), inv), l.load(weight)), out);
        }
        if !x_tail.is_empty() {
            let y = l.mul(l.mul(l.load_part(x_tail), inv), l.load_part(weight_tail));
            l.store_part(y, out_tail);
        }
    }
}

#[inline(always)]
fn sum_of_squares<L: Lanes>(l: L, x: &[f32], factor: f32) -> f32 {
    let factor = l.splat(factor);
    let (full, tail) = x.as_chunks::<LANES>();
    let mut acc = l.splat(0.0);
    for chunk in full {
        let v = l.mul(l.load(chunk), factor);
        acc = l.fma(v, v, acc);
    }
    if !tail.is_empty() {
        let v = l.mul(l.load_part(tail), factor);
        acc = l.fma(v, v, acc);
    }
    l.sum(acc)
}
