//! Why screening misses nothing: the bound on the error of a screened score.
//!
//! Let `w` be a row, `Δ` its step, `h` the hidden vector and `ĥ` its two-digit image ([`super::digits`]). With the dither
//! `uᵢ` of column `i`, code `c = ⌊y⌋`, `y = wᵢ/Δ + 8 + uᵢ`, and value `ŵᵢ = (c + ½ − 8 − uᵢ)·Δ`, the error
//! `eᵢ = wᵢ − ŵᵢ = (y − c − ½)·Δ`. As `uᵢ` is uniform on an interval of length 1, so is the fraction `y − c`: **whatever the
//! weight, `eᵢ` is uniform on `[−Δ/2, Δ/2]`**, and the errors of different columns are independent.
//!
//! The screened score `a = Σ ŵᵢĥᵢ` is computed exactly (integers, then f64). For the true product,
//! `Σ wᵢhᵢ − a = Σ eᵢĥᵢ + Σ wᵢ(hᵢ − ĥᵢ)`, and the exact logit the model defines is an f32 sum that differs again.
//! 1. *Dither.* A uniform variable on `[−Δ/2, Δ/2]` has `E exp(t·e) = sinh(tΔ/2)/(tΔ/2) ≤ exp(t²Δ²/24)` (Hoeffding's bound with the
//!    variance of the uniform law in place of the worst one), so by Chernoff
//!    `P(Σ eᵢĥᵢ ≥ λ·Δ·‖ĥ‖₂) ≤ exp(−6λ²)`.
//! 2. *Digits.* `|Σ wᵢ(hᵢ − ĥᵢ)| ≤ 7.5·Δ·Σ|hᵢ − ĥᵢ|`, summed for the `h` at hand.
//! 3. *f32.* The sixteen-lane sum of `n` products makes at most `⌈n/16⌉ + 4` roundings on a path:
//!    `|fl − exact| ≤ (⌈n/16⌉ + 5)·2⁻²⁴·7.5·Δ·‖h‖₁`. The screened score is kept in f32: `2⁻²²·8·Δ·‖ĥ‖₁` covers it.
//!
//! So `logit ≤ a + Δ·M` with `M = λ‖ĥ‖₂ + 7.5‖h − ĥ‖₁ + …`, except with probability `exp(−6λ²)` over the dither. By the union
//! bound over the rows, `λ = √(ln(rows / 10⁻¹²) / 6)` (2.56 for 128256 rows) makes the chance that **any** row of the vocabulary
//! exceeds its bound at one step less than 10⁻¹². The dither is drawn once from a fixed seed; `h` cannot know it, since hidden
//! states are computed from exact answers only. The rule of step 1 is the only probabilistic one.
//!
//! A row that could be among the best has a bound of at least the k-th best *exact* logit known so far. Every such row is
//! computed exactly, ties included, so the result is that of the exact head.

use super::digits::Digits;

/// Chance per step that some row exceeds its bound.
const MISS_PROBABILITY: f64 = 1e-12;

/// Seed of the dither; part of the layout.
const SEED: u64 = 0x5233_4D45_5348_4541;

/// The dither of a column, uniform on `[−½, ½)` on a grid of 2⁻⁵³ (SplitMix64; Steele, Lea and Flood 2014).
pub(super) fn dither(col: usize) -> f64 {
    let mut z = SEED.wrapping_add((col as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    (z >> 11) as f64 * (1.0 / (1u64 << 53) as f64) - 0.5
}

/// `M`: a row's logit exceeds its screened score by at most `step · margin` (module header).
///
/// Infinite where f32 sums could overflow or the hidden vector is not finite: then nothing can be ruled out.
pub(super) fn margin(rows: usize, hidden: &Digits) -> f64 {
    let n = hidden.len() as f64;
    let lambda = ((rows as f64 / MISS_PROBABILITY).ln() / 6.0).sqrt();
    let roundings = (n / 16.0).ceil() + 5.0;
    let unit = (0.5f64).powi(24);
    let margin = lambda * hidden.norm() * (1.0 + 1e-9)
        + 7.5 * hidden.rounding_error()
        + roundings * unit * 7.5 * hidden.absolute_sum()
        + 4.0 * unit * 8.0 * hidden.absolute_sum();
    if margin.is_finite() {
        margin
    } else {
        f64::INFINITY
    }
}

/// Largest `step · ‖h‖₁` for which no partial sum of an exact f32 logit can overflow.
pub(super) const LARGEST_PRODUCT: f64 = 1e37;

/// What denormal roundings may add to a logit, per element; far below any f32 logit that matters.
pub(super) const UNDERFLOW: f64 = 1.5e-45;
