//! The packed layout "t3": 96 ternary weights in 20 bytes, 1.667 bits each.
//!
//! A [`Block`] holds 48 rows × 32 columns. Three weights of one column, 16 rows apart, are the base-3 digits of
//! `v = w₀ + 3·w₁ + 9·w₂` in −13..=13. Negating `v` negates all three, so `|v|` (4 bits) indexes tables of 16 entries and one
//! sign bit does the rest: byte shuffles of every vector instruction set decode it.
//!
//! In a group of 4 columns lane `l = 4·row + k` (row in 0..16, k in 0..4) holds the column `k` of the rows `row`, `16 + row` and
//! `32 + row`: decoded, 4 neighbouring lanes are 4 neighbouring columns of one row, as 4-byte dot products want them.
//! Blocks lie tile after tile (48 rows), in a tile from the first columns to the last. Rows and columns past the end are 0.

use thiserror::Error;

/// Rows of a block, and so of a tile.
pub const ROWS_PER_TILE: usize = 48;
/// Columns of a block.
pub const COLS_PER_BLOCK: usize = 32;
/// Bytes of a block.
pub const BLOCK_BYTES: usize = 320;
/// Groups of 4 columns in a block.
pub const GROUPS: usize = 8;
/// Lanes of a group.
pub const LANES: usize = 64;
/// Rows of a block that share a weight digit: a lane's three weights are this far apart.
pub const ROW_STEP: usize = 16;
/// The largest `|v|`: 1 + 3 + 9.
pub const LARGEST_DIGIT: u8 = 13;

/// 48 rows × 32 columns of ternary weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Block {
    /// `|v|` of group `g`, lane `l`: the low (even g) or high (odd g) half of byte `(g / 2)·64 + l`.
    pub digits: [u8; 256],
    /// Whether `v < 0`: bit `g` of byte `l`.
    pub signs: [u8; 64],
}

const _: () = assert!(size_of::<Block>() == BLOCK_BYTES && align_of::<Block>() == 1);
const _: () =
    assert!(GROUPS * 4 == COLS_PER_BLOCK && LANES == ROW_STEP * 4 && ROWS_PER_TILE == 3 * ROW_STEP);

/// `WEIGHTS[t][d]` is the weight of the row `16·t + row` in the digit `d = |v|`.
pub const WEIGHTS: [[i8; 16]; 3] = weights();

const fn weights() -> [[i8; 16]; 3] {
    let mut table = [[0i8; 16]; 3];
    let mut digit = 0;
    while digit <= LARGEST_DIGIT as usize {
        let mut rest = digit as i8;
        let mut t = 0;
        while t < 3 {
            // The balanced digit: the remainder in −1..=1.
            let weight = (rest + 1) % 3 - 1;
            table[t][digit] = weight;
            rest = (rest - weight) / 3;
            t += 1;
        }
        digit += 1;
    }
    table
}

/// For each digit a byte for each of its three weights: 1 where it is not zero.
const NONZERO: [u32; 16] = {
    let mut table = [0; 16];
    let mut digit = 0;
    while digit <= LARGEST_DIGIT as usize {
        let mut t = 0;
        while t < 3 {
            if WEIGHTS[t][digit] != 0 {
                table[digit] |= 1 << (8 * t);
            }
            t += 1;
        }
        digit += 1;
    }
    table
};

impl Block {
    /// The value `v` of a group's lane.
    pub fn value(&self, group: usize, lane: usize) -> i8 {
        let digit = (self.digits[group / 2 * LANES + lane] >> (4 * (group % 2)) & 15) as i8;
        if self.signs[lane] >> group & 1 == 1 {
            -digit
        } else {
            digit
        }
    }

    /// The three weights of a group's lane, those of rows `row`, `16 + row`, `32 + row`.
    #[inline]
    pub fn weights(&self, group: usize, lane: usize) -> [i8; 3] {
        let value = self.value(group, lane);
        let digit = usize::from(value.unsigned_abs());
        WEIGHTS.map(|table| table[digit] * value.signum())
    }

    /// Adds the number of weights that are not zero to the counts of the block's 48 rows.
    pub(super) fn count_nonzeros(&self, counts: &mut [u32]) {
        // Three counts of at most 32 in one word for each of the 16 row places.
        let mut words = [0u32; ROW_STEP];
        for half in self.digits.chunks_exact(LANES) {
            for (lane, byte) in half.iter().enumerate() {
                words[lane / 4] +=
                    NONZERO[usize::from(byte & 15)] + NONZERO[usize::from(byte >> 4)];
            }
        }
        for (row, word) in words.into_iter().enumerate() {
            for t in 0..3 {
                counts[t * ROW_STEP + row] += word >> (8 * t) & 255;
            }
        }
    }

    /// Writes the value of a group's lane over what was there.
    pub(crate) fn set_value(&mut self, group: usize, lane: usize, value: i8) {
        let shift = 4 * (group % 2);
        let digit = &mut self.digits[group / 2 * LANES + lane];
        *digit = *digit & !(15 << shift) | value.unsigned_abs() << shift;
        let sign = &mut self.signs[lane];
        *sign = *sign & !(1 << group) | u8::from(value < 0) << group;
    }
}

/// Blocks in a tile of a matrix with `cols` columns.
pub(crate) fn blocks_per_tile(cols: usize) -> usize {
    cols.div_ceil(COLS_PER_BLOCK)
}

/// Bytes of a packed matrix.
///
/// # Errors
/// If a dimension is 0 or the product is more than the address space holds.
pub fn packed_len(rows: usize, cols: usize) -> Result<usize, LayoutError> {
    if rows == 0 || cols == 0 {
        return Err(LayoutError::Empty { rows, cols });
    }
    rows.div_ceil(ROWS_PER_TILE)
        .checked_mul(blocks_per_tile(cols))
        .and_then(|blocks| blocks.checked_mul(BLOCK_BYTES))
        .filter(|&bytes| bytes <= isize::MAX as usize)
        .filter(|_| cols <= LARGEST_COLS)
        .ok_or(LayoutError::TooLarge { rows, cols })
}

/// Above this many columns a row's sum of 255 per column could leave i32.
pub const LARGEST_COLS: usize = (i32::MAX / 255) as usize / COLS_PER_BLOCK * COLS_PER_BLOCK;

/// Packed bytes as blocks.
pub(crate) fn as_blocks(bytes: &[u8]) -> &[Block] {
    assert!(
        bytes.len().is_multiple_of(BLOCK_BYTES),
        "{} bytes are not whole blocks",
        bytes.len()
    );
    // SAFETY: Block is plain bytes (size and alignment asserted above), and the count is that of whole blocks in the slice.
    unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len() / BLOCK_BYTES) }
}

/// Packed bytes as blocks, writable.
pub(crate) fn as_blocks_mut(bytes: &mut [u8]) -> &mut [Block] {
    assert!(
        bytes.len().is_multiple_of(BLOCK_BYTES),
        "{} bytes are not whole blocks",
        bytes.len()
    );
    // SAFETY: as in `as_blocks`; the borrow is exclusive.
    unsafe { std::slice::from_raw_parts_mut(bytes.as_mut_ptr().cast(), bytes.len() / BLOCK_BYTES) }
}

/// Why bytes or dimensions are not those of a packed matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LayoutError {
    /// A matrix without elements.
    #[error("packed ternary matrix: {rows} rows of {cols} columns, expected at least one of each")]
    Empty {
        /// Rows asked for.
        rows: usize,
        /// Columns asked for.
        cols: usize,
    },
    /// More than can be addressed or summed.
    #[error(
        "packed ternary matrix: {rows} rows of {cols} columns do not fit, expected at most {LARGEST_COLS} columns and 2⁶³ bytes"
    )]
    TooLarge {
        /// Rows asked for.
        rows: usize,
        /// Columns asked for.
        cols: usize,
    },
    /// The byte count does not belong to the shape.
    #[error(
        "packed ternary matrix of {rows} rows, {cols} columns: holds {bytes} bytes, expected {expected}"
    )]
    Length {
        /// Rows of the shape.
        rows: usize,
        /// Columns of the shape.
        cols: usize,
        /// Bytes given.
        bytes: usize,
        /// Bytes the shape needs.
        expected: usize,
    },
    /// A value no three weights give.
    #[error(
        "packed ternary matrix: block {block} holds digit {digit}, expected at most {LARGEST_DIGIT}"
    )]
    Digit {
        /// Index of the block.
        block: usize,
        /// The digit found.
        digit: u8,
    },
    /// No memory for it.
    #[error(transparent)]
    Alloc(#[from] crate::AllocError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_three_weights_have_a_value_and_come_back() {
        let mut block = Block {
            digits: [0; 256],
            signs: [0; 64],
        };
        for value in -13..=13i8 {
            block.set_value(5, 9, value);
            block.set_value(4, 9, -value);
            let [w0, w1, w2] = block.weights(5, 9);
            assert_eq!(w0 + 3 * w1 + 9 * w2, value);
            assert!([w0, w1, w2].iter().all(|w| (-1..=1).contains(w)));
            assert_eq!(block.value(4, 9), -value);
        }
    }

    #[test]
    fn sizes_are_checked() {
        assert_eq!(packed_len(48, 32), Ok(320));
        assert_eq!(packed_len(49, 33), Ok(4 * 320));
        assert_eq!(
            packed_len(0, 5),
            Err(LayoutError::Empty { rows: 0, cols: 5 })
        );
        for (rows, cols) in [
            (usize::MAX, 32),
            (usize::MAX, usize::MAX),
            (1, LARGEST_COLS + 1),
        ] {
            assert_eq!(
                packed_len(rows, cols),
                Err(LayoutError::TooLarge { rows, cols })
            );
        }
    }
}
