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
    // [row half][digit]
    let mut wide = [[zero; 2]; 2];
    let blocks = lines.as_chunks::<LINES_IN_I16>().0;
    let high = high.as_chunks::<COL_MULTIPLE>().0;
    let low = low.as_chunks::<COL_MULTIPLE>().0;
    for ((block, high), low) in blocks.iter().zip(high).zip(low) {
        let mut narrow = [[zero; 2]; 2];
        let high = high.as_chunks::<4>().0;
        let low = low.as_chunks::<4>().0;
        for (line, bytes) in block.iter().enumerate() {
            let halves = bytes.as_chunks::<32>().0;
            for (sums, bytes) in narrow.iter_mut().zip(halves) {
                // SAFETY: the unaligned load of 32 bytes is the half line.
                let codes = unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) };
                let first = _mm256_and_si256(codes, nibble);
                let second = _mm256_and_si256(_mm256_srli_epi16::<4>(codes), nibble);
                for (sum, digits) in sums.iter_mut().zip([high, low]) {
                    let products = _mm256_add_epi16(
                        _mm256_maddubs_epi16(first, broadcast(digits[2 * line])),
                        _mm256_maddubs_epi16(second, broadcast(digits[2 * line + 1])),
                    );
                    *sum = _mm256_add_epi16(*sum, products);
                }
            }
        }
        for (wide, narrow) in wide.iter_mut().zip(narrow) {
            for (wide, narrow) in wide.iter_mut().zip(narrow) {
                *wide = _mm256_add_epi32(*wide, _mm256_madd_epi16(narrow, ones));
            }
        }
    }
    PanelSums {
        high: rows(wide[0][0], wide[1][0]),
        low: rows(wide[0][1], wide[1][1]),
    }
}

/// Four digits in every 32-bit lane.
#[target_feature(enable = "avx2")]
fn broadcast(digits: [i8; 4]) -> __m256i {
    _mm256_set1_epi32(i32::from_le_bytes(digits.map(i8::cast_unsigned)))
}

/// The sums of rows 0 to 7 and 8 to 15.
#[target_feature(enable = "avx2")]
fn rows(first: __m256i, second: __m256i) -> [i32; 16] {
    let mut out = [0; 16];
    // SAFETY: both unaligned stores of eight integers lie inside the array of sixteen.
    unsafe {
        _mm256_storeu_si256(out.as_mut_ptr().cast(), first);
        _mm256_storeu_si256(out.as_mut_ptr().add(8).cast(), second);
    }
    out
}
