//! Why a key/value cache refuses.

use crate::buffer::AllocError;

/// Largest head dimension, head count, layer count and capacity accepted; keeps every product far from overflow.
pub(super) const MAX_DIMENSION: usize = 1 << 20;

/// Why the cache refused.
#[derive(Debug, thiserror::Error)]
pub enum KvError {
    /// A dimension of the cache is zero or absurd.
    #[error(
        "kv cache: {layers} layers, {kv_heads} kv heads of {head_dim}, capacity {capacity}: each must be 1 to {MAX_DIMENSION}"
    )]
    Shape {
        /// Layers asked for.
        layers: usize,
        /// Kv heads asked for.
        kv_heads: usize,
        /// Head dimension asked for.
        head_dim: usize,
        /// Positions asked for.
        capacity: usize,
    },
    /// Keys or values are not whole positions of this cache.
    #[error(
        "kv cache, layer {layer}: {keys} key and {values} value elements, expected equal multiples of {width}"
    )]
    Width {
        /// Layer written to.
        layer: usize,
        /// Elements in `k`.
        keys: usize,
        /// Elements in `v`.
        values: usize,
        /// Elements of one position.
        width: usize,
    },
    /// The positions do not continue the layer or do not fit.
    #[error(
        "kv cache, layer {layer}: append of {count} at position {position}, expected at most {filled} and an end within {capacity}"
    )]
    Position {
        /// Layer written to.
        layer: usize,
        /// First position of the append.
        position: usize,
        /// Positions appended.
        count: usize,
        /// Positions the layer holds.
        filled: usize,
        /// Positions the cache can hold.
        capacity: usize,
    },
    /// A page could not be allocated.
    #[error("kv cache, page of positions from {position}")]
    Alloc {
        /// First position of the page.
        position: usize,
        /// What the allocator said.
        #[source]
        source: AllocError,
    },
}
