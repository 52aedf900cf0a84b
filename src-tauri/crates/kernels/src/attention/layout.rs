//! Where a page keeps its keys, values and scales.
//!
//! A page holds [`PAGE`] positions of every layer, so that a long context lives in few large (huge-page) allocations. Per
//! layer and kv head it is read front to back, in the order the kernel uses it:
//! - keys `[PAGE / 16][head_dim][16]`: sixteen positions side by side per dimension, so scores need no horizontal sums;
//! - values `[padded_dim / 16][PAGE][16]`: sixteen dimensions side by side per position;
//! - int8 only: key scales `[PAGE]`, value scales `[PAGE]`, f32.

use std::ops::Range;

use crate::float::lanes::LANES;

/// Positions in a page; also where the sum over positions is cut, so part of the definition of attention's result.
pub const PAGE: usize = 256;

/// Byte layout of one page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageLayout {
    pub(crate) kv_heads: usize,
    pub(crate) head_dim: usize,
    element_bytes: usize,
    scaled: bool,
}

impl PageLayout {
    pub(crate) fn new(
        kv_heads: usize,
        head_dim: usize,
        element_bytes: usize,
        scaled: bool,
    ) -> Self {
        Self {
            kv_heads,
            head_dim,
            element_bytes,
            scaled,
        }
    }

    /// `head_dim` rounded up to whole lanes.
    pub(crate) fn padded_dim(&self) -> usize {
        self.head_dim.next_multiple_of(LANES)
    }

    fn key_bytes(&self) -> usize {
        PAGE * self.head_dim * self.element_bytes
    }

    fn value_bytes(&self) -> usize {
        PAGE * self.padded_dim() * self.element_bytes
    }

    /// Bytes of one scale vector, 0 where the format has none.
    fn scale_bytes(&self) -> usize {
        if self.scaled {
            PAGE * size_of::<f32>()
        } else {
            0
        }
    }

    /// Bytes of one kv head in one layer.
    fn head_bytes(&self) -> usize {
        self.key_bytes() + self.value_bytes() + 2 * self.scale_bytes()
    }

    /// Bytes of a page over `layers`, `None` where that overflows.
    pub(crate) fn page_bytes(&self, layers: usize) -> Option<usize> {
        // Wide enough for one head: both factors were bounded when the cache was made.
        self.head_bytes()
            .checked_mul(self.kv_heads)?
            .checked_mul(layers)
    }

    fn head_start(&self, layer: usize, kv_head: usize) -> usize {
        (layer * self.kv_heads + kv_head) * self.head_bytes()
    }

    /// Byte ranges of keys, values, key scales and value scales of one head.
    pub(crate) fn head(&self, layer: usize, kv_head: usize) -> [Range<usize>; 4] {
        let keys = self.head_start(layer, kv_head);
        let values = keys + self.key_bytes();
        let key_scales = values + self.value_bytes();
        let value_scales = key_scales + self.scale_bytes();
        let end = value_scales + self.scale_bytes();
        [
            keys..values,
            values..key_scales,
            key_scales..value_scales,
            value_scales..end,
        ]
    }

    /// Index of dimension `dim` of `position` among a head's keys.
    pub(crate) fn key_index(&self, position: usize, dim: usize) -> usize {
        (position / LANES * self.head_dim + dim) * LANES + position % LANES
    }

    /// Index of dimension `dim` of `position` among a head's values.
    pub(crate) fn value_index(&self, position: usize, dim: usize) -> usize {
        (dim / LANES * PAGE + position) * LANES + dim % LANES
    }
}
