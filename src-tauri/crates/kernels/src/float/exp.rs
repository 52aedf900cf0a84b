//! `exp` from one polynomial, the same operations on every ISA.

use super::lanes::{Kernel, LANES, Lanes, dispatch};
use crate::isa::Isa;

/// Below this the result is 0: the smallest exponents are left out so that no operation meets a denormal (−125·ln 2).
const UNDERFLOW: f32 = -86.64;
/// Above this `exp` is infinite in f32 (128·ln 2 = 88.72); arguments are clamped here, which still overflows.
const CLAMP: f32 = 89.0;
/// 1.5·2²³: adding it leaves the rounded integer in the low mantissa bits.
const ROUND: f32 = 12_582_912.0;
/// ln 2 in two parts, the first exact in few bits (Cody and Waite 1980).
const LN2_HIGH: f32 = 355.0 / 512.0;
const LN2_LOW: f32 = -2.121_944_4e-4;
/// Coefficients of degree 7 to 2 of `(exp(r) − 1 − r)` on |r| ≤ ln 2 / 2 (Cephes `expf`, S. Moshier).
const POLYNOMIAL: [f32; 6] = [
    1.987_569_2e-4,
    1.398_199_9e-3,
    8.333_452e-3,
    4.166_579_6e-2,
    1.666_666_5e-1,
    0.5,
];

/// `exp` of sixteen lanes: within 2 ulp, 0 below −86.64, +∞ above 88.73, NaN for NaN.
#[inline(always)]
pub(crate) fn exp_lanes<L: Lanes>(l: L, x: L::V) -> L::V {
    let clamped = l.min(l.splat(CLAMP), x);
    let shifted = l.fma(clamped, l.splat(std::f32::consts::LOG2_E), l.splat(ROUND));
    let n = l.sub(shifted, l.splat(ROUND));
    let r = l.fma(n, l.splat(-LN2_HIGH), clamped);
    let r = l.fma(n, l.splat(-LN2_LOW), r);
    let mut p = l.splat(POLYNOMIAL[0]);
    for c in &POLYNOMIAL[1..] {
        p = l.fma(p, r, l.splat(*c));
    }
    let p = l.fma(l.mul(r, r), p, r);
    let p = l.add(p, l.splat(1.0));
    // `shifted` holds n in its low bits: the exponent field of 2^(n−1) is n + 126. Twice, so that n = 128 has a value.
    let half_power = l.exponent_from_bits(shifted, 126);
    let y = l.mul(l.mul(p, half_power), l.splat(2.0));
    l.zero_below(x, l.splat(UNDERFLOW), y)
}

/// `x ← exp(x)` per element: within 2 ulp, 0 below −86.64, +∞ above 88.73, NaN for NaN.
pub fn exp_in_place(isa: Isa, x: &mut [f32]) {
    struct Exp<'a>(&'a mut [f32]);
    impl Kernel for Exp<'_> {
        type Output = ();
        #[inline(always)]
        fn run<L: Lanes>(self, l: L) {
            let (full, tail) = self.0.as_chunks_mut::<LANES>();
            for chunk in full {
                l.store(exp_lanes(l, l.load(chunk)), chunk);
            }
            l.store_part(exp_lanes(l, l.load_part(tail)), tail);
        }
    }
    dispatch(isa, Exp(x));
}
