//! Coding the rows of a screened head.

use std::ops::Range;

use super::codes::{LINE_BYTES, LINE_COLS, PANEL_ROWS, ScreenedHead};

/// Bytes of the step of a row.
const STEP_BYTES: usize = size_of::<f32>();

/// Codes rows panel by panel; rows never set are zero rows.
pub struct ScreenedHeadPacker {
    head: ScreenedHead,
    dither: Vec<f64>,
}

/// Sixteen rows (in the last panel those that are left) being coded.
pub struct ScreenPanel<'a> {
    rows: Range<usize>,
    cols: usize,
    codes: &'a mut [u8],
    steps: &'a mut [u8],
    dither: &'a [f64],
}

impl ScreenedHeadPacker {
    /// Starts with the zero rows of `head`.
    pub(super) fn new(head: ScreenedHead) -> Self {
        let dither = head.dither().to_vec();
        Self { head, dither }
    }

    /// The panels of all rows in order, to be filled on several threads.
    pub fn panels_mut(&mut self) -> impl Iterator<Item = ScreenPanel<'_>> {
        let panel_bytes = self.head.padded_cols() / LINE_COLS * LINE_BYTES;
        let (rows, cols) = (self.head.rows(), self.head.cols());
        let code_bytes = self.head.code_bytes();
        let dither = &self.dither[..];
        let (codes, steps) = self.head.packed_mut().split_at_mut(code_bytes);
        let codes = codes.chunks_exact_mut(panel_bytes);
        let steps = steps.chunks_exact_mut(PANEL_ROWS * STEP_BYTES);
        let panels = codes.zip(steps).enumerate();
        panels.map(move |(panel, (codes, steps))| ScreenPanel {
            rows: panel * PANEL_ROWS..rows.min((panel + 1) * PANEL_ROWS),
            cols,
            codes,
            steps,
            dither,
        })
    }

    /// The coded head.
    pub fn finish(self) -> ScreenedHead {
        self.head
    }
}

impl ScreenPanel<'_> {
    /// The rows of the head that are in this panel.
    pub fn rows(&self) -> Range<usize> {
        self.rows.clone()
    }

    /// Codes one row.
    ///
    /// # Panics
    /// If `row` is in another panel or `values` is not `cols` long.
    pub fn set_row(&mut self, row: usize, values: &[f32]) {
        let rows = &self.rows;
        assert!(rows.contains(&row), "row {row} of a panel of {rows:?}");
        assert_eq!(values.len(), self.cols, "row of a screened head");
        let (lane, step) = (row - rows.start, step_of(values));
        code_row(values, step, self.dither, lane, self.codes);
        self.steps[lane * STEP_BYTES..][..STEP_BYTES].copy_from_slice(&step.to_ne_bytes());
    }
}

/// The step of a row: 0 for a zero row, infinite for one that is not finite.
fn step_of(values: &[f32]) -> f32 {
    let mut absmax = 0.0f32;
    for x in values {
        if !x.is_finite() {
            return f32::INFINITY;
        }
        absmax = absmax.max(x.abs());
    }
    if absmax == 0.0 {
        return 0.0;
    }
    // A little wider than absmax / 7.5, so that rounding cannot push a value out of the sixteen codes.
    (absmax / 7.5 * (1.0 + 1e-6)).max(f32::MIN_POSITIVE)
}

/// Codes one row into its lane of a panel.
fn code_row(values: &[f32], step: f32, dither: &[f64], lane: usize, panel: &mut [u8]) {
    let inv_step = if step > 0.0 {
        1.0 / f64::from(step)
    } else {
        0.0
    };
    let lines = panel.as_chunks_mut::<LINE_BYTES>().0;
    let values = values.chunks(LINE_COLS).zip(dither.chunks(LINE_COLS));
    for (line, (values, dither)) in lines.iter_mut().zip(values) {
        let mut codes = [0u8; LINE_COLS];
        for ((code, x), dither) in codes.iter_mut().zip(values).zip(dither) {
            // Saturating, so infinities and NaN give some code; their step says not to trust it.
            *code = (f64::from(*x) * inv_step + 8.0 + dither).clamp(0.0, 15.0) as u8;
        }
        for (i, byte) in line[lane * 4..lane * 4 + 4].iter_mut().enumerate() {
            *byte = codes[i] | codes[i + 4] << 4;
        }
    }
}
