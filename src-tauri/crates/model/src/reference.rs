//! The same forward pass in plain tensor operations of candle, f32, all positions at once.
//!
//! Written for reading, from the published order of operations, sharing no arithmetic with the hot path: integer products are f32
//! matrix products of whole numbers (exact below 2²⁴), norms and softmax are candle's. Useful for: checking the hot path in-process
//! on small models, and as the definition that training differentiates. Not for: speed; every weight is unpacked to f32.

use candle_core::{D, Device, Result, Tensor};
use candle_nn::ops::softmax_last_dim;

use crate::config::{Activation, ModelConfig};
use crate::table::Table;
use crate::weights::{Joined, Layer, Linear, Matrix, Norm, Weights};

/// Adding and subtracting 1.5·2²³ rounds half to even, which `Tensor::round` does not.
const ROUNDER: f64 = 12_582_912.0;

/// Logits of every position.
///
/// # Shapes
/// - returns `[tokens, vocab]` f32
///
/// # Errors
/// If a shape disagrees or a row of the embedding cannot be read.
pub fn reference_logits(weights: &Weights, tokens: &[u32]) -> Result<Tensor> {
    let config = &weights.config;
    let mut x = table_rows(&weights.embedding, tokens)?;
    for layer in &weights.layers {
        x = (&x + attention(config, layer, &norm(&layer.input_norm, &x)?)?)?;
        x = (&x + feed_forward(config, layer, &norm(&layer.post_attention_norm, &x)?)?)?;
    }
    let x = norm(&weights.final_norm, &x)?;
    if let Some(bit_linear) = &weights.head.bit_linear {
        return linear(bit_linear, &x);
    }
    let every: Vec<u32> = (0..config.vocab as u32).collect();
    let head = table_rows(&weights.head.table, &every)?;
    x.matmul(&head.t()?)
}

fn attention(config: &ModelConfig, layer: &Layer, x: &Tensor) -> Result<Tensor> {
    let (tokens, groups) = (x.dim(0)?, config.heads / config.kv_heads);
    let qkv = joined(&layer.qkv, x)?;
    let (width, kv) = (config.attention_width(), config.kv_width());
    let heads = |first, width, heads| {
        let part: Tensor = qkv.narrow(1, first, width)?;
        part.reshape((tokens, heads, config.head_dim))?
            .transpose(0, 1)?
            .contiguous()
    };
    let queries = rotate(config, &heads(0, width, config.heads)?)?;
    let keys = rotate(config, &heads(width, kv, config.kv_heads)?)?;
    let values = heads(width + kv, kv, config.kv_heads)?;

    let mut mixed = Vec::with_capacity(config.heads);
    for head in 0..config.heads {
        let (key, value) = (keys.get(head / groups)?, values.get(head / groups)?);
        let scores = queries.get(head)?.matmul(&key.t()?)?;
        let scores = (scores / (config.head_dim as f64).sqrt())?.add(&causal_mask(tokens)?)?;
        mixed.push(softmax_last_dim(&scores)?.matmul(&value)?);
    }
    let mixed = Tensor::cat(&mixed, 1)?;
    linear(
        &layer.o,
        &optional_norm(layer.attn_sub_norm.as_ref(), mixed)?,
    )
}

fn feed_forward(config: &ModelConfig, layer: &Layer, x: &Tensor) -> Result<Tensor> {
    let gate_up = joined(&layer.gate_up, x)?;
    let gate = gate_up.narrow(1, 0, config.intermediate)?;
    let up = gate_up.narrow(1, config.intermediate, config.intermediate)?;
    let gate = match config.activation {
        Activation::Relu2 => gate.relu()?.sqr()?,
        Activation::Silu => gate.silu()?,
    };
    let mixed = (gate * up)?;
    linear(
        &layer.down,
        &optional_norm(layer.ffn_sub_norm.as_ref(), mixed)?,
    )
}

/// `x · rsqrt(mean x² + eps) · weight`.
fn norm(norm: &Norm, x: &Tensor) -> Result<Tensor> {
    let mean = x.sqr()?.mean_keepdim(D::Minus1)?;
    let inverse = (mean + f64::from(norm.eps))?.sqrt()?.recip()?;
    x.broadcast_mul(&inverse)?
        .broadcast_mul(&vector(&norm.weight)?)
}

fn optional_norm(weight: Option<&Norm>, x: Tensor) -> Result<Tensor> {
    match weight {
        Some(weight) => norm(weight, &x),
        None => Ok(x),
    }
}

fn joined(joined: &Joined, x: &Tensor) -> Result<Tensor> {
    let parts = joined
        .parts
        .iter()
        .map(|part| linear(part, x))
        .collect::<Result<Vec<_>>>()?;
    Tensor::cat(&parts, 1)
}

fn linear(linear: &Linear, x: &Tensor) -> Result<Tensor> {
    let x = optional_norm(linear.inner_norm.as_ref(), x.clone())?;
    let y = match &linear.matrix {
        Matrix::Ternary { packed, row_scales } => {
            let largest = x.abs()?.max_keepdim(D::Minus1)?.maximum(1e-5f32)?;
            let factor = largest.recip()?.affine(127.0, 0.0)?;
            let codes = x
                .broadcast_mul(&factor)?
                .affine(1.0, ROUNDER)?
                .affine(1.0, -ROUNDER)?;
            let mut weight = vec![0i8; packed.rows() * packed.cols()];
            for (row, out) in weight.chunks_exact_mut(packed.cols()).enumerate() {
                packed.unpack_row(row, out);
            }
            let weight: Vec<f32> = weight.into_iter().map(f32::from).collect();
            let weight = Tensor::from_vec(weight, (packed.rows(), packed.cols()), &Device::Cpu)?;
            let product = codes.clamp(-128f32, 127f32)?.matmul(&weight.t()?)?;
            product
                .broadcast_mul(&vector(row_scales)?)?
                .broadcast_div(&factor)?
        }
        Matrix::Dense(matrix) => {
            let mut weight = vec![0f32; matrix.rows() * matrix.cols()];
            for (row, out) in weight.chunks_exact_mut(matrix.cols()).enumerate() {
                matrix.row(row, out);
            }
            let weight = Tensor::from_vec(weight, (matrix.rows(), matrix.cols()), &Device::Cpu)?;
            x.matmul(&weight.t()?)?
        }
    };
    match &linear.bias {
        Some(bias) => y.broadcast_add(&vector(bias)?),
        None => Ok(y),
    }
}

/// Half-rotation of `[heads, tokens, head_dim]`.
fn rotate(config: &ModelConfig, x: &Tensor) -> Result<Tensor> {
    let (tokens, half) = (x.dim(1)?, config.head_dim / 2);
    let inv_freq = vector(&config.rope.inv_freq(config.head_dim))?;
    let positions =
        Tensor::arange(0u32, tokens as u32, &Device::Cpu)?.to_dtype(candle_core::DType::F32)?;
    let angles = positions.reshape((tokens, 1))?.broadcast_mul(&inv_freq)?;
    let (cos, sin) = (angles.cos()?, angles.sin()?);
    let (low, high) = (x.narrow(2, 0, half)?, x.narrow(2, half, half)?);
    let turned_low = (low.broadcast_mul(&cos)? - high.broadcast_mul(&sin)?)?;
    let turned_high = (high.broadcast_mul(&cos)? + low.broadcast_mul(&sin)?)?;
    Tensor::cat(&[turned_low, turned_high], 2)
}

/// 0 where a position may look, −∞ where not: `[tokens, tokens]`.
fn causal_mask(tokens: usize) -> Result<Tensor> {
    let mask = (0..tokens * tokens)
        .map(|i| {
            if i % tokens > i / tokens {
                f32::NEG_INFINITY
            } else {
                0.0
            }
        })
        .collect::<Vec<_>>();
    Tensor::from_vec(mask, (tokens, tokens), &Device::Cpu)
}

fn vector(values: &[f32]) -> Result<Tensor> {
    Tensor::from_slice(values, (1, values.len()), &Device::Cpu)
}

fn table_rows(table: &Table, ids: &[u32]) -> Result<Tensor> {
    let mut rows = vec![0f32; ids.len() * table.cols()];
    for (&id, out) in ids.iter().zip(rows.chunks_exact_mut(table.cols())) {
        table.row(id, out).map_err(candle_core::Error::wrap)?;
    }
    Tensor::from_vec(rows, (ids.len(), table.cols()), &Device::Cpu)
}
