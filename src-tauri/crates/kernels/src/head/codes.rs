//! Four bits a weight: how a row is coded and where the codes lie.
//!
//! Element `i` of a row with step `Δ` becomes `c = ⌊w/Δ + 8 + uᵢ⌋ ∈ 0..=15`, with a dither `uᵢ ∈ [−½, ½)` per column that
//! is the same for all rows, and stands for `ŵ = (c − 7.5 − uᵢ)·Δ`. `Δ = absmax / 7.5`, so nothing is clipped.
//!
//! Sixteen rows form a panel. A panel is a run of 64-byte lines, each 16 rows × 8 columns: byte `4·row + i` holds column
//! `i` in its low and column `4 + i` in its high nibble. Rows are padded to 16, columns to 32. The steps (f32, one per
//! padded row) follow the codes. The layout does not depend on the CPU that wrote it.

use std::sync::Mutex;

use super::bound::dither;
use super::bounds::Bounds;
use super::error::{MAX_DIMENSION, ScreenError};
use super::packer::ScreenedHeadPacker;
use crate::buffer::AlignedBytes;

/// Rows of a panel.
pub(super) const PANEL_ROWS: usize = 16;
/// Columns of a line.
pub(super) const LINE_COLS: usize = 8;
/// Bytes of a line.
pub(super) const LINE_BYTES: usize = PANEL_ROWS * LINE_COLS / 2;
/// Columns are padded to this: the columns after which 16-bit sums are widened.
pub(super) const COL_MULTIPLE: usize = 32;
/// An LM head as 4-bit codes, for screening.
pub struct ScreenedHead {
    rows: usize,
    cols: usize,
    packed: AlignedBytes,
    /// The dither of each column.
    dither: Vec<f64>,
    /// Room for the bounds of a step, kept so that a step does not ask the system for memory.
    scratch: Mutex<Bounds>,
}

/// Bytes of the codes, `None` for a shape out of bounds.
fn code_len(rows: usize, cols: usize) -> Option<usize> {
    let bounded = [rows, cols].iter().all(|n| (1..=MAX_DIMENSION).contains(n));
    bounded.then(|| rows.next_multiple_of(PANEL_ROWS) * cols.next_multiple_of(COL_MULTIPLE) / 2)
}

impl ScreenedHead {
    /// Bytes of a packed head, `None` for a shape that is zero or absurd.
    pub fn packed_len(rows: usize, cols: usize) -> Option<usize> {
        Some(code_len(rows, cols)? + rows.next_multiple_of(PANEL_ROWS) * size_of::<f32>())
    }

    /// Starts a head of `rows` tokens and `cols` hidden elements.
    ///
    /// # Errors
    /// If a dimension is zero or beyond 2²⁰, or memory is short.
    pub fn packer(rows: usize, cols: usize) -> Result<ScreenedHeadPacker, ScreenError> {
        let len = Self::packed_len(rows, cols).ok_or(ScreenError::Shape { rows, cols })?;
        let packed = AlignedBytes::zeroed(len).map_err(|source| ScreenError::Alloc {
            rows,
            cols,
            source,
        })?;
        Ok(ScreenedHeadPacker::new(Self::assemble(rows, cols, packed)))
    }

    /// A head from what [`ScreenedHead::packed_bytes`] gave.
    ///
    /// # Errors
    /// If the shape is absurd, the length is another, or a step is negative or NaN.
    pub fn from_packed(
        rows: usize,
        cols: usize,
        packed: AlignedBytes,
    ) -> Result<Self, ScreenError> {
        let expected = Self::packed_len(rows, cols).ok_or(ScreenError::Shape { rows, cols })?;
        let found = packed.len();
        if found != expected {
            return Err(ScreenError::Length {
                rows,
                cols,
                found,
                expected,
            });
        }
        let head = Self::assemble(rows, cols, packed);
        match head
            .steps()
            .iter()
            .position(|step| step.is_nan() || *step < 0.0)
        {
            Some(row) => Err(ScreenError::Step {
                row,
                step: head.steps()[row],
            }),
            None => Ok(head),
        }
    }

    fn assemble(rows: usize, cols: usize, packed: AlignedBytes) -> Self {
        let dither = (0..cols).map(dither).collect();
        Self {
            rows,
            cols,
            packed,
            dither,
            scratch: Mutex::default(),
        }
    }

    /// Tokens of the vocabulary.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Hidden elements.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The codes and steps, for [`ScreenedHead::from_packed`].
    pub fn packed_bytes(&self) -> &[u8] {
        &self.packed
    }

    /// Bytes in memory, all of which a step reads.
    pub fn bytes(&self) -> u64 {
        self.packed.len() as u64
    }

    pub(super) fn dither(&self) -> &[f64] {
        &self.dither
    }

    /// Columns with padding.
    pub(super) fn padded_cols(&self) -> usize {
        self.cols.next_multiple_of(COL_MULTIPLE)
    }

    /// Bytes of the codes, before the steps.
    pub(super) fn code_bytes(&self) -> usize {
        code_len(self.rows, self.cols).expect("checked when the head was made")
    }

    /// The steps of all rows with padding. Infinite: the row was not finite and is always computed exactly.
    pub(super) fn steps(&self) -> &[f32] {
        &self.packed.as_f32()[self.code_bytes() / size_of::<f32>()..]
    }

    /// All bytes, writable.
    pub(super) fn packed_mut(&mut self) -> &mut AlignedBytes {
        &mut self.packed
    }

    /// The bounds of the step before, to be overwritten; new ones where another thread has them.
    pub(super) fn scratch(&self) -> Bounds {
        self.scratch
            .try_lock()
            .map_or_else(|_| Bounds::default(), |mut kept| std::mem::take(&mut *kept))
    }

    /// Keeps the bounds for the next step.
    pub(super) fn keep_scratch(&self, bounds: Bounds) {
        if let Ok(mut kept) = self.scratch.try_lock() {
            *kept = bounds;
        }
    }

    /// The lines of a panel.
    pub(super) fn panel(&self, panel: usize) -> &[[u8; LINE_BYTES]] {
        let lines = self.padded_cols() / LINE_COLS;
        &self.packed.as_chunks().0[panel * lines..(panel + 1) * lines]
    }
}
