//! A panel with 256-bit registers: eight rows of four columns each, codes times digits with `vpmaddubsw`.

use std::arch::x86_64::*;

use super::PanelSums;
use crate::head::codes::{COL_MULTIPLE, LINE_BYTES, LINE_COLS};

/// Lines after which 16-bit sums are widened: 4 lines · 2 · (2 · 15 · 128) = 30720 < 2¹⁵.
const LINES_IN_I16: usize = COL_MULTIPLE / LINE_COLS;

#[target_feature(enable = "avx2")]
pub(super) fn panel_sums(lines: &[[u8; LINE_BYTES]], high: &[i8], low: &[i8]) -> PanelSums {
    let nibble = _mm256_set1_epi8(15);
    let ones = _mm256_set1_epi16(1);
    let zero = _mm256_setzero_si256();
    // [digit][row half]
    let mut wide = [[zero; 2]; 2];
    let blocks = lines.as_chunks::<LINES_IN_I16>().0;
    let high = high.as_chunks::<COL_MULTIPLE>().0;
    let low = low.as_chunks::<COL_MULTIPLE>().0;
    for ((block, high), low) in blocks.iter().zip(high).zip(low) {
        let mut narrow = [[zero; 2]; 2];
        let high = high.as_chunks::<4>().0;
        let low = low.as_chunks::<4>().0;
        for (line, bytes) in block.iter().enumerate() {
            for half in 0..2 {
                // SAFETY: each unaligned load of 32 bytes lies inside the 64 bytes of the line.
                let codes = unsafe { _mm256_loadu_si256(bytes.as_ptr().add(32 * half).cast()) };
                let first = _mm256_and_si256(codes, nibble);
                let second = _mm256_and_si256(_mm256_srli_epi16::<4>(codes), nibble);
                for (digit, digits) in [high, low].into_iter().enumerate() {
                    let a = _mm256_set1_epi32(i32::from_le_bytes(
                        digits[2 * line].map(i8::cast_unsigned),
                    ));
                    let b = _mm256_set1_epi32(i32::from_le_bytes(
                        digits[2 * line + 1].map(i8::cast_unsigned),
                    ));
                    let products = _mm256_add_epi16(
                        _mm256_maddubs_epi16(first, a),
                        _mm256_maddubs_epi16(second, b),
                    );
                    narrow[digit][half] = _mm256_add_epi16(narrow[digit][half], products);
                }
            }
        }
        for digit in 0..2 {
            for half in 0..2 {
                let pairs = _mm256_madd_epi16(narrow[digit][half], ones);
                wide[digit][half] = _mm256_add_epi32(wide[digit][half], pairs);
            }
        }
    }
    let rows = |digit: usize| {
        let mut out = [0i32; 16];
        // SAFETY: both unaligned stores of eight integers lie inside the array of sixteen.
        unsafe {
            _mm256_storeu_si256(out.as_mut_ptr().cast(), wide[digit][0]);
            _mm256_storeu_si256(out.as_mut_ptr().add(8).cast(), wide[digit][1]);
        }
        out
    };
    PanelSums {
        high: rows(0),
        low: rows(1),
    }
}
