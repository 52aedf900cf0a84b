//! From numbers to int8 codes with scales.

use half::bf16;

/// The largest code.
const LARGEST_CODE: f32 = 127.0;

/// Codes of `values` under one bf16 scale, which is returned: `value ≈ code · scale`.
pub(super) fn block(values: &[f32], codes: &mut [i8]) -> bf16 {
    let scale = bf16_above(largest(values) / LARGEST_CODE);
    encode(values, scale.to_f32(), codes);
    scale
}

/// The scale under which the largest of `values` becomes the largest code.
pub(super) fn scale_of(values: impl Iterator<Item = f32>) -> f32 {
    let scale = values.fold(0.0f32, |most, value| most.max(value.abs())) / LARGEST_CODE;
    // A row of numbers too small to be told from zero by their scale is a row of zeros.
    if scale < f32::MIN_POSITIVE {
        0.0
    } else {
        scale
    }
}

/// The code of one value.
pub(super) fn code(value: f32, scale: f32) -> i8 {
    match scale == 0.0 {
        true => 0,
        false => (value / scale)
            .round_ties_even()
            .clamp(-LARGEST_CODE, LARGEST_CODE) as i8,
    }
}

fn encode(values: &[f32], scale: f32, codes: &mut [i8]) {
    for (code_out, value) in codes.iter_mut().zip(values) {
        *code_out = code(*value, scale);
    }
}

fn largest(values: &[f32]) -> f32 {
    values
        .iter()
        .fold(0.0f32, |most, value| most.max(value.abs()))
}

/// The smallest bf16 that is not below a number that is not negative; 0 for what only a subnormal could say.
fn bf16_above(value: f32) -> bf16 {
    if value < f32::MIN_POSITIVE {
        return bf16::ZERO;
    }
    let bits = value.to_bits();
    let above = (bits >> 16) + u32::from(bits & 0xffff != 0);
    bf16::from_bits(above as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_off_by_at_most_half_a_code() {
        let values: Vec<f32> = (0..64)
            .map(|i| ((i * 37 % 64) as f32 - 30.5) * 1e-3)
            .collect();
        let mut codes = [0; 64];
        let scale = block(&values, &mut codes).to_f32();
        for (value, code) in values.iter().zip(codes) {
            assert!((value - f32::from(code) * scale).abs() <= scale * 0.500_01);
        }
    }

    #[test]
    fn the_scale_never_makes_the_largest_value_overflow() {
        for exponent in -100..100 {
            let value = 1.234_567_f32 * 2f32.powi(exponent);
            let mut codes = [0; 2];
            let scale = block(&[value, -value], &mut codes).to_f32();
            assert!(scale * LARGEST_CODE >= value, "2^{exponent}");
            assert!(
                codes[0] >= 126 && codes[1] <= -126,
                "2^{exponent}: {codes:?}"
            );
        }
    }

    #[test]
    fn zeros_and_the_smallest_numbers_become_zeros() {
        let mut codes = [1; 2];
        assert_eq!(block(&[0.0, f32::from_bits(1)], &mut codes), bf16::ZERO);
        assert_eq!(codes, [0, 0]);
        assert_eq!(scale_of([0.0, -0.0].into_iter()), 0.0);
        assert_eq!(code(3.0, 0.0), 0);
    }
}
