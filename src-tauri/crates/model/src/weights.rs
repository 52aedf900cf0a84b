//! What loading produces and the forward pass consumes.
//!
//! Every linear is either packed ternary with one scale per output row, or dense; linears that read the same input are
//! joined by rows so that one product serves them. Nothing here knows the file a weight came from.
//!
//! Invariants: shapes agree with [`ModelConfig`] (checked by the loader), every norm weight and scale is finite.

use std::sync::{Arc, OnceLock};

use r3mes_kernels::{DenseMatrix, ScreenedHead, TernaryMatrix};

use sha2::{Digest, Sha256};

use crate::checksum::checksum;
use crate::config::ModelConfig;
use crate::table::Table;

/// A model in memory.
pub struct Weights {
    /// Dimensions, rotary embedding, stop tokens.
    pub config: ModelConfig,
    /// Token embedding: `[vocab, hidden]`.
    pub embedding: Arc<Table>,
    /// Transformer blocks, in order.
    pub layers: Vec<Layer>,
    /// RMSNorm before the head: `[hidden]`.
    pub final_norm: Norm,
    /// LM head: `[vocab, hidden]`.
    pub head: Head,
    /// What [`Weights::fingerprint`] found; empty until then.
    pub fingerprint: OnceLock<[u8; 32]>,
}

impl Weights {
    /// Tells the linears of this model from those of others: SHA-256 of dimensions, scales, and checksums of the packed weights.
    ///
    /// Read once, at the speed of memory. What was worked out from the weights is kept under it.
    pub fn fingerprint(&self) -> [u8; 32] {
        *self.fingerprint.get_or_init(|| {
            let mut hash = Sha256::new();
            hash.update(format!("{:?}", self.config));
            for layer in &self.layers {
                let joined = layer.qkv.parts.iter().chain(&layer.gate_up.parts);
                joined
                    .chain([&layer.o, &layer.down])
                    .for_each(|linear| linear.matrix.add_to(&mut hash));
            }
            hash.finalize().into()
        })
    }
}

impl Matrix {
    fn add_to(&self, hash: &mut Sha256) {
        match self {
            Self::Ternary { packed, row_scales } => {
                hash.update(checksum(&[packed.packed_bytes()]).to_le_bytes());
                row_scales
                    .iter()
                    .for_each(|scale| hash.update(scale.to_le_bytes()));
            }
            Self::Dense(matrix) => {
                let mut row = vec![0.0; matrix.cols()];
                for index in 0..matrix.rows() {
                    matrix.row(index, &mut row);
                    row.iter()
                        .for_each(|value: &f32| hash.update(value.to_le_bytes()));
                }
            }
        }
    }
}

/// RMSNorm: `x · rsqrt(mean x² + eps) · weight`.
pub struct Norm {
    /// One factor per feature.
    pub weight: Vec<f32>,
    /// Added to the mean square.
    pub eps: f32,
}

/// One transformer block.
pub struct Layer {
    /// Before attention: `[hidden]`.
    pub input_norm: Norm,
    /// Query, key and value projections, in that order.
    pub qkv: Joined,
    /// After attention, before `o`: `[heads · head_dim]`.
    pub attn_sub_norm: Option<Norm>,
    /// Output projection: `[hidden, heads · head_dim]`.
    pub o: Linear,
    /// Before the feed-forward block: `[hidden]`.
    pub post_attention_norm: Norm,
    /// Gate and up projections, in that order.
    pub gate_up: Joined,
    /// Before `down`: `[intermediate]`.
    pub ffn_sub_norm: Option<Norm>,
    /// Down projection: `[hidden, intermediate]`.
    pub down: Linear,
}

/// A linear layer: `y = matrix · norm(x) + bias`; rows are output features.
pub struct Linear {
    /// RMSNorm inside a BitLinear with `use_rms_norm`, applied before activation quantisation: `[in_features]`.
    pub inner_norm: Option<Norm>,
    /// Added to the result: `[out_features]`.
    pub bias: Option<Vec<f32>>,
    /// The weight: `[out_features, in_features]`.
    pub matrix: Matrix,
}

/// The weight of a linear layer.
pub enum Matrix {
    /// A BitLinear: ternary weight times int8 activations.
    Ternary {
        /// The codes: `[out_features, in_features]`.
        packed: Arc<TernaryMatrix>,
        /// Multiplier from integer product to value, one per row.
        row_scales: Vec<f32>,
    },
    /// A linear left unquantised; its input is not quantised either.
    Dense(DenseMatrix),
}

/// Linears that read the same input, as few products as possible.
///
/// One part when all are ternary without an inner norm of their own, otherwise one part per linear; `out_features`
/// always lists the original linears, so the concatenated result splits the same way in both cases.
pub struct Joined {
    /// Products to run on the same input, results concatenated in this order.
    pub parts: Vec<Linear>,
    /// Output features of each original linear, in order q, k, v or gate, up.
    pub out_features: Vec<usize>,
}

/// The LM head.
pub struct Head {
    /// Exact rows; the embedding itself when tied.
    pub table: Arc<Table>,
    /// A 4-bit image that decides which exact rows are worth reading; absent for small vocabularies.
    pub screen: Option<Arc<ScreenedHead>>,
    /// The head as a BitLinear, where a checkpoint quantises even that: then only this gives the logits, from the quantised
    /// hidden state, there is no screen, and `table` is the embedding.
    pub bit_linear: Option<Linear>,
}
