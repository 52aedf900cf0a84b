//! Activation quantisation: per token, absmax to int8.
//!
//! `s = 127 / max(max|x|, 1e-5)`, `q = clamp(round_half_even(x·s), −128, 127)`, all in f32, `s` as the rounded reciprocal times 127. Codes are stored **biased**,
//! `q + 128` as u8, because the byte products of x86 want one unsigned operand; a product takes `128·Σw` off again.
//! Source: transformers `integrations/bitnet.py`, `ActQuant`.

use crate::Pool;
use crate::pool::Slots;
use crate::ternary::COLS_PER_BLOCK;

/// What `q = 0` is stored as.
pub const BIAS: u8 = 128;
/// The smallest maximum that is divided by.
const SMALLEST_MAX: f32 = 1e-5;
/// Adding and taking off 1.5·2²³ rounds an f32 below 2²² to an integer, half to even.
const ROUNDER: f32 = 12_582_912.0;

/// Quantised activations of some tokens; the memory is reused from call to call.
#[derive(Debug, Default)]
pub struct Activations {
    tokens: usize,
    cols: usize,
    stride: usize,
    codes: Vec<u8>,
    quant_factors: Vec<f32>,
}

/// Quantises `x` into `out`, on the calling thread.
///
/// A token that holds a NaN gets the factor NaN, one that holds an infinity the factor 0, both with all codes 0: their products
/// come out as NaN, as in the reference. Nothing panics on values.
///
/// # Shapes
/// - `x`: `[tokens, cols]` f32
///
/// # Panics
/// If `x` is not a whole number of rows.
pub fn quantize(x: &[f32], cols: usize, out: &mut Activations) {
    let tokens = out.reshape(x.len(), cols);
    for token in 0..tokens {
        let row = &x[token * cols..][..cols];
        out.quant_factors[token] = quantize_row(row, &mut out.codes[token * out.stride..][..cols]);
    }
}

/// Quantises `x` into `out` as [`quantize`] does, with the threads of `pool`.
///
/// # Panics
/// As [`quantize`].
pub fn quantize_on(pool: &Pool, x: &[f32], cols: usize, out: &mut Activations) {
    let tokens = out.reshape(x.len(), cols);
    if tokens < 2 {
        return quantize(x, cols, out);
    }
    let stride = out.stride;
    let codes = Slots::new(&mut out.codes);
    let factors = Slots::new(&mut out.quant_factors);
    pool.run(tokens, &|token| {
        let row = &x[token * cols..][..cols];
        // SAFETY: each token is handed out once and its ranges touch no other token's.
        let (codes, factor) =
            unsafe { (codes.range(token * stride, cols), factors.range(token, 1)) };
        factor[0] = quantize_row(row, codes);
    });
}

impl Activations {
    /// An empty buffer.
    pub fn new() -> Activations {
        Activations::default()
    }

    /// How many tokens it holds.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// How many values each token has.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The factor `s` of a token: code = value · s.
    pub fn quant_factor(&self, token: usize) -> f32 {
        self.quant_factors[token]
    }

    /// One code, without the bias.
    pub fn code(&self, token: usize, col: usize) -> i8 {
        assert!(col < self.cols, "activation column {col} of {}", self.cols);
        (self.codes[token * self.stride + col] ^ BIAS) as i8
    }

    /// All biased codes, a row of [`Activations::stride`] bytes per token; what lies past `cols` in a row is the code of 0.
    pub(crate) fn codes(&self) -> &[u8] {
        &self.codes
    }

    /// Bytes from one token's codes to the next's: a multiple of the columns of a block.
    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    /// Makes room for `values / cols` tokens of zero codes, and returns how many those are.
    fn reshape(&mut self, values: usize, cols: usize) -> usize {
        let tokens = values.checked_div(cols).unwrap_or(0);
        assert_eq!(
            tokens * cols,
            values,
            "activations of {values} values are not rows of {cols}"
        );
        let stride = cols.next_multiple_of(COLS_PER_BLOCK);
        if (self.tokens, self.cols) != (tokens, cols) {
            self.codes.clear();
            self.codes.resize(tokens * stride, BIAS);
            self.quant_factors.clear();
            self.quant_factors.resize(tokens, 0.0);
        }
        (self.tokens, self.cols, self.stride) = (tokens, cols, stride);
        tokens
    }

    /// Activations with given codes and the factor 1, for integer products.
    ///
    /// # Panics
    /// If `codes` is not a whole number of rows.
    pub fn from_codes(codes: &[i8], cols: usize) -> Activations {
        let mut out = Activations::new();
        let tokens = out.reshape(codes.len(), cols);
        out.quant_factors.fill(1.0);
        for token in 0..tokens {
            for col in 0..cols {
                out.codes[token * out.stride + col] = codes[token * cols + col] as u8 ^ BIAS;
            }
        }
        out
    }
}

fn quantize_row(row: &[f32], codes: &mut [u8]) -> f32 {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: AVX2 was just detected.
        return unsafe { quantize_row_avx2(row, codes) };
    }
    quantize_row_portable(row, codes)
}

/// The portable loop, compiled for AVX2: the same operations, so the same bits.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn quantize_row_avx2(row: &[f32], codes: &mut [u8]) -> f32 {
    quantize_row_portable(row, codes)
}

#[inline(always)]
fn quantize_row_portable(row: &[f32], codes: &mut [u8]) -> f32 {
    // Magnitudes compare as integers, and there a NaN is larger than infinity, so it is not lost as in f32::max.
    let largest = row
        .iter()
        .map(|x| (x.to_bits() & 0x7fff_ffff) as i32)
        .max()
        .unwrap_or(0);
    let largest = f32::from_bits(largest as u32);
    if !largest.is_finite() {
        codes.fill(BIAS);
        return 127.0 / largest;
    }
    // PyTorch divides a number by a tensor so: the reciprocal is rounded first, and exact halves fall accordingly.
    let factor = 1.0 / largest.max(SMALLEST_MAX) * 127.0;
    for (code, x) in codes.iter_mut().zip(row) {
        let rounded = (x * factor + ROUNDER).to_bits() as i32 - ROUNDER.to_bits() as i32;
        *code = (rounded.clamp(-128, 127) + i32::from(BIAS)) as u8;
    }
    factor
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(x: &[f32], factor: f32, expected: &[i8]) {
        let mut out = Activations::new();
        quantize(x, x.len(), &mut out);
        assert_eq!(out.quant_factor(0), factor);
        let codes: Vec<i8> = (0..x.len()).map(|col| out.code(0, col)).collect();
        assert_eq!(codes, expected);
    }

    #[test]
    fn halves_round_to_even() {
        check(
            &[127.0, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, -127.0],
            1.0,
            &[127, 0, 2, 2, 0, -2, -2, -127],
        );
    }

    #[test]
    fn small_maxima_are_raised() {
        check(&[1e-6, 0.0], 1.0 / 1e-5 * 127.0, &[13, 0]);
        check(&[0.0, -0.0], 1.0 / 1e-5 * 127.0, &[0, 0]);
    }

    #[test]
    fn a_nan_or_an_infinity_spoils_its_own_token_only() {
        let mut out = Activations::new();
        quantize(
            &[1.0, f32::NAN, 2.0, f32::NEG_INFINITY, 3.0, -1.0],
            2,
            &mut out,
        );
        assert!(out.quant_factor(0).is_nan());
        assert_eq!(out.quant_factor(1), 0.0);
        assert_eq!(out.quant_factor(2), 1.0 / 3.0 * 127.0);
        assert_eq!(
            [
                out.code(0, 0),
                out.code(1, 1),
                out.code(2, 0),
                out.code(2, 1)
            ],
            [0, 0, 127, -42]
        );
    }

    #[test]
    fn every_value_rounds_as_the_definition_says() {
        let x: Vec<f32> = (0..4099)
            .map(|i| ((i * 7919 % 4099) as f32 - 2049.5) * 0.37)
            .collect();
        let mut out = Activations::new();
        quantize(&x, x.len(), &mut out);
        let factor = 1.0 / x.iter().fold(0f32, |most, value| most.max(value.abs())) * 127.0;
        assert_eq!(out.quant_factor(0), factor);
        for (col, value) in x.iter().enumerate() {
            let expected = (value * factor).round_ties_even().clamp(-128.0, 127.0) as i8;
            assert_eq!(out.code(0, col), expected, "column {col}");
        }
    }

    #[test]
    fn reuse_and_threads_change_nothing() {
        let x: Vec<f32> = (0..5 * 70)
            .map(|i| ((i * 31 % 97) as f32 - 48.0) * 0.1)
            .collect();
        let (mut reused, mut fresh) = (Activations::new(), Activations::new());
        quantize(&x[..66], 33, &mut reused);
        quantize_on(&Pool::new(2), &x, 70, &mut reused);
        quantize(&x, 70, &mut fresh);
        assert_eq!(reused.codes, fresh.codes);
        assert_eq!(reused.quant_factors, fresh.quant_factors);
        assert!(
            fresh
                .codes
                .chunks(96)
                .all(|row| row[70..].iter().all(|&code| code == BIAS))
        );
    }
}
