//! The key/value cache: keys and values of every layer, in pages that are allocated when first written.

use std::fmt;
use std::str::FromStr;

use half::f16;

use super::layout::{PAGE, PageLayout};
use super::page::{self, Stored};
use crate::buffer::{AlignedBytes, AllocError};
use crate::isa::Isa;

/// Largest head dimension, head count, layer count and capacity accepted; keeps every product far from overflow.
const MAX_DIMENSION: usize = 1 << 20;

/// How keys and values are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KvFormat {
    /// 32-bit floats: exact.
    F32,
    /// Half floats, rounded to even, clamped to ±65504.
    F16,
    /// 8-bit codes with one f32 scale per position and head (absmax / 127), for keys and for values.
    Int8,
}

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

/// Keys and values of `capacity` positions at most.
pub struct KvCache {
    layout: PageLayout,
    format: KvFormat,
    capacity: usize,
    pages: Vec<AlignedBytes>,
    /// Positions written, per layer.
    filled: Vec<usize>,
}

impl KvCache {
    /// An empty cache; no page is allocated yet.
    ///
    /// # Errors
    /// If a dimension is zero or beyond 2²⁰.
    pub fn new(
        layers: usize,
        kv_heads: usize,
        head_dim: usize,
        capacity: usize,
        format: KvFormat,
    ) -> Result<Self, KvError> {
        let layout = format.layout(kv_heads, head_dim);
        let bounded = [layers, kv_heads, head_dim, capacity]
            .iter()
            .all(|n| (1..=MAX_DIMENSION).contains(n));
        if !bounded || layout.page_bytes(layers).is_none() {
            return Err(KvError::Shape {
                layers,
                kv_heads,
                head_dim,
                capacity,
            });
        }
        Ok(Self {
            layout,
            format,
            capacity,
            pages: Vec::new(),
            filled: vec![0; layers],
        })
    }

    /// Positions that every layer holds.
    pub fn len(&self) -> usize {
        self.filled.iter().copied().min().unwrap_or(0)
    }

    /// Whether no position is held by every layer.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Positions the cache can hold.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Storage format.
    pub fn format(&self) -> KvFormat {
        self.format
    }

    /// Bytes allocated now.
    pub fn bytes(&self) -> u64 {
        self.pages.iter().map(|page| page.len() as u64).sum()
    }

    /// Bytes a cache of this shape holds when full, saturating.
    pub fn bytes_when_full(
        layers: usize,
        kv_heads: usize,
        head_dim: usize,
        capacity: usize,
        format: KvFormat,
    ) -> u64 {
        let width = format.layout(1, 1).page_bytes(1).unwrap_or(0) / PAGE;
        [layers, kv_heads, head_dim, capacity.next_multiple_of(PAGE)]
            .iter()
            .fold(width as u64, |bytes, &n| bytes.saturating_mul(n as u64))
    }

    /// Forgets the positions from `len` on, in every layer, and frees the pages that only held them.
    pub fn truncate(&mut self, len: usize) {
        for filled in &mut self.filled {
            *filled = (*filled).min(len);
        }
        let longest = self.filled.iter().copied().max().unwrap_or(0);
        self.pages.truncate(longest.div_ceil(PAGE));
    }

    /// Writes the keys and values of consecutive positions of one layer, starting at `position`.
    ///
    /// Positions already there are overwritten and those after the end of this write are forgotten in this layer.
    ///
    /// # Shapes
    /// - `k`, `v`: `[tokens, kv_heads, head_dim]`
    ///
    /// # Errors
    /// If the slices are not whole positions, if they would leave a gap or pass the capacity, or if memory is short.
    ///
    /// # Panics
    /// If there is no such layer.
    pub fn append(
        &mut self,
        isa: Isa,
        layer: usize,
        position: usize,
        k: &[f32],
        v: &[f32],
    ) -> Result<(), KvError> {
        let filled = self.filled[layer];
        let width = self.layout.kv_heads * self.layout.head_dim;
        if k.len() != v.len() || !k.len().is_multiple_of(width) {
            return Err(KvError::Width {
                layer,
                keys: k.len(),
                values: v.len(),
                width,
            });
        }
        let count = k.len() / width;
        let capacity = self.capacity;
        if position > filled || position > capacity || count > capacity - position {
            return Err(KvError::Position {
                layer,
                position,
                count,
                filled,
                capacity,
            });
        }
        self.allocate(position + count)?;
        for (index, (k, v)) in k.chunks_exact(width).zip(v.chunks_exact(width)).enumerate() {
            let at = position + index;
            let page = &mut self.pages[at / PAGE];
            match self.format {
                KvFormat::F32 => {
                    page::write::<f32>(isa, page, &self.layout, layer, at % PAGE, k, v)
                }
                KvFormat::F16 => {
                    page::write::<f16>(isa, page, &self.layout, layer, at % PAGE, k, v)
                }
                KvFormat::Int8 => {
                    page::write::<i8>(isa, page, &self.layout, layer, at % PAGE, k, v)
                }
            }
        }
        self.filled[layer] = position + count;
        Ok(())
    }

    fn allocate(&mut self, len: usize) -> Result<(), KvError> {
        let bytes = self
            .layout
            .page_bytes(self.filled.len())
            .expect("checked when the cache was made");
        while self.pages.len() < len.div_ceil(PAGE) {
            let page = AlignedBytes::zeroed(bytes).map_err(|source| KvError::Alloc {
                position: self.pages.len() * PAGE,
                source,
            })?;
            self.pages.push(page);
        }
        Ok(())
    }

    pub(super) fn layout(&self) -> &PageLayout {
        &self.layout
    }

    pub(super) fn pages(&self) -> &[AlignedBytes] {
        &self.pages
    }

    pub(super) fn filled(&self, layer: usize) -> usize {
        self.filled[layer]
    }
}

impl KvFormat {
    fn layout(self, kv_heads: usize, head_dim: usize) -> PageLayout {
        match self {
            Self::F32 => PageLayout::new(kv_heads, head_dim, size_of::<f32>(), f32::SCALED),
            Self::F16 => PageLayout::new(kv_heads, head_dim, size_of::<f16>(), f16::SCALED),
            Self::Int8 => PageLayout::new(kv_heads, head_dim, size_of::<i8>(), i8::SCALED),
        }
    }
}

impl fmt::Display for KvFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Int8 => "int8",
        })
    }
}

/// A name that is no [`KvFormat`].
#[derive(Debug, thiserror::Error)]
#[error("kv format `{0}`, expected `f32`, `f16` or `int8`")]
pub struct KvFormatError(String);

impl FromStr for KvFormat {
    type Err = KvFormatError;

    fn from_str(name: &str) -> Result<Self, KvFormatError> {
        match name {
            "f32" => Ok(Self::F32),
            "f16" => Ok(Self::F16),
            "int8" => Ok(Self::Int8),
            _ => Err(KvFormatError(name.to_owned())),
        }
    }
}
