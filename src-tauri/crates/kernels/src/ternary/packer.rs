//! From rows of ternary values to the packed layout.

use thiserror::Error;

use super::layout::{
    COLS_PER_BLOCK, LANES, LayoutError, ROW_STEP, ROWS_PER_TILE, as_blocks_mut, blocks_per_tile,
    packed_len,
};
use super::matrix::TernaryMatrix;
use crate::AlignedBytes;

/// A packed matrix being filled; rows never set are zero.
#[derive(Debug)]
pub struct TernaryPacker {
    rows: usize,
    cols: usize,
    packed: AlignedBytes,
}

/// A value or a shape that cannot be packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PackError {
    /// A weight that is not ternary.
    #[error("row {row}, column {col}: weight is {value}, expected -1, 0 or 1")]
    NotTernary {
        /// Row of the weight (in the tile, for a tile).
        row: usize,
        /// Column of the weight.
        col: usize,
        /// The weight.
        value: i8,
    },
    /// A row past the end.
    #[error("row {row} does not exist, the matrix has {rows} rows")]
    NoSuchRow {
        /// Row asked for.
        row: usize,
        /// Rows there are.
        rows: usize,
    },
    /// Another number of values than the shape has.
    #[error("{what} holds {values} values, expected {expected}")]
    Values {
        /// What was given.
        what: &'static str,
        /// How many values it has.
        values: usize,
        /// How many it should have.
        expected: usize,
    },
}

impl TernaryPacker {
    pub(super) fn new(rows: usize, cols: usize) -> Result<TernaryPacker, LayoutError> {
        let packed = AlignedBytes::zeroed(packed_len(rows, cols)?)?;
        Ok(TernaryPacker { rows, cols, packed })
    }

    /// Sets one row; the last call for a row counts.
    ///
    /// # Shapes
    /// - `weights`: `[cols]`, each −1, 0 or 1
    ///
    /// # Errors
    /// If the row does not exist, the length is not `cols`, or a weight is not ternary.
    pub fn set_row(&mut self, row: usize, weights: &[i8]) -> Result<(), PackError> {
        if row >= self.rows {
            return Err(PackError::NoSuchRow {
                row,
                rows: self.rows,
            });
        }
        check("row", weights, self.cols, self.cols, row)?;
        let tile = &mut self
            .tiles_mut()
            .nth(row / ROWS_PER_TILE)
            .expect("a tile for each row");
        let blocks = as_blocks_mut(tile);
        let in_tile = row % ROWS_PER_TILE;
        let (t, row_in_step) = (in_tile / ROW_STEP, in_tile % ROW_STEP);
        for (col, &weight) in weights.iter().enumerate() {
            let (group, lane) = (col % COLS_PER_BLOCK / 4, row_in_step * 4 + col % 4);
            let block = &mut blocks[col / COLS_PER_BLOCK];
            let mut digits = block.weights(group, lane);
            digits[t] = weight;
            block.set_value(group, lane, digits[0] + 3 * digits[1] + 9 * digits[2]);
        }
        Ok(())
    }

    /// Sets the up to 48 rows of one tile, faster than row by row.
    ///
    /// # Shapes
    /// - `weights`: `[rows of the tile, cols]`: 48 rows, in the last tile those that are left
    ///
    /// # Errors
    /// As [`TernaryPacker::set_row`].
    pub fn set_tile(&mut self, tile: usize, weights: &[i8]) -> Result<(), PackError> {
        let first = tile.saturating_mul(ROWS_PER_TILE);
        if first >= self.rows {
            return Err(PackError::NoSuchRow {
                row: first,
                rows: self.rows,
            });
        }
        let rows = (self.rows - first).min(ROWS_PER_TILE);
        check("tile", weights, rows * self.cols, self.cols, first)?;
        let cols = self.cols;
        let out = self.tiles_mut().nth(tile).expect("the row was checked");
        pack_tile(weights, cols, out)
    }

    /// The packed bytes of each tile, to be filled by [`pack_tile`] on several threads.
    pub fn tiles_mut(&mut self) -> std::slice::ChunksExactMut<'_, u8> {
        let bytes = blocks_per_tile(self.cols) * size_of::<super::Block>();
        self.packed.chunks_exact_mut(bytes)
    }

    /// The finished matrix.
    pub fn finish(self) -> TernaryMatrix {
        TernaryMatrix::from_valid(self.rows, self.cols, self.packed)
    }
}

/// Packs the rows of one tile into its bytes.
///
/// # Shapes
/// - `weights`: `[at most 48, cols]`, each −1, 0 or 1 · `out`: the bytes of one tile, `⌈cols / 32⌉ · 320`
///
/// # Errors
/// If a length does not fit or a weight is not ternary.
pub fn pack_tile(weights: &[i8], cols: usize, out: &mut [u8]) -> Result<(), PackError> {
    let expected = packed_len(1, cols).unwrap_or(0);
    if out.len() != expected {
        return Err(PackError::Values {
            what: "packed tile",
            values: out.len(),
            expected,
        });
    }
    let rows = weights.len().checked_div(cols).unwrap_or(0);
    check("tile", weights, rows.min(ROWS_PER_TILE) * cols, cols, 0)?;
    let zeros = [0i8; COLS_PER_BLOCK];
    for (index, block) in as_blocks_mut(out).iter_mut().enumerate() {
        let first = index * COLS_PER_BLOCK;
        let width = (cols - first).min(COLS_PER_BLOCK);
        block.digits.fill(0);
        block.signs.fill(0);
        for row in 0..ROW_STEP {
            let mut values = [0i8; COLS_PER_BLOCK];
            for (t, factor) in [1, 3, 9].into_iter().enumerate() {
                let row = t * ROW_STEP + row;
                let line = if row < rows {
                    &weights[row * cols + first..][..width]
                } else {
                    &zeros[..width]
                };
                for (value, weight) in values.iter_mut().zip(line) {
                    *value += factor * weight;
                }
            }
            for (col, value) in values.into_iter().enumerate() {
                let (group, lane) = (col / 4, row * 4 + col % 4);
                block.digits[group / 2 * LANES + lane] |= value.unsigned_abs() << (4 * (group % 2));
                block.signs[lane] |= u8::from(value < 0) << group;
            }
        }
    }
    Ok(())
}

/// Checks count and values; `first_row` is what the message counts rows from.
fn check(
    what: &'static str,
    weights: &[i8],
    expected: usize,
    cols: usize,
    first_row: usize,
) -> Result<(), PackError> {
    if weights.len() != expected {
        return Err(PackError::Values {
            what,
            values: weights.len(),
            expected,
        });
    }
    let ternary = weights
        .iter()
        .fold(true, |all, weight| all & (-1..=1).contains(weight));
    if ternary {
        return Ok(());
    }
    let index = weights
        .iter()
        .position(|weight| !(-1..=1).contains(weight))
        .expect("one is not ternary");
    Err(PackError::NotTernary {
        row: first_row + index / cols,
        col: index % cols,
        value: weights[index],
    })
}
