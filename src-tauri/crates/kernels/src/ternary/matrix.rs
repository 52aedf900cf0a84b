//! A packed ternary matrix in memory.

use super::layout::{
    Block, COLS_PER_BLOCK, GROUPS, LANES, LARGEST_DIGIT, LayoutError, ROW_STEP, ROWS_PER_TILE,
    as_blocks, blocks_per_tile, packed_len,
};
use super::packer::TernaryPacker;
use crate::AlignedBytes;

/// Ternary weights `[rows, cols]` in the packed layout (see [`Block`]), with the sum of each row.
#[derive(Debug)]
pub struct TernaryMatrix {
    rows: usize,
    cols: usize,
    packed: AlignedBytes,
    row_sums: Vec<i32>,
}

impl TernaryMatrix {
    /// Begins a matrix of zeros to be filled row by row or tile by tile.
    ///
    /// # Errors
    /// If a dimension is 0, or there is no memory for the matrix.
    pub fn packer(rows: usize, cols: usize) -> Result<TernaryPacker, LayoutError> {
        TernaryPacker::new(rows, cols)
    }

    /// Takes bytes that [`TernaryMatrix::packed_bytes`] gave, from memory or a file of any origin.
    ///
    /// # Errors
    /// If the length does not belong to the shape or a digit is none of the layout's.
    pub fn from_packed(
        rows: usize,
        cols: usize,
        packed: AlignedBytes,
    ) -> Result<TernaryMatrix, LayoutError> {
        let expected = packed_len(rows, cols)?;
        if packed.len() != expected {
            return Err(LayoutError::Length {
                rows,
                cols,
                bytes: packed.len(),
                expected,
            });
        }
        for (block, content) in as_blocks(&packed).iter().enumerate() {
            let digit = largest_digit(&content.digits);
            if digit > LARGEST_DIGIT {
                return Err(LayoutError::Digit { block, digit });
            }
        }
        Ok(TernaryMatrix::from_valid(rows, cols, packed))
    }

    /// Length and digits are those of the layout.
    pub(super) fn from_valid(rows: usize, cols: usize, packed: AlignedBytes) -> TernaryMatrix {
        let mut matrix = TernaryMatrix {
            rows,
            cols,
            packed,
            row_sums: Vec::new(),
        };
        matrix.row_sums = super::matmul::row_sums(&matrix);
        matrix
    }

    /// Output features.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Input features.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The packed weights, ready to be written to a file.
    pub fn packed_bytes(&self) -> &[u8] {
        &self.packed
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        self.packed.len() + size_of_val(&self.row_sums[..])
    }

    /// The sum of the weights of each row.
    pub fn row_sums(&self) -> &[i32] {
        &self.row_sums
    }

    /// How many weights of each of `rows` are not zero.
    ///
    /// # Panics
    /// If there are no such rows.
    pub fn nonzeros(&self, rows: std::ops::Range<usize>) -> Vec<u32> {
        assert!(
            rows.start <= rows.end && rows.end <= self.rows,
            "rows {rows:?} of {}",
            self.rows
        );
        let tiles = rows.start / ROWS_PER_TILE..rows.end.div_ceil(ROWS_PER_TILE);
        let first = tiles.start * ROWS_PER_TILE;
        let mut counts = vec![0; tiles.len() * ROWS_PER_TILE];
        for (tile, counts) in tiles.zip(counts.chunks_exact_mut(ROWS_PER_TILE)) {
            self.tile(tile)
                .iter()
                .for_each(|block| block.count_nonzeros(counts));
        }
        counts[rows.start - first..rows.end - first].to_vec()
    }

    /// Writes the weights of one row.
    ///
    /// # Shapes
    /// - `out`: `[cols]`
    ///
    /// # Panics
    /// If `row` is not below the number of rows or `out` has another length.
    pub fn unpack_row(&self, row: usize, out: &mut [i8]) {
        assert!(row < self.rows, "row {row} of {}", self.rows);
        assert_eq!(
            out.len(),
            self.cols,
            "a row of {} columns into {} values",
            self.cols,
            out.len()
        );
        let in_tile = row % ROWS_PER_TILE;
        let (t, lane) = (in_tile / ROW_STEP, in_tile % ROW_STEP * 4);
        let blocks = self.tile(row / ROWS_PER_TILE);
        for (col, weight) in out.iter_mut().enumerate() {
            let (group, k) = (col % COLS_PER_BLOCK / 4, col % 4);
            *weight = blocks[col / COLS_PER_BLOCK].weights(group, lane + k)[t];
        }
    }

    /// Number of tiles of 48 rows.
    pub(super) fn tiles(&self) -> usize {
        self.rows.div_ceil(ROWS_PER_TILE)
    }

    /// The blocks of one tile.
    pub(super) fn tile(&self, tile: usize) -> &[Block] {
        let blocks = blocks_per_tile(self.cols);
        &as_blocks(&self.packed)[tile * blocks..][..blocks]
    }
}

/// The largest 4-bit digit among the bytes.
fn largest_digit(digits: &[u8; GROUPS / 2 * LANES]) -> u8 {
    let mut largest = [0u8; 16];
    for bytes in digits.chunks_exact(16) {
        for (most, byte) in largest.iter_mut().zip(bytes) {
            *most = (*most).max(byte & 15).max(byte >> 4);
        }
    }
    largest.into_iter().fold(0, u8::max)
}
