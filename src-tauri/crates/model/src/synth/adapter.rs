//! Random adapters for a model: valid in every respect but that they know nothing. For tests and measurements.

use std::fs;
use std::path::Path;

use half::bf16;
use r3mes_kernels::{Isa, Pool};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::{Value, json};

use super::random::Random;
use super::{SynthError, io_error};
use crate::adapter::{
    AdapterForm, CONFIG_FILE, LinearName, TENSOR_FILE, base_rows, gram, quadratic,
};
use crate::weights::Weights;

/// Length of the change beside the weight's, per output feature.
const CHANGE: f64 = 0.2;
/// Deviation of the magnitudes from the norms they scale.
const MAGNITUDE: f32 = 0.05;

/// What kind of adapter.
#[derive(Debug, Clone, Copy)]
pub struct SynthAdapter {
    /// How it changes a linear.
    pub form: AdapterForm,
    /// Its rank, on every linear; `alpha` is twice that.
    pub rank: usize,
    /// Same seed, same adapter.
    pub seed: u64,
}

/// Writes a random adapter for every linear of the model into the folder `out`, which is created. Numbers are stored in bf16,
/// magnitudes in f32.
///
/// # Errors
/// If a file cannot be written.
pub fn write_adapter(
    weights: &Weights,
    (isa, pool): (Isa, &Pool),
    what: SynthAdapter,
    out: &Path,
) -> Result<(), SynthError> {
    let mut tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
    let s = 2.0;
    for layer in 0..weights.layers.len() {
        for linear in LinearName::ALL {
            let mut random = Random::new(what.seed, (layer * 8 + linear as usize) as u64);
            let (rows, columns) = linear.shape(&weights.config);
            let a = normal(
                &mut random,
                what.rank * columns,
                1.0 / (columns as f32).sqrt(),
            );
            let (base, first) = linear.find(weights, layer);
            let base = base_rows(isa, pool, base, (first, rows), &a, what.rank);
            let usual = (base.squares.iter().sum::<f64>() / rows as f64).sqrt();
            let deviation = CHANGE * usual / (s * (what.rank as f64).sqrt());
            let b = normal(&mut random, rows * what.rank, deviation as f32);
            let gram = gram(&a, what.rank);
            let norms = b.chunks_exact(what.rank).enumerate().map(|(row, b)| {
                let products = &base.products[row * what.rank..][..what.rank];
                let cross: f64 = products.iter().zip(b).map(|(p, b)| p * f64::from(*b)).sum();
                let change = quadratic(b, &gram);
                match what.form {
                    AdapterForm::Additive => CHANGE * usual / s,
                    _ => (base.squares[row] + 2.0 * s * cross + s * s * change)
                        .max(0.0)
                        .sqrt(),
                }
            });
            let magnitude: Vec<u8> = norms
                .flat_map(|norm| (norm as f32 * (1.0 + MAGNITUDE * random.normal())).to_le_bytes())
                .collect();
            let module = linear.module(layer);
            let (prefix, names) = match what.form {
                AdapterForm::Additive => (module, ["direction_A", "direction_B", "magnitude"]),
                _ => (
                    format!("base_model.model.{module}"),
                    ["lora_A.weight", "lora_B.weight", "lora_magnitude_vector"],
                ),
            };
            let name = |index: usize| format!("{prefix}.{}", names[index]);
            tensors.push((name(0), Dtype::BF16, vec![what.rank, columns], bytes(&a)));
            tensors.push((name(1), Dtype::BF16, vec![rows, what.rank], bytes(&b)));
            if what.form != AdapterForm::LowRank {
                tensors.push((name(2), Dtype::F32, vec![rows], magnitude));
            }
        }
    }
    fs::create_dir_all(out).map_err(io_error(out))?;
    let views = tensors.iter().map(|(name, dtype, shape, data)| {
        let view = TensorView::new(*dtype, shape.clone(), data);
        (name.as_str(), view.expect("bytes of the shape"))
    });
    let file = safetensors::serialize(views, None).expect("tensors of distinct names");
    let path = out.join(TENSOR_FILE);
    fs::write(&path, file).map_err(io_error(&path))?;
    let path = out.join(CONFIG_FILE);
    let text = serde_json::to_vec_pretty(&config(what)).expect("a JSON value prints");
    fs::write(&path, text).map_err(io_error(&path))
}

fn config(what: SynthAdapter) -> Value {
    let modules = LinearName::ALL.map(LinearName::as_str);
    let alpha = 2 * what.rank;
    match what.form {
        AdapterForm::Additive => json!({
            "adapter_type": "additive_dora",
            "r": what.rank,
            "alpha": alpha,
            "target_modules": modules,
        }),
        form => json!({
            "peft_type": "LORA",
            "r": what.rank,
            "lora_alpha": alpha,
            "use_dora": form == AdapterForm::WeightDecomposed,
            "target_modules": modules,
        }),
    }
}

/// Numbers that bf16 holds exactly.
fn normal(random: &mut Random, count: usize, deviation: f32) -> Vec<f32> {
    (0..count)
        .map(|_| bf16::from_f32(random.normal() * deviation).to_f32())
        .collect()
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| bf16::from_f32(*value).to_le_bytes())
        .collect()
}
