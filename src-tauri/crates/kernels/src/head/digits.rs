//! The hidden vector as two signed 8-bit digits per element: `h ≈ scale · (256·high + low)`.

use super::codes::COL_MULTIPLE;

/// Largest magnitude of the 16-bit integer, so that both digits fit: 127·256 + 127.
const LARGEST: f64 = 32639.0;

/// A hidden vector in digits, with the norms the bound needs.
pub(super) struct Digits {
    /// High digits, padded with zeros to whole 32 columns.
    pub(super) high: Vec<i8>,
    /// Low digits, likewise.
    pub(super) low: Vec<i8>,
    scale: f64,
    len: usize,
    norm: f64,
    absolute_sum: f64,
    rounding_error: f64,
    offset: f64,
}

impl Digits {
    /// Splits `h`; `dither` gives the value a code of 0 stands for in each column, `−(7.5 + u)` steps.
    pub(super) fn new(h: &[f32], dither: &[f64]) -> Self {
        let absmax = h.iter().fold(0.0f32, |m, x| m.max(x.abs()));
        let finite = h.iter().all(|x| x.is_finite());
        let scale = f64::from(absmax) / LARGEST;
        let inv_scale = if absmax > 0.0 && finite {
            LARGEST / f64::from(absmax)
        } else {
            0.0
        };
        let padded = h.len().next_multiple_of(COL_MULTIPLE);
        let mut digits = Self {
            high: vec![0; padded],
            low: vec![0; padded],
            scale,
            len: h.len(),
            norm: 0.0,
            absolute_sum: 0.0,
            rounding_error: 0.0,
            offset: 0.0,
        };
        let mut squares = 0.0;
        for (col, (x, dither)) in h.iter().zip(dither).enumerate() {
            let x = f64::from(*x);
            let q = (x * inv_scale).round_ties_even();
            let integer = q as i32;
            let high = (integer + 128) >> 8;
            digits.high[col] = high as i8;
            digits.low[col] = (integer - (high << 8)) as i8;
            let image = q * scale;
            squares += image * image;
            digits.absolute_sum += x.abs().max(image.abs());
            digits.rounding_error += (x - image).abs();
            digits.offset += (7.5 + dither) * q;
        }
        digits.norm = squares.sqrt();
        digits
    }

    /// Elements without padding.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// `‖ĥ‖₂` of the digits' value; NaN or infinite where `h` was.
    pub(super) fn norm(&self) -> f64 {
        self.norm
    }

    /// `Σ max(|h|, |ĥ|)`.
    pub(super) fn absolute_sum(&self) -> f64 {
        self.absolute_sum
    }

    /// `Σ|h − ĥ|`.
    pub(super) fn rounding_error(&self) -> f64 {
        self.rounding_error
    }

    /// The score of a row in units of its step, from its exact integer sums with the high and the low digits.
    pub(super) fn score(&self, high: i32, low: i32) -> f64 {
        // Exact: the sums have 31 bits, f64 has 53.
        (f64::from(high) * 256.0 + f64::from(low) - self.offset) * self.scale
    }
}
