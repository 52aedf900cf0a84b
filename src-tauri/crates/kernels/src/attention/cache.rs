//! The key/value cache: keys and values of every layer, in pages that are allocated when first written.

use half::f16;

use super::error::{KvError, MAX_DIMENSION};
use super::format::KvFormat;
use super::layout::{PAGE, PageLayout};
use super::store::write;
use crate::buffer::AlignedBytes;
use crate::isa::Isa;

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
        let page = format.layout(kv_heads, head_dim).page_bytes(layers);
        let pages = capacity.div_ceil(PAGE) as u64;
        page.map_or(u64::MAX, |bytes| (bytes as u64).saturating_mul(pages))
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
                KvFormat::F32 => write::<f32>(isa, page, &self.layout, layer, at % PAGE, k, v),
                KvFormat::F16 => write::<f16>(isa, page, &self.layout, layer, at % PAGE, k, v),
                KvFormat::Int8 => write::<i8>(isa, page, &self.layout, layer, at % PAGE, k, v),
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
