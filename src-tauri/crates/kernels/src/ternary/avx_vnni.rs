//! AVX-VNNI: decoded as with AVX2, multiplied by the 256-bit `vpdpbusd`, which adds four products to an i32.

use std::arch::x86_64::*;

use super::avx2::{Avx2, Tables};
use super::layout::Block;
use super::simd::{self, Vector};

/// See `scalar::tile`, whose sums these are.
///
/// # Panics
/// If the lengths do not fit.
pub fn tile(blocks: &[Block], codes: &[u8], stride: usize, sums: &mut [i32]) {
    #[target_feature(enable = "avx2,avxvnni")]
    fn with_features(blocks: &[Block], codes: &[u8], stride: usize, sums: &mut [i32]) {
        // SAFETY: the features of this function are those of `Instruction`.
        unsafe { simd::tile::<WithDot<Instruction>, 2, 2>(blocks, codes, stride, sums) }
    }
    // SAFETY: `kernel` hands this function out only where AVX2 and AVX-VNNI were detected.
    unsafe { with_features(blocks, codes, stride, sums) }
}

/// The one instruction that AVX2 lacks.
pub trait Dot {
    /// # Safety
    /// The machine has AVX2 and what the implementation names.
    unsafe fn dot(sum: __m256i, codes: __m256i, weights: __m256i) -> __m256i;
}

/// `vpdpbusd` of AVX-VNNI.
pub struct Instruction;

impl Dot for Instruction {
    #[inline(always)]
    unsafe fn dot(sum: __m256i, codes: __m256i, weights: __m256i) -> __m256i {
        // SAFETY: AVX-VNNI by the contract.
        unsafe { _mm256_dpbusd_avx_epi32(sum, codes, weights) }
    }
}

/// AVX2 with a four-byte dot product.
pub struct WithDot<D>(std::marker::PhantomData<D>);

impl<D: Dot> Vector for WithDot<D> {
    type Bytes = __m256i;
    type Sum = __m256i;
    type Tables = Tables;
    const WIDTH: usize = Avx2::WIDTH;
    /// 2 × 6 sums, 2 vectors of weights and a code fit the 16 registers.
    const LARGEST_STEP: usize = 6;

    #[inline(always)]
    unsafe fn tables() -> Tables {
        // SAFETY: by the contract.
        unsafe { Avx2::tables() }
    }

    #[inline(always)]
    unsafe fn load(bytes: *const u8) -> __m256i {
        // SAFETY: by the contract.
        unsafe { Avx2::load(bytes) }
    }

    #[inline(always)]
    unsafe fn store(bytes: __m256i, to: *mut u8) {
        // SAFETY: by the contract.
        unsafe { Avx2::store(bytes, to) }
    }

    #[inline(always)]
    unsafe fn broadcast(codes: *const u8) -> __m256i {
        // SAFETY: by the contract.
        unsafe { Avx2::broadcast(codes) }
    }

    #[inline(always)]
    unsafe fn decode(
        tables: Tables,
        digits: __m256i,
        signs: __m256i,
        group: usize,
    ) -> [__m256i; 3] {
        // SAFETY: by the contract.
        unsafe { Avx2::decode(tables, digits, signs, group) }
    }

    #[inline(always)]
    unsafe fn zero() -> __m256i {
        // SAFETY: by the contract.
        unsafe { Avx2::zero() }
    }

    #[inline(always)]
    unsafe fn step(sum: __m256i, codes: __m256i, weights: __m256i) -> __m256i {
        // SAFETY: by the contract.
        unsafe { D::dot(sum, codes, weights) }
    }

    #[inline(always)]
    unsafe fn add_to(sum: __m256i, rows: *mut i32) {
        // SAFETY: by the contract.
        unsafe {
            _mm256_storeu_si256(
                rows.cast(),
                _mm256_add_epi32(_mm256_loadu_si256(rows.cast()), sum),
            )
        }
    }

    #[inline(always)]
    fn prefetch(address: *const u8) {
        Avx2::prefetch(address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;
    use crate::ternary::agreement::{Kernel, assert_equals_scalar};

    /// `vpdpbusd` from AVX2's instructions: two steps through i16, which pairs of 255 · ±1 cannot leave.
    struct Emulated;

    impl Dot for Emulated {
        #[inline(always)]
        unsafe fn dot(sum: __m256i, codes: __m256i, weights: __m256i) -> __m256i {
            // SAFETY: AVX2 by the contract.
            unsafe {
                let pairs = _mm256_maddubs_epi16(codes, weights);
                _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
            }
        }
    }

    #[test]
    fn the_kernel_with_an_emulated_instruction_equals_scalar() {
        if !Isa::Avx2.is_available() {
            return;
        }
        let tile = |blocks: &[Block], codes: &[u8], stride: usize, sums: &mut [i32]| {
            // SAFETY: AVX2 was just detected.
            unsafe { simd::tile::<WithDot<Emulated>, 2, 2>(blocks, codes, stride, sums) }
        };
        assert_equals_scalar(&Kernel { tile, zero_code: 0 });
    }
}
