//! Writing keys and values into a page, a position at a time.

use half::f16;

use super::layout::PageLayout;
use super::quantize::{quantize_int8, to_f16};
use crate::float::dot::Element;
use crate::float::lanes::LANES;
use crate::isa::Isa;

/// An element type of the cache.
pub(super) trait Stored: Element {
    /// Whether codes are multiplied by a scale per position and head.
    const SCALED: bool;

    /// Encodes one head of one position; returns its scale, 1 where the format has none.
    fn encode(isa: Isa, x: &[f32], out: &mut [Self]) -> f32;
}

impl Stored for f32 {
    const SCALED: bool = false;
    fn encode(_: Isa, x: &[f32], out: &mut [f32]) -> f32 {
        out.copy_from_slice(x);
        1.0
    }
}

impl Stored for f16 {
    const SCALED: bool = false;
    fn encode(_: Isa, x: &[f32], out: &mut [f16]) -> f32 {
        for (out, x) in out.iter_mut().zip(x) {
            *out = to_f16(*x);
        }
        1.0
    }
}

impl Stored for i8 {
    const SCALED: bool = true;
    fn encode(isa: Isa, x: &[f32], out: &mut [i8]) -> f32 {
        quantize_int8(isa, x, out)
    }
}

/// Writes one position (`k`, `v`: `[kv_heads, head_dim]`) into slot `slot` of a page.
pub(super) fn write<E: Stored>(
    isa: Isa,
    page: &mut [u8],
    layout: &PageLayout,
    layer: usize,
    slot: usize,
    k: &[f32],
    v: &[f32],
) {
    let dim = layout.head_dim;
    let mut codes = vec![E::default(); dim];
    for head in 0..layout.kv_heads {
        let [keys, values, key_scales, value_scales] = layout.head(layer, head);
        let key_scale = E::encode(isa, &k[head * dim..][..dim], &mut codes);
        let stored = elements_mut::<E>(&mut page[keys]);
        for (d, code) in codes.iter().enumerate() {
            stored[layout.key_index(slot, d)] = *code;
        }
        let value_scale = E::encode(isa, &v[head * dim..][..dim], &mut codes);
        let stored = elements_mut::<E>(&mut page[values]);
        for (d, codes) in codes.chunks(LANES).enumerate() {
            let start = layout.value_index(slot, d * LANES);
            stored[start..start + codes.len()].copy_from_slice(codes);
        }
        if E::SCALED {
            elements_mut::<f32>(&mut page[key_scales])[slot] = key_scale;
            elements_mut::<f32>(&mut page[value_scales])[slot] = value_scale;
        }
    }
}

/// Bytes of a page as elements; pages are 64-byte aligned and every part is whole elements.
pub(super) fn elements<E: Stored>(bytes: &[u8]) -> &[E] {
    // SAFETY: `Stored` types are plain numbers for which every bit pattern is a value; `align_to` itself finds the aligned middle.
    let (before, middle, after) = unsafe { bytes.align_to::<E>() };
    assert!(
        before.is_empty() && after.is_empty(),
        "page part is not aligned"
    );
    middle
}

/// [`elements`], writable.
fn elements_mut<E: Stored>(bytes: &mut [u8]) -> &mut [E] {
    // SAFETY: as in `elements`, and every value of these types is a valid bit pattern for bytes.
    let (before, middle, after) = unsafe { bytes.align_to_mut::<E>() };
    assert!(
        before.is_empty() && after.is_empty(),
        "page part is not aligned"
    );
    middle
}
