//! Storing a head's keys or values: 8-bit codes with one scale, half floats, or as they are.

use half::f16;

use crate::float::lanes::{Kernel, LANES, Lanes, dispatch};
use crate::isa::Isa;

/// 1.5·2²³: adding it rounds to an integer, half to even, which is left in the low mantissa bits.
const ROUND: f32 = 12_582_912.0;

/// `codes = round_half_even(x · 127 / absmax)`; returns the scale `absmax / 127` (code → value).
///
/// All zero gives scale 0. A NaN counts as nothing; an infinite element gives an infinite scale.
pub(super) fn quantize_int8(isa: Isa, x: &[f32], codes: &mut [i8]) -> f32 {
    assert_eq!(x.len(), codes.len(), "codes of a key or value head");
    dispatch(isa, Quantize { x, codes })
}

struct Quantize<'a> {
    x: &'a [f32],
    codes: &'a mut [i8],
}

impl Kernel for Quantize<'_> {
    type Output = f32;
    #[inline(always)]
    fn run<L: Lanes>(self, l: L) -> f32 {
        let (full, tail) = self.x.as_chunks::<LANES>();
        let mut max = l.abs(l.load_part(tail));
        for chunk in full {
            max = l.max(l.abs(l.load(chunk)), max);
        }
        let absmax = l.max_lane(max);
        let scale = absmax / 127.0;
        // A denormal scale has no finite reciprocal: such a head is as good as zero.
        let usable = scale >= f32::MIN_POSITIVE;
        let inv = if usable { 127.0 / absmax } else { 0.0 };
        let (inv, round) = (l.splat(inv), l.splat(ROUND));
        let mut rounded = [0.0; LANES];
        let (codes, codes_tail) = self.codes.as_chunks_mut::<LANES>();
        for (chunk, codes) in full.iter().zip(codes) {
            l.store(l.fma(l.load(chunk), inv, round), &mut rounded);
            for (code, rounded) in codes.iter_mut().zip(&rounded) {
                *code = low_byte(*rounded);
            }
        }
        l.store(l.fma(l.load_part(tail), inv, round), &mut rounded);
        for (code, rounded) in codes_tail.iter_mut().zip(&rounded) {
            *code = low_byte(*rounded);
        }
        if usable { scale } else { 0.0 }
    }
}

/// The integer left in the mantissa by adding [`ROUND`]; |integer| ≤ 127 fits the low byte.
#[inline(always)]
fn low_byte(rounded: f32) -> i8 {
    rounded.to_bits() as i8
}

/// Half float nearest to `x`, the largest finite one beyond ±65504.
pub(super) fn to_f16(x: f32) -> f16 {
    f16::from_f32(x.clamp(-65504.0, 65504.0))
}
