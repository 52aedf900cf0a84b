//! What happens to numbers one by one between the products, in one pass each and in place.

use candle_core::{CpuStorage, InplaceOp1, InplaceOp2, Layout, Result, bail};

use super::layer::Linear;

/// `(x − mean) / √(variance + eps) · weight + shift` over a row.
pub(super) struct Norm {
    /// `[hidden]`
    pub(super) weight: Vec<f32>,
    /// `[hidden]`
    pub(super) shift: Vec<f32>,
    pub(super) eps: f32,
}

impl Norm {
    /// Normalises one row.
    pub(super) fn apply(&self, row: &mut [f32]) {
        let count = row.len() as f32;
        let mean = sum(row, |value| value) / count;
        let variance = sum(row, |value| (value - mean) * (value - mean)) / count;
        let inv_deviation = 1.0 / (variance + self.eps).sqrt();
        for ((value, weight), shift) in row.iter_mut().zip(&self.weight).zip(&self.shift) {
            *value = (*value - mean) * inv_deviation * weight + shift;
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        ((self.weight.len() + self.shift.len()) * size_of::<f32>()) as u64
    }
}

/// Adds up in eight lanes: faster than one after another, nearer to the true sum, and the same on every CPU.
fn sum(row: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let (chunks, rest) = row.as_chunks::<8>();
    let mut lanes = [0.0f32; 8];
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane += term(value);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|&value| term(value)).sum::<f32>()
}

/// `x + bias` for every row.
pub(super) struct AddBias<'a>(pub(super) &'a [f32]);

/// `gelu(x + bias)` for every row.
pub(super) struct AddBiasGelu<'a>(pub(super) &'a [f32]);

/// `norm(x + bias + residual)` for every row, the residual being the second operand.
pub(super) struct AddNormalised<'a> {
    bias: &'a [f32],
    norm: &'a Norm,
}

impl<'a> AddNormalised<'a> {
    pub(super) fn new(linear: &'a Linear, norm: &'a Norm) -> AddNormalised<'a> {
        AddNormalised {
            bias: &linear.bias,
            norm,
        }
    }
}

impl InplaceOp1 for AddBias<'_> {
    fn name(&self) -> &'static str {
        "add-bias"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        for row in numbers_mut(storage, layout)?.chunks_exact_mut(self.0.len()) {
            for (value, bias) in row.iter_mut().zip(self.0) {
                *value += bias;
            }
        }
        Ok(())
    }
}

impl InplaceOp1 for AddBiasGelu<'_> {
    fn name(&self) -> &'static str {
        "add-bias-gelu"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        for row in numbers_mut(storage, layout)?.chunks_exact_mut(self.0.len()) {
            for (value, bias) in row.iter_mut().zip(self.0) {
                *value = gelu(*value + bias);
            }
        }
        Ok(())
    }
}

impl InplaceOp2 for AddNormalised<'_> {
    fn name(&self) -> &'static str {
        "add-normalised"
    }

    fn cpu_fwd(
        &self,
        storage: &mut CpuStorage,
        layout: &Layout,
        residual: &CpuStorage,
        residual_layout: &Layout,
    ) -> Result<()> {
        let width = self.bias.len();
        let residual = numbers(residual, residual_layout)?.chunks_exact(width);
        let rows = numbers_mut(storage, layout)?.chunks_exact_mut(width);
        for (row, residual) in rows.zip(residual) {
            for ((value, bias), residual) in row.iter_mut().zip(self.bias).zip(residual) {
                *value = *value + bias + residual;
            }
            self.norm.apply(row);
        }
        Ok(())
    }
}

fn numbers<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&values[start..end]),
        _ => bail!("expected contiguous 32-bit floats"),
    }
}

fn numbers_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&mut values[start..end]),
        _ => bail!("expected contiguous 32-bit floats"),
    }
}

/// `x/2 · (1 + erf(x/√2))`.
fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// The error function, within 5e-7 everywhere: a rational function without branches, so that it runs on vectors.
///
/// Source: Eigen, `MathFunctionsImpl.h`, the coefficients of `generic_fast_erf_float`.
fn erf(x: f32) -> f32 {
    const P: [f32; 7] = [
        -2.726_142_4e-10,
        2.770_681_4e-8,
        -2.101_024e-6,
        -5.692_506_4e-5,
        -7.349_906_3e-4,
        -2.954_6e-3,
        -1.609_603_3e-2,
    ];
    const Q: [f32; 5] = [
        -1.456_607_2e-5,
        -2.133_740_6e-4,
        -1.682_827e-3,
        -7.373_329_2e-3,
        -1.426_473_9e-2,
    ];
    // Beyond 4 it is 1 to the last bit but one.
    let x = x.clamp(-4.0, 4.0);
    let square = x * x;
    let horner = |sum: f32, coefficient: &f32| sum * square + coefficient;
    x * P.iter().fold(0.0, horner) / Q.iter().fold(0.0, horner)
}

#[cfg(test)]
mod tests {
    use super::{Norm, erf, gelu};

    #[test]
    fn the_error_function_is_within_5e_7_of_the_true_one() {
        let mut worst = 0.0f64;
        for step in -60_000..=60_000 {
            let x = step as f32 / 10_000.0;
            worst = worst.max((f64::from(erf(x)) - libm::erf(x.into())).abs());
        }
        assert!(worst <= 5e-7, "{worst}");
    }

    #[test]
    fn gelu_is_the_exact_one() {
        for (x, expected) in [
            (0.0, 0.0),
            (1.0, 0.841_344_7),
            (-1.0, -0.158_655_26),
            (3.0, 2.995_950_2),
            (-10.0, 0.0),
            (10.0, 10.0),
        ] {
            assert!((gelu(x) - expected).abs() < 1e-6, "{x}: {}", gelu(x));
        }
    }

    #[test]
    fn a_normalised_row_has_the_weights_deviation_and_the_shifts_mean() {
        let norm = Norm {
            weight: vec![2.0; 4],
            shift: vec![1.0; 4],
            eps: 0.0,
        };
        let mut row = [1001.0, 1003.0, 1001.0, 1003.0];
        norm.apply(&mut row);
        assert_eq!(row, [-1.0, 3.0, -1.0, 3.0]);
    }
}
