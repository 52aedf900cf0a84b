//! One transformer block.
//!
//! `x ← x + o(sub_norm(attend(rope(q), rope(k), v)))`, then `x ← x + down(sub_norm(act(gate) · up))`, each half on the RMSNorm of
//! `x`; the sub-norms exist in BitNet models only. Source: transformers `modeling_bitnet.py`, `modeling_llama.py`.

use r3mes_kernels::low_rank::Adapted;
use r3mes_kernels::{KvCache, Queries, add_assign, attend, gate_relu2, gate_silu, rope};

use super::ForwardError;
use super::linear::{Machine, in_features, normalise, project};
use super::rows::by_rows;
use super::scratch::Scratch;
use crate::adapter::LayerMix;
use crate::config::{Activation, ModelConfig};
use crate::weights::{Layer, Linear, Norm};

/// The positions a pass works on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// Position of the first token.
    pub(super) first: usize,
    /// Number of tokens.
    pub(super) tokens: usize,
}

/// Attention half of block `index`: reads and updates `scratch.stream`, appends to `cache`.
pub(super) fn attention(
    machine: Machine<'_>,
    config: &ModelConfig,
    (index, layer, mix): (usize, &Layer, &LayerMix),
    span: Span,
    cache: &mut KvCache,
    scratch: &mut Scratch,
) -> Result<(), ForwardError> {
    let (hidden, width, kv) = (config.hidden, config.attention_width(), config.kv_width());
    let joint = width + 2 * kv;
    let normed = &mut scratch.normed[..span.tokens * hidden];
    normalise(machine, &layer.input_norm, &scratch.stream, normed);
    let qkv = &mut scratch.qkv[..];
    project(
        machine,
        (&layer.qkv.parts, &mix.qkv),
        normed,
        span.tokens,
        &mut scratch.linear,
        qkv,
    );

    let rotation = &scratch.rotation;
    for (token, row) in qkv.chunks_exact_mut(joint).enumerate() {
        let (keys, values) = row[width..].split_at_mut(kv);
        rope(machine.isa, keys, rotation.cos(token), rotation.sin(token));
        cache.append(machine.isa, index, span.first + token, keys, values)?;
    }
    by_rows(machine.pool, &mut scratch.queries, width, &|rows, out| {
        for (token, out) in rows.zip(out.chunks_exact_mut(width)) {
            out.copy_from_slice(&qkv[token * joint..][..width]);
            rope(machine.isa, out, rotation.cos(token), rotation.sin(token));
        }
    });

    let mixed = &mut scratch.mixed[..span.tokens * width];
    let scale = 1.0 / (config.head_dim as f32).sqrt();
    let queries = Queries {
        layer: index,
        first_position: span.first,
        heads: config.heads,
        q: &scratch.queries,
        scale,
    };
    attend(machine.isa, machine.pool, cache, &queries, mixed);
    add_projected(
        machine,
        layer.attn_sub_norm.as_ref(),
        (&layer.o, &mix.o),
        span,
        scratch,
    );
    Ok(())
}

/// First part of the feed-forward half: leaves `act(gate) · up` in `scratch.mixed`.
pub(super) fn gate(
    machine: Machine<'_>,
    config: &ModelConfig,
    (layer, mix): (&Layer, &LayerMix),
    span: Span,
    scratch: &mut Scratch,
) {
    let (hidden, width) = (config.hidden, config.intermediate);
    let normed = &mut scratch.normed[..span.tokens * hidden];
    normalise(machine, &layer.post_attention_norm, &scratch.stream, normed);
    let gate_up = &mut scratch.gate_up[..];
    project(
        machine,
        (&layer.gate_up.parts, &mix.gate_up),
        normed,
        span.tokens,
        &mut scratch.linear,
        gate_up,
    );

    let mixed = &mut scratch.mixed[..span.tokens * width];
    let gated = match config.activation {
        Activation::Relu2 => gate_relu2,
        Activation::Silu => gate_silu,
    };
    by_rows(machine.pool, mixed, width, &|rows, out| {
        for (token, out) in rows.zip(out.chunks_exact_mut(width)) {
            let (gate, up) = gate_up[token * 2 * width..][..2 * width].split_at(width);
            gated(machine.isa, gate, up, out);
        }
    });
}

/// Second part of the feed-forward half: projects `scratch.mixed` down and adds it to `scratch.stream`.
pub(super) fn down(
    machine: Machine<'_>,
    (layer, mix): (&Layer, &LayerMix),
    span: Span,
    scratch: &mut Scratch,
) {
    add_projected(
        machine,
        layer.ffn_sub_norm.as_ref(),
        (&layer.down, &mix.down),
        span,
        scratch,
    );
}

/// `stream += linear(norm(mixed))`, without the norm where there is none.
fn add_projected(
    machine: Machine<'_>,
    norm: Option<&Norm>,
    (linear, adapted): (&Linear, &[Adapted]),
    span: Span,
    scratch: &mut Scratch,
) {
    let values = span.tokens * in_features(linear);
    let mixed = &scratch.mixed[..values];
    let input = match norm {
        Some(norm) => {
            let normed = &mut scratch.normed[..values];
            normalise(machine, norm, mixed, normed);
            normed
        }
        None => mixed,
    };
    let parts = std::slice::from_ref(linear);
    project(
        machine,
        (parts, adapted),
        input,
        span.tokens,
        &mut scratch.linear,
        &mut scratch.update,
    );
    let update = &scratch.update;
    let width = update.len() / span.tokens;
    by_rows(machine.pool, &mut scratch.stream, width, &|rows, out| {
        add_assign(machine.isa, out, &update[rows.start * width..][..out.len()]);
    });
}
