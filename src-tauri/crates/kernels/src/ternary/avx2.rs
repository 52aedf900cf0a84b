//! AVX2: 16-entry byte tables decode, `vpsignb` negates, `vpmaddubsw` multiplies into i16 sums.
//!
//! A product of two biased codes and two weights is at most 2·255 in magnitude, so the 64 steps of a partial sum stay below
//! 64 · 510 = 32640 and fit an i16.

use std::arch::x86_64::*;

use super::layout::{Block, WEIGHTS};
use super::simd::{self, GROUPS_PER_SUM, Vector};

const _: () = assert!(GROUPS_PER_SUM * 2 * 255 <= i16::MAX as usize);

/// See `scalar::tile`, whose sums these are.
///
/// # Panics
/// If the lengths do not fit.
pub fn tile(blocks: &[Block], codes: &[u8], stride: usize, sums: &mut [i32]) {
    #[target_feature(enable = "avx2")]
    fn with_features(blocks: &[Block], codes: &[u8], stride: usize, sums: &mut [i32]) {
        // SAFETY: the features of this function are those of `Avx2`.
        unsafe { simd::tile::<Avx2, 2, 2>(blocks, codes, stride, sums) }
    }
    // SAFETY: `kernel` hands this function out only where AVX2 was detected.
    unsafe { with_features(blocks, codes, stride, sums) }
}

/// 256-bit vectors: 8 rows × 4 columns.
pub struct Avx2;

/// The decoder's constants.
#[derive(Clone, Copy)]
pub struct Tables {
    weights: [__m256i; 3],
    low: __m256i,
    one: __m256i,
}

impl Vector for Avx2 {
    type Bytes = __m256i;
    type Sum = __m256i;
    type Tables = Tables;
    const WIDTH: usize = 32;
    /// 2 × 6 sums, 2 vectors of weights, a code and a product fill the 16 registers.
    const LARGEST_STEP: usize = 6;

    #[inline(always)]
    unsafe fn tables() -> Tables {
        // SAFETY: AVX2 by the contract; 16 readable bytes each.
        unsafe {
            let table =
                |t: usize| _mm256_broadcastsi128_si256(_mm_loadu_si128(WEIGHTS[t].as_ptr().cast()));
            Tables {
                weights: [table(0), table(1), table(2)],
                low: _mm256_set1_epi8(15),
                one: _mm256_set1_epi8(1),
            }
        }
    }

    #[inline(always)]
    unsafe fn load(bytes: *const u8) -> __m256i {
        // SAFETY: by the contract.
        unsafe { _mm256_loadu_si256(bytes.cast()) }
    }

    #[inline(always)]
    unsafe fn store(bytes: __m256i, to: *mut u8) {
        // SAFETY: by the contract.
        unsafe { _mm256_storeu_si256(to.cast(), bytes) }
    }

    #[inline(always)]
    unsafe fn broadcast(codes: *const u8) -> __m256i {
        // SAFETY: by the contract.
        unsafe { _mm256_set1_epi32(codes.cast::<i32>().read_unaligned()) }
    }

    #[inline(always)]
    unsafe fn decode(
        tables: Tables,
        digits: __m256i,
        signs: __m256i,
        group: usize,
    ) -> [__m256i; 3] {
        // SAFETY: AVX2 by the contract.
        unsafe {
            let digits = if group.is_multiple_of(2) {
                digits
            } else {
                _mm256_srli_epi16::<4>(digits)
            };
            let digits = _mm256_and_si256(digits, tables.low);
            // The group's bit moved to the top of its byte, and a bit below it set: negative or positive, never zero. What the
            // 16-bit shift carries over from the neighbouring byte lands below the top bit.
            let signs = match group {
                0 => _mm256_slli_epi16::<7>(signs),
                1 => _mm256_slli_epi16::<6>(signs),
                2 => _mm256_slli_epi16::<5>(signs),
                3 => _mm256_slli_epi16::<4>(signs),
                4 => _mm256_slli_epi16::<3>(signs),
                5 => _mm256_slli_epi16::<2>(signs),
                6 => _mm256_slli_epi16::<1>(signs),
                _ => signs,
            };
            let signs = _mm256_or_si256(signs, tables.one);
            let weights = tables.weights;
            [
                _mm256_sign_epi8(_mm256_shuffle_epi8(weights[0], digits), signs),
                _mm256_sign_epi8(_mm256_shuffle_epi8(weights[1], digits), signs),
                _mm256_sign_epi8(_mm256_shuffle_epi8(weights[2], digits), signs),
            ]
        }
    }

    #[inline(always)]
    unsafe fn zero() -> __m256i {
        // SAFETY: AVX2 by the contract.
        unsafe { _mm256_setzero_si256() }
    }

    #[inline(always)]
    unsafe fn step(sum: __m256i, codes: __m256i, weights: __m256i) -> __m256i {
        // SAFETY: AVX2 by the contract.
        unsafe { _mm256_add_epi16(sum, _mm256_maddubs_epi16(codes, weights)) }
    }

    #[inline(always)]
    unsafe fn add_to(sum: __m256i, rows: *mut i32) {
        // SAFETY: by the contract.
        unsafe {
            let wide = _mm256_madd_epi16(sum, _mm256_set1_epi16(1));
            _mm256_storeu_si256(
                rows.cast(),
                _mm256_add_epi32(_mm256_loadu_si256(rows.cast()), wide),
            );
        }
    }

    #[inline(always)]
    fn prefetch(address: *const u8) {
        // SAFETY: a prefetch never faults, wherever it points; SSE is part of the baseline.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) };
    }
}
