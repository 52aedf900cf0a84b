//! The definition: what every instruction set must equal.

use super::layout::{Block, COLS_PER_BLOCK, GROUPS, LANES, ROW_STEP, ROWS_PER_TILE};

/// Adds the products of one tile to `sums`: `sums[t, r] += Σ_c w[r, c] · codes[t, c]`, codes taken as they are stored (biased).
///
/// # Shapes
/// - `blocks`: one tile, or a range of its columns · `codes`: a row of `stride` bytes per token, the first
///   `blocks.len() · 32` of which are read · `sums`: `[tokens, 48]` i32
pub fn tile(blocks: &[Block], codes: &[u8], stride: usize, sums: &mut [i32]) {
    tile_of(blocks, codes, stride, sums);
}

/// [`tile`] for codes of any integer type.
pub fn tile_of<T: Copy + Into<i32>>(
    blocks: &[Block],
    codes: &[T],
    stride: usize,
    sums: &mut [i32],
) {
    for (token, sums) in sums.chunks_exact_mut(ROWS_PER_TILE).enumerate() {
        let codes = &codes[token * stride..];
        for (index, block) in blocks.iter().enumerate() {
            for group in 0..GROUPS {
                for lane in 0..LANES {
                    let code: i32 = codes[index * COLS_PER_BLOCK + group * 4 + lane % 4].into();
                    for (t, weight) in block.weights(group, lane).into_iter().enumerate() {
                        sums[t * ROW_STEP + lane / 4] += i32::from(weight) * code;
                    }
                }
            }
        }
    }
}
