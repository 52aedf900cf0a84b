//! NEON: 32-entry byte tables decode by sign and digit; `smlal` multiplies into i16 sums, or `sdot` four products into an i32.
//!
//! Codes are taken back to i8 (`code − 128`), as both instructions want two signed operands. A product is at most 128 in
//! magnitude and every i16 lane takes one per step, so the 64 steps of a partial sum fit.

use std::arch::aarch64::*;
use std::marker::PhantomData;

use super::layout::{Block, WEIGHTS};
use super::simd::{self, GROUPS_PER_SUM, Vector};

const _: () = assert!(GROUPS_PER_SUM * 128 <= i16::MAX as usize);

/// The stored code that both kernels multiply as 0.
pub const ZERO_CODE: u8 = crate::activations::BIAS;

/// The sums of `scalar::tile` for `codes − 128`, with the baseline's instructions.
///
/// # Panics
/// If the lengths do not fit.
pub fn tile(blocks: &[Block], codes: &[u8], stride: usize, sums: &mut [i32]) {
    #[target_feature(enable = "neon")]
    fn with_features(blocks: &[Block], codes: &[u8], stride: usize, sums: &mut [i32]) {
        // SAFETY: the features of this function are those of `Long`.
        unsafe { simd::tile::<Neon<Long>, 4, 4>(blocks, codes, stride, sums) }
    }
    // SAFETY: `kernel` hands this function out only where NEON was detected.
    unsafe { with_features(blocks, codes, stride, sums) }
}

/// The sums of `scalar::tile` for `codes − 128`, with `sdot`.
///
/// # Panics
/// If the lengths do not fit.
pub fn tile_dotprod(blocks: &[Block], codes: &[u8], stride: usize, sums: &mut [i32]) {
    #[target_feature(enable = "neon,dotprod")]
    fn with_features(blocks: &[Block], codes: &[u8], stride: usize, sums: &mut [i32]) {
        // SAFETY: the features of this function are those of `Dot`.
        unsafe { simd::tile::<Neon<Dot>, 4, 4>(blocks, codes, stride, sums) }
    }
    // SAFETY: `kernel` hands this function out only where NEON and its dot product were detected.
    unsafe { with_features(blocks, codes, stride, sums) }
}

/// 128-bit vectors: 4 rows × 4 columns.
struct Neon<M>(PhantomData<M>);

/// How products are summed.
trait Multiply {
    type Sum: Copy;
    const LARGEST_STEP: usize;

    /// # Safety
    /// The machine has the instructions (so for all methods).
    unsafe fn zero() -> Self::Sum;
    /// # Safety
    /// The machine has the instructions.
    unsafe fn step(sum: Self::Sum, codes: int8x16_t, weights: int8x16_t) -> Self::Sum;
    /// The sums of 4 rows.
    ///
    /// # Safety
    /// The machine has the instructions.
    unsafe fn rows(sum: Self::Sum) -> int32x4_t;
}

/// `smlal`, `smlal2`: each product in an i16 lane of its own.
struct Long;

impl Multiply for Long {
    type Sum = [int16x8_t; 2];
    /// 4 × 3 double sums, 4 vectors of weights and a code fit the 32 registers.
    const LARGEST_STEP: usize = 3;

    #[inline(always)]
    unsafe fn zero() -> [int16x8_t; 2] {
        // SAFETY: by the contract.
        unsafe { [vdupq_n_s16(0); 2] }
    }

    #[inline(always)]
    unsafe fn step(sum: [int16x8_t; 2], codes: int8x16_t, weights: int8x16_t) -> [int16x8_t; 2] {
        // SAFETY: by the contract.
        unsafe {
            [
                vmlal_s8(sum[0], vget_low_s8(codes), vget_low_s8(weights)),
                vmlal_high_s8(sum[1], codes, weights),
            ]
        }
    }

    #[inline(always)]
    unsafe fn rows(sum: [int16x8_t; 2]) -> int32x4_t {
        // SAFETY: by the contract.
        unsafe { vpaddq_s32(vpaddlq_s16(sum[0]), vpaddlq_s16(sum[1])) }
    }
}

/// `sdot`: four products added to each i32.
struct Dot;

impl Multiply for Dot {
    type Sum = int32x4_t;
    /// 4 × 6 sums, 4 vectors of weights and a code fit the 32 registers.
    const LARGEST_STEP: usize = 6;

    #[inline(always)]
    unsafe fn zero() -> int32x4_t {
        // SAFETY: by the contract.
        unsafe { vdupq_n_s32(0) }
    }

    #[inline(always)]
    unsafe fn step(sum: int32x4_t, codes: int8x16_t, weights: int8x16_t) -> int32x4_t {
        let mut sum = sum;
        // SAFETY: the machine has the instruction by the contract; it reads and writes these registers only. (Written out as the
        // intrinsic is not stable yet.)
        unsafe {
            std::arch::asm!(
                "sdot {sum:v}.4s, {codes:v}.16b, {weights:v}.16b",
                sum = inout(vreg) sum,
                codes = in(vreg) codes,
                weights = in(vreg) weights,
                options(pure, nomem, nostack, preserves_flags)
            );
        }
        sum
    }

    #[inline(always)]
    unsafe fn rows(sum: int32x4_t) -> int32x4_t {
        sum
    }
}

/// `SIGNED[t][i]`: the weight for digit `i mod 16`, negated from 16 on.
const SIGNED: [[i8; 32]; 3] = signed();

const fn signed() -> [[i8; 32]; 3] {
    let mut tables = [[0i8; 32]; 3];
    let mut t = 0;
    while t < 3 {
        let mut index = 0;
        while index < 32 {
            let weight = WEIGHTS[t][index % 16];
            tables[t][index] = if index < 16 { weight } else { -weight };
            index += 1;
        }
        t += 1;
    }
    tables
}

impl<M: Multiply> Vector for Neon<M> {
    type Bytes = int8x16_t;
    type Sum = M::Sum;
    type Tables = [int8x16x2_t; 3];
    const WIDTH: usize = 16;
    const LARGEST_STEP: usize = M::LARGEST_STEP;

    #[inline(always)]
    unsafe fn tables() -> [int8x16x2_t; 3] {
        // SAFETY: NEON by the contract; two times 16 readable bytes each.
        unsafe {
            let table = |t: usize| {
                let start = SIGNED[t].as_ptr();
                int8x16x2_t(vld1q_s8(start), vld1q_s8(start.add(16)))
            };
            [table(0), table(1), table(2)]
        }
    }

    #[inline(always)]
    unsafe fn load(bytes: *const u8) -> int8x16_t {
        // SAFETY: by the contract.
        unsafe { vld1q_s8(bytes.cast()) }
    }

    #[inline(always)]
    unsafe fn store(bytes: int8x16_t, to: *mut u8) {
        // SAFETY: by the contract.
        unsafe { vst1q_s8(to.cast(), bytes) }
    }

    #[inline(always)]
    unsafe fn broadcast(codes: *const u8) -> int8x16_t {
        // SAFETY: by the contract.
        unsafe {
            let codes = vreinterpretq_u8_u32(vdupq_n_u32(codes.cast::<u32>().read_unaligned()));
            vreinterpretq_s8_u8(veorq_u8(codes, vdupq_n_u8(ZERO_CODE)))
        }
    }

    #[inline(always)]
    unsafe fn decode(
        tables: [int8x16x2_t; 3],
        digits: int8x16_t,
        signs: int8x16_t,
        group: usize,
    ) -> [int8x16_t; 3] {
        // SAFETY: NEON by the contract.
        unsafe {
            let (digits, signs) = (vreinterpretq_u8_s8(digits), vreinterpretq_u8_s8(signs));
            let digits = if group.is_multiple_of(2) {
                digits
            } else {
                vshrq_n_u8::<4>(digits)
            };
            let signs = match group {
                0 => signs,
                1 => vshrq_n_u8::<1>(signs),
                2 => vshrq_n_u8::<2>(signs),
                3 => vshrq_n_u8::<3>(signs),
                4 => vshrq_n_u8::<4>(signs),
                5 => vshrq_n_u8::<5>(signs),
                6 => vshrq_n_u8::<6>(signs),
                _ => vshrq_n_u8::<7>(signs),
            };
            // The sign goes above the digit; a later group's signs come along above it and are cut off.
            let indices = vandq_u8(vsliq_n_u8::<4>(digits, signs), vdupq_n_u8(31));
            [
                vqtbl2q_s8(tables[0], indices),
                vqtbl2q_s8(tables[1], indices),
                vqtbl2q_s8(tables[2], indices),
            ]
        }
    }

    #[inline(always)]
    unsafe fn zero() -> M::Sum {
        // SAFETY: by the contract.
        unsafe { M::zero() }
    }

    #[inline(always)]
    unsafe fn step(sum: M::Sum, codes: int8x16_t, weights: int8x16_t) -> M::Sum {
        // SAFETY: by the contract.
        unsafe { M::step(sum, codes, weights) }
    }

    #[inline(always)]
    unsafe fn add_to(sum: M::Sum, rows: *mut i32) {
        // SAFETY: by the contract.
        unsafe { vst1q_s32(rows, vaddq_s32(vld1q_s32(rows), M::rows(sum))) }
    }

    #[inline(always)]
    fn prefetch(address: *const u8) {
        // SAFETY: a prefetch never faults, wherever it points, and changes nothing that Rust sees.
        unsafe {
            std::arch::asm!("prfm pldl1keep, [{}]", in(reg) address, options(nostack, preserves_flags, readonly))
        };
    }
}
