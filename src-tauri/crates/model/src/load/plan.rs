//! Where each part of a model lies in its files and how it is written there.
//!
//! A reader of a layout ([`super::hub`], [`super::gguf`]) turns headers into a plan without touching tensor data; packing,
//! the cache, `inspect` and `verify` work from the plan alone and know no layout.
//!
//! Invariant: every extent lies inside its file and has exactly the bytes its shape and encoding need.

use std::sync::Arc;

use super::source::Source;
use crate::config::ModelConfig;
use crate::element::Element;

/// A model that could be loaded.
#[derive(Debug)]
pub(crate) struct Plan {
    pub config: ModelConfig,
    /// Files the weights come from, in a fixed order.
    pub files: Vec<Arc<Source>>,
    /// What the layout is called, for people.
    pub layout: &'static str,
    pub embedding: TablePlan,
    /// `None` when the head is the embedding or a BitLinear.
    pub head: Option<TablePlan>,
    /// The head as a BitLinear.
    pub bit_linear_head: Option<LinearPlan>,
    pub final_norm: NormPlan,
    pub layers: Vec<LayerPlan>,
}

/// Bytes in a file.
#[derive(Debug, Clone)]
pub(crate) struct Extent {
    /// Index into [`Plan::files`].
    pub file: usize,
    pub offset: u64,
    pub bytes: u64,
}

/// A float matrix read row by row.
#[derive(Debug, Clone)]
pub(crate) struct TablePlan {
    pub name: String,
    pub extent: Extent,
    pub element: Element,
    pub rows: usize,
    pub cols: usize,
}

/// A float vector.
#[derive(Debug, Clone)]
pub(crate) struct VectorPlan {
    pub name: String,
    pub extent: Extent,
    pub element: Element,
    pub length: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct NormPlan {
    pub weight: VectorPlan,
    pub eps: f32,
}

#[derive(Debug)]
pub(crate) struct LayerPlan {
    pub input_norm: NormPlan,
    /// q, k, v.
    pub qkv: Vec<LinearPlan>,
    pub attn_sub_norm: Option<NormPlan>,
    pub o: LinearPlan,
    pub post_attention_norm: NormPlan,
    /// gate, up.
    pub gate_up: Vec<LinearPlan>,
    pub ffn_sub_norm: Option<NormPlan>,
    pub down: LinearPlan,
}

/// One linear layer.
#[derive(Debug, Clone)]
pub(crate) struct LinearPlan {
    /// Tensor name, for messages.
    pub name: String,
    pub out_features: usize,
    pub in_features: usize,
    pub extent: Extent,
    pub encoding: Encoding,
    pub order: RowOrder,
    pub inner_norm: Option<NormPlan>,
    pub bias: Option<VectorPlan>,
}

/// How the weight of a linear is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Encoding {
    /// uint8 `[⌈out/4⌉, in]`: lane `i` (bits `2i, 2i+1`) of row `r` is output row `i·⌈out/4⌉ + r`; code is value + 1.
    HubPacked { weight_scale: f32 },
    /// Floats to be ternarised by their mean absolute value.
    Masters(Element),
    /// Floats that are exactly −1, 0, +1.
    TernaryFloats { element: Element, weight_scale: f32 },
    /// Floats of a BitNet file: `{−s, 0, +s}` is taken as it is, anything else is ternarised.
    ScaledOrMasters { element: Element, weight_scale: f32 },
    /// bitnet.cpp's 2-bit blocks of 128 with one scale behind them.
    I2s { weight_scale: f32 },
    /// llama.cpp's 1.6875-bit blocks of 256, each with a scale.
    Tq1 { weight_scale: f32 },
    /// llama.cpp's 2.0625-bit blocks of 256, each with a scale.
    Tq2 { weight_scale: f32 },
    /// Not quantised, nor its input.
    Dense(Element),
}

impl Encoding {
    pub fn is_ternary(self) -> bool {
        !matches!(self, Self::Dense(_))
    }
}

/// Which stored row holds an output row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowOrder {
    AsStored,
    /// Rows of each head interleaved by llama.cpp's converter for its own rotary embedding: stored row `2i + j` of a head is
    /// row `j·head_dim/2 + i`.
    Interleaved {
        head_dim: usize,
    },
}

impl RowOrder {
    /// The stored row of output row `row`.
    pub fn stored(self, row: usize) -> usize {
        match self {
            Self::AsStored => row,
            Self::Interleaved { head_dim } => {
                let (head, in_head) = (row / head_dim, row % head_dim);
                let half = head_dim / 2;
                head * head_dim + 2 * (in_head % half) + in_head / half
            }
        }
    }
}

impl Plan {
    /// Every linear, in the order of the computation.
    pub fn linears(&self) -> impl Iterator<Item = &LinearPlan> {
        let layers = self.layers.iter().flat_map(|layer| {
            layer
                .qkv
                .iter()
                .chain([&layer.o])
                .chain(&layer.gate_up)
                .chain([&layer.down])
        });
        layers.chain(&self.bit_linear_head)
    }

    /// Every norm but those inside linears.
    pub fn norms(&self) -> impl Iterator<Item = &NormPlan> {
        let layers = self.layers.iter().flat_map(|layer| {
            let always = [&layer.input_norm, &layer.post_attention_norm];
            always
                .into_iter()
                .chain(&layer.attn_sub_norm)
                .chain(&layer.ffn_sub_norm)
        });
        layers.chain([&self.final_norm])
    }

    /// Elements of all matrices and norms; a tied head counts once.
    pub fn parameters(&self) -> u64 {
        let table = |table: &TablePlan| table.rows as u64 * table.cols as u64;
        let linears = self.linears().map(|linear| {
            let inner = linear
                .inner_norm
                .as_ref()
                .map_or(0, |norm| norm.weight.length);
            let bias = linear.bias.as_ref().map_or(0, |bias| bias.length);
            (linear.out_features * linear.in_features + inner + bias) as u64
        });
        table(&self.embedding)
            + self.head.as_ref().map_or(0, table)
            + linears.sum::<u64>()
            + self
                .norms()
                .map(|norm| norm.weight.length as u64)
                .sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interleaved_rows_follow_the_converter() {
        // reshape(heads, 2, head_dim/2).swapaxes(1, 2) of rows 0..8 with two heads of four.
        let stored = [0, 2, 1, 3, 4, 6, 5, 7];
        let order = RowOrder::Interleaved { head_dim: 4 };
        for row in 0..8 {
            assert_eq!(stored[order.stored(row)], row);
        }
    }
}
