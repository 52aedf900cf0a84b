//! Coding the rows of a screened head.

use super::codes::{LINE_BYTES, LINE_COLS, PANEL_ROWS, ScreenedHead};

/// Codes rows in any order; rows never set are zero rows.
pub struct ScreenedHeadPacker {
    head: ScreenedHead,
    dither: Vec<f64>,
}

impl ScreenedHeadPacker {
    /// Starts with the zero rows of `head`.
    pub(super) fn new(head: ScreenedHead) -> Self {
        let dither = head.dither().to_vec();
        Self { head, dither }
    }

    /// Codes one row.
    ///
    /// # Panics
    /// If there is no such row or it is not `cols` long.
    pub fn set_row(&mut self, row: usize, values: &[f32]) {
        let head = &mut self.head;
        assert!(row < head.rows(), "row {row} of a head of {}", head.rows());
        assert_eq!(values.len(), head.cols(), "row of a screened head");
        let (panel, lane) = (row / PANEL_ROWS, row % PANEL_ROWS);
        let code_bytes = head.code_bytes();
        let panel_bytes = head.padded_cols() / LINE_COLS * LINE_BYTES;
        let step = step_of(values);
        let dither: &[f64] = &self.dither;
        let packed = head.packed_mut();
        let panel = &mut packed[panel * panel_bytes..(panel + 1) * panel_bytes];
        code_row(values, step, dither, lane, panel);
        packed.as_f32_mut()[code_bytes / size_of::<f32>() + row] = step;
    }

    /// The coded head.
    pub fn finish(self) -> ScreenedHead {
        self.head
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
