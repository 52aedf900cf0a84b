//! The definition: sixteen lanes in plain Rust.
//!
//! Nothing here is inlined: sixteen calls of a software multiply-add gain nothing by it, and the unrolled code would take
//! longer to compile than everything else together.

use half::{bf16, f16};

use super::{LANES, Lanes};

/// Lanes of the portable version.
#[derive(Clone, Copy)]
pub(crate) struct Scalar;

#[inline(always)]
fn map(f: impl Fn(usize) -> f32) -> [f32; LANES] {
    let mut out = [0.0; LANES];
    for (lane, value) in out.iter_mut().enumerate() {
        *value = f(lane);
    }
    out
}

impl Lanes for Scalar {
    type V = [f32; LANES];

    const REGISTERS: usize = 16;

    #[inline(never)]
    fn splat(self, x: f32) -> Self::V {
        [x; LANES]
    }
    #[inline(never)]
    fn load(self, x: &[f32; LANES]) -> Self::V {
        *x
    }
    #[inline(never)]
    fn load_i8(self, x: &[i8; LANES]) -> Self::V {
        map(|j| f32::from(x[j]))
    }
    #[inline(never)]
    fn load_f16(self, x: &[f16; LANES]) -> Self::V {
        map(|j| x[j].to_f32())
    }
    #[inline(never)]
    fn load_bf16(self, x: &[bf16; LANES]) -> Self::V {
        map(|j| x[j].to_f32())
    }
    #[inline(never)]
    fn store(self, v: Self::V, out: &mut [f32; LANES]) {
        *out = v;
    }
    #[inline(never)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        map(|j| a[j] + b[j])
    }
    #[inline(never)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        map(|j| a[j] - b[j])
    }
    #[inline(never)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        map(|j| a[j] * b[j])
    }
    #[inline(never)]
    fn div(self, a: Self::V, b: Self::V) -> Self::V {
        map(|j| a[j] / b[j])
    }
    #[inline(never)]
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        map(|j| a[j].mul_add(b[j], c[j]))
    }
    #[inline(never)]
    fn max(self, a: Self::V, b: Self::V) -> Self::V {
        map(|j| if a[j] > b[j] { a[j] } else { b[j] })
    }
    #[inline(never)]
    fn min(self, a: Self::V, b: Self::V) -> Self::V {
        map(|j| if a[j] < b[j] { a[j] } else { b[j] })
    }
    #[inline(never)]
    fn abs(self, a: Self::V) -> Self::V {
        map(|j| a[j].abs())
    }
    #[inline(never)]
    fn zero_below(self, x: Self::V, limit: Self::V, y: Self::V) -> Self::V {
        map(|j| if x[j] < limit[j] { 0.0 } else { y[j] })
    }
    #[inline(never)]
    fn exponent_from_bits(self, v: Self::V, bias: u32) -> Self::V {
        map(|j| f32::from_bits(v[j].to_bits().wrapping_add(bias) << 23))
    }
    #[inline(never)]
    fn sum(self, v: Self::V) -> f32 {
        let mut lanes = v;
        for width in [8, 4, 2, 1] {
            for j in 0..width {
                lanes[j] += lanes[j + width];
            }
        }
        lanes[0]
    }
}
