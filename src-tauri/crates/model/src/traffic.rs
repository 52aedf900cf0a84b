//! What one decoded token must read from memory: the floor under the time it takes.

use r3mes_kernels::KvCache;

use crate::model::Model;
use crate::weights::{Joined, Linear, Matrix};

/// Positions over which the cache's bytes are averaged; a cache page.
const PAGE_TOKENS: usize = 256;

/// Bytes read for one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// Packed ternary and dense linears with their scales, and norms.
    pub weights: u64,
    /// The screen of the head, or all its rows where there is none. The few rows scored again are not counted.
    pub head: u64,
    /// Keys and values of all earlier positions.
    pub cache: u64,
}

impl Traffic {
    /// All of it.
    pub fn total(&self) -> u64 {
        self.weights + self.head + self.cache
    }
}

impl Model {
    /// What a token reads when `depth` tokens are in the cache.
    pub fn traffic(&self, depth: usize) -> Traffic {
        let config = self.config();
        let (layers, heads) = (config.layers, config.kv_heads);
        let page = KvCache::bytes_when_full(
            layers,
            heads,
            config.head_dim,
            PAGE_TOKENS,
            self.kv_format(),
        );
        let linears = self.weights.layers.iter().flat_map(|layer| {
            joined(&layer.qkv)
                .chain([&layer.o])
                .chain(joined(&layer.gate_up))
                .chain([&layer.down])
        });
        let head = &self.weights.head;
        Traffic {
            weights: linears.map(linear_bytes).sum(),
            head: match (&head.bit_linear, &head.screen) {
                (Some(bit_linear), _) => linear_bytes(bit_linear),
                (None, Some(screen)) => screen.bytes(),
                (None, None) => (head.table.rows() * head.table.row_bytes()) as u64,
            },
            cache: page / PAGE_TOKENS as u64 * depth as u64,
        }
    }
}

fn joined(joined: &Joined) -> impl Iterator<Item = &Linear> {
    joined.parts.iter()
}

fn linear_bytes(linear: &Linear) -> u64 {
    match &linear.matrix {
        Matrix::Ternary { packed, row_scales } => {
            (packed.packed_bytes().len() + size_of_val(row_scales.as_slice())) as u64
        }
        Matrix::Dense(matrix) => matrix.bytes(),
    }
}
