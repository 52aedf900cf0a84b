//! A panel with 128-bit registers: four rows of four columns each, widening multiplies.

use std::arch::aarch64::*;

use super::PanelSums;
use crate::head::codes::{LINE_BYTES, LINE_COLS};

/// Registers of sixteen bytes in a line.
const PARTS: usize = LINE_BYTES / 16;

#[target_feature(enable = "neon")]
pub(super) fn panel_sums(lines: &[[u8; LINE_BYTES]], high: &[i8], low: &[i8]) -> PanelSums {
    let zero = vdupq_n_s32(0);
    // [part of the line][digit][pair of rows], two partial sums a row
    let mut sums = [[[zero; 2]; 2]; PARTS];
    let high = high.as_chunks::<LINE_COLS>().0;
    let low = low.as_chunks::<LINE_COLS>().0;
    for ((line, high), low) in lines.iter().zip(high).zip(low) {
        for (sums, bytes) in sums.iter_mut().zip(line.as_chunks::<16>().0) {
            // SAFETY: the load of sixteen bytes is the chunk.
            let codes = unsafe { vld1q_u8(bytes.as_ptr()) };
            let first = vreinterpretq_s8_u8(vandq_u8(codes, vdupq_n_u8(15)));
            let second = vreinterpretq_s8_u8(vshrq_n_u8::<4>(codes));
            for (sums, digits) in sums.iter_mut().zip([high, low]) {
                let [a, b] = [broadcast(digits, 0), broadcast(digits, 4)];
                // Two products of at most 15 · 128 fit 16 bits.
                let rows = vmull_s8(vget_low_s8(first), vget_low_s8(a));
                let rows = vmlal_s8(rows, vget_low_s8(second), vget_low_s8(b));
                sums[0] = vpadalq_s16(sums[0], rows);
                let rows = vmull_s8(vget_high_s8(first), vget_high_s8(a));
                let rows = vmlal_s8(rows, vget_high_s8(second), vget_high_s8(b));
                sums[1] = vpadalq_s16(sums[1], rows);
            }
        }
    }
    let digit = |digit: usize| {
        let mut out = [0; 16];
        for (sums, out) in sums.iter().zip(out.as_chunks_mut::<4>().0) {
            let rows = vpaddq_s32(sums[digit][0], sums[digit][1]);
            // SAFETY: the store of four integers is the chunk.
            unsafe { vst1q_s32(out.as_mut_ptr(), rows) };
        }
        out
    };
    PanelSums {
        high: digit(0),
        low: digit(1),
    }
}

/// Four digits from `start` in every 32-bit lane.
#[target_feature(enable = "neon")]
fn broadcast(digits: &[i8; LINE_COLS], start: usize) -> int8x16_t {
    let four = [0, 1, 2, 3].map(|i| digits[start + i].cast_unsigned());
    vreinterpretq_s8_u32(vdupq_n_u32(u32::from_le_bytes(four)))
}
