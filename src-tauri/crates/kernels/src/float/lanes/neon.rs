//! Sixteen lanes as four 128-bit registers: AArch64 Advanced SIMD.

use std::arch::aarch64::*;

use half::{bf16, f16};

use super::{Kernel, LANES, Lanes};

/// Proof that this CPU has Advanced SIMD; only [`Neon::detect`] makes one.
#[derive(Clone, Copy)]
pub(crate) struct Neon(());

impl Neon {
    /// `Some` where the CPU has the instructions.
    #[inline]
    pub(crate) fn detect() -> Option<Self> {
        std::arch::is_aarch64_feature_detected!("neon").then_some(Self(()))
    }

    /// Runs `kernel` compiled for these instructions.
    #[inline]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "neon")]
        fn compiled<K: Kernel>(lanes: Neon, kernel: K) -> K::Output {
            kernel.run(lanes)
        }
        // SAFETY: `self` exists only where `detect` found neon.
        unsafe { compiled(self, kernel) }
    }
}

/// Applies an intrinsic to each quarter.
macro_rules! quarters {
    ($f:ident, $($arg:expr),+) => {{
        // SAFETY: a value of `Neon` exists only where `detect` found neon.
        unsafe { [$f($($arg[0]),+), $f($($arg[1]),+), $f($($arg[2]),+), $f($($arg[3]),+)] }
    }};
}

/// Four half floats to f32, exactly: exponent and mantissa shifted into place and rebiased by a multiplication with 2¹¹².
///
/// # Safety
/// Needs neon.
#[inline(always)]
unsafe fn widen_f16(bits: uint16x4_t) -> float32x4_t {
    // SAFETY: neon, by the contract of this function.
    unsafe {
        let bits = vmovl_u16(bits);
        let magnitude = vshlq_n_u32::<13>(vandq_u32(bits, vdupq_n_u32(0x7FFF)));
        let rebias = vdupq_n_f32(f32::from_bits((127 + 112) << 23));
        let finite = vmulq_f32(vreinterpretq_f32_u32(magnitude), rebias);
        let special = vorrq_u32(magnitude, vdupq_n_u32(0x7F80_0000));
        let is_special = vcgeq_u32(magnitude, vdupq_n_u32(0x7C00 << 13));
        let value = vbslq_u32(is_special, special, vreinterpretq_u32_f32(finite));
        let sign = vshlq_n_u32::<16>(vandq_u32(bits, vdupq_n_u32(0x8000)));
        vreinterpretq_f32_u32(vorrq_u32(value, sign))
    }
}

impl Lanes for Neon {
    type V = [float32x4_t; 4];

    const REGISTERS: usize = 4;

    #[inline(always)]
    fn splat(self, x: f32) -> Self::V {
        // SAFETY: a value of `Neon` exists only where `detect` found neon.
        unsafe { [vdupq_n_f32(x); 4] }
    }
    #[inline(always)]
    fn load(self, x: &[f32; LANES]) -> Self::V {
        let x = x.as_chunks::<4>().0;
        // SAFETY: neon was detected; each load of four floats is one chunk of the array.
        unsafe {
            [
                vld1q_f32(x[0].as_ptr()),
                vld1q_f32(x[1].as_ptr()),
                vld1q_f32(x[2].as_ptr()),
                vld1q_f32(x[3].as_ptr()),
            ]
        }
    }
    #[inline(always)]
    fn load_i8(self, x: &[i8; LANES]) -> Self::V {
        // SAFETY: neon was detected; the load of sixteen bytes is the array.
        unsafe {
            let bytes = vld1q_s8(x.as_ptr());
            let low = vmovl_s8(vget_low_s8(bytes));
            let high = vmovl_s8(vget_high_s8(bytes));
            [
                vcvtq_f32_s32(vmovl_s16(vget_low_s16(low))),
                vcvtq_f32_s32(vmovl_s16(vget_high_s16(low))),
                vcvtq_f32_s32(vmovl_s16(vget_low_s16(high))),
                vcvtq_f32_s32(vmovl_s16(vget_high_s16(high))),
            ]
        }
    }
    #[inline(always)]
    fn load_f16(self, x: &[f16; LANES]) -> Self::V {
        let x = x.as_chunks::<4>().0;
        // SAFETY: neon was detected; each load of four halves is one chunk of the array, and `f16` is a transparent u16.
        unsafe {
            [
                widen_f16(vld1_u16(x[0].as_ptr().cast())),
                widen_f16(vld1_u16(x[1].as_ptr().cast())),
                widen_f16(vld1_u16(x[2].as_ptr().cast())),
                widen_f16(vld1_u16(x[3].as_ptr().cast())),
            ]
        }
    }
    #[inline(always)]
    fn load_bf16(self, x: &[bf16; LANES]) -> Self::V {
        let x = x.as_chunks::<4>().0;
        // SAFETY: neon was detected; each load of four halves is one chunk of the array, and `bf16` is a transparent u16.
        unsafe {
            [
                vreinterpretq_f32_u32(vshll_n_u16::<16>(vld1_u16(x[0].as_ptr().cast()))),
                vreinterpretq_f32_u32(vshll_n_u16::<16>(vld1_u16(x[1].as_ptr().cast()))),
                vreinterpretq_f32_u32(vshll_n_u16::<16>(vld1_u16(x[2].as_ptr().cast()))),
                vreinterpretq_f32_u32(vshll_n_u16::<16>(vld1_u16(x[3].as_ptr().cast()))),
            ]
        }
    }
    #[inline(always)]
    fn store(self, v: Self::V, out: &mut [f32; LANES]) {
        let out = out.as_chunks_mut::<4>().0;
        for (part, v) in out.iter_mut().zip(v) {
            // SAFETY: neon was detected; the store of four floats is one chunk of the array.
            unsafe { vst1q_f32(part.as_mut_ptr(), v) };
        }
    }
    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        quarters!(vaddq_f32, a, b)
    }
    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        quarters!(vsubq_f32, a, b)
    }
    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        quarters!(vmulq_f32, a, b)
    }
    #[inline(always)]
    fn div(self, a: Self::V, b: Self::V) -> Self::V {
        quarters!(vdivq_f32, a, b)
    }
    #[inline(always)]
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        quarters!(vfmaq_f32, c, a, b)
    }
    #[inline(always)]
    fn max(self, a: Self::V, b: Self::V) -> Self::V {
        let greater = quarters!(vcgtq_f32, a, b);
        quarters!(vbslq_f32, greater, a, b)
    }
    #[inline(always)]
    fn min(self, a: Self::V, b: Self::V) -> Self::V {
        let less = quarters!(vcltq_f32, a, b);
        quarters!(vbslq_f32, less, a, b)
    }
    #[inline(always)]
    fn abs(self, a: Self::V) -> Self::V {
        quarters!(vabsq_f32, a)
    }
    #[inline(always)]
    fn zero_below(self, x: Self::V, limit: Self::V, y: Self::V) -> Self::V {
        let zero = self.splat(0.0);
        let below = quarters!(vcltq_f32, x, limit);
        quarters!(vbslq_f32, below, zero, y)
    }
    #[inline(always)]
    fn exponent_from_bits(self, v: Self::V, bias: u32) -> Self::V {
        // SAFETY: a value of `Neon` exists only where `detect` found neon.
        unsafe {
            let bias = vdupq_n_u32(bias);
            let mut out = v;
            for part in &mut out {
                let biased = vaddq_u32(vreinterpretq_u32_f32(*part), bias);
                *part = vreinterpretq_f32_u32(vshlq_n_u32::<23>(biased));
            }
            out
        }
    }
    #[inline(always)]
    fn sum(self, v: Self::V) -> f32 {
        // SAFETY: a value of `Neon` exists only where `detect` found neon.
        unsafe {
            let low = vaddq_f32(v[0], v[2]);
            let high = vaddq_f32(v[1], v[3]);
            let four = vaddq_f32(low, high);
            let two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
            vget_lane_f32::<0>(two) + vget_lane_f32::<1>(two)
        }
    }
}
