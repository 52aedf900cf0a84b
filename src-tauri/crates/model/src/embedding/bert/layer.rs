//! One encoder layer: attention and feed-forward part, each added to its input and normalised.

use candle_core::{D, Tensor};
use candle_nn::ops::softmax_last_dim;

use super::Span;
use super::operations::{AddBias, AddBiasGelu, AddNormalised, Norm};

/// `x·matrix + bias`, the matrix lying input by output, so that products of few tokens read it once from front to back.
pub(super) struct Linear {
    /// `[in, out]`
    pub(super) matrix: Tensor,
    /// `[out]`
    pub(super) bias: Vec<f32>,
}

/// The weights of a layer.
pub(super) struct Layer {
    pub(super) heads: usize,
    /// Query, key and value side by side: `[hidden, 3 · hidden]`; `1/√head_dim` is in the query's weights.
    pub(super) query_key_value: Linear,
    pub(super) output: Linear,
    pub(super) attention_norm: Norm,
    pub(super) up: Linear,
    pub(super) down: Linear,
    pub(super) norm: Norm,
}

impl Layer {
    /// # Shapes
    /// - `x`: `[tokens, hidden]` · `spans`: the texts among the tokens · returns `[tokens, hidden]`
    pub(super) fn forward(&self, x: &Tensor, spans: &[Span]) -> candle_core::Result<Tensor> {
        let attended = self.attention(x, spans)?.matmul(&self.output.matrix)?;
        attended.inplace_op2(x, &AddNormalised::new(&self.output, &self.attention_norm))?;
        let x = attended;
        let wide = x.matmul(&self.up.matrix)?;
        wide.inplace_op1(&AddBiasGelu(&self.up.bias))?;
        let narrow = wide.matmul(&self.down.matrix)?;
        narrow.inplace_op2(&x, &AddNormalised::new(&self.down, &self.norm))?;
        Ok(narrow)
    }

    /// `softmax(q·kᵀ)·v` of every head, heads side by side; a token sees the tokens of its own text.
    ///
    /// # Shapes
    /// - `x`: `[tokens, hidden]` · returns `[tokens, hidden]`
    fn attention(&self, x: &Tensor, spans: &[Span]) -> candle_core::Result<Tensor> {
        let hidden = x.dim(D::Minus1)?;
        let head = hidden / self.heads;
        let qkv = x.matmul(&self.query_key_value.matrix)?;
        qkv.inplace_op1(&AddBias(&self.query_key_value.bias))?;
        let mut texts = Vec::with_capacity(spans.len());
        for span in spans.iter().filter(|span| span.length > 0) {
            let of_text = qkv.narrow(0, span.start, span.length)?.reshape((
                span.length,
                3,
                self.heads,
                head,
            ))?;
            // [heads, length, head], read in place.
            let part = |which: usize| of_text.narrow(1, which, 1)?.squeeze(1)?.transpose(0, 1);
            let (query, key, value) = (part(0)?, part(1)?, part(2)?);
            let shares = softmax_last_dim(&query.matmul(&key.t()?)?)?;
            let seen = shares.matmul(&value)?.transpose(0, 1)?;
            texts.push(seen.reshape((span.length, hidden))?);
        }
        match texts.as_slice() {
            [one] => Ok(one.clone()),
            many => Tensor::cat(many, 0),
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        let linears = [&self.query_key_value, &self.output, &self.up, &self.down];
        linears.iter().map(|linear| linear.bytes()).sum::<u64>()
            + self.attention_norm.bytes()
            + self.norm.bytes()
    }
}

impl Linear {
    fn bytes(&self) -> u64 {
        ((self.matrix.elem_count() + self.bias.len()) * size_of::<f32>()) as u64
    }
}

impl std::fmt::Debug for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Layer")
            .field("heads", &self.heads)
            .finish_non_exhaustive()
    }
}
