//! Rotary position embedding, half-rotation: element `i` is paired with `i + head_dim / 2`.

use super::lanes::{Kernel, LANES, Lanes, dispatch};
use crate::isa::Isa;

/// Rotates every head of one position in place: `(a, b) ← (a·cos − b·sin, b·cos + a·sin)`.
///
/// # Shapes
/// - `x`: `[heads, 2 · cos.len()]`, one position · `cos`, `sin`: `[head_dim / 2]` of that position
///
/// # Panics
/// If `cos` and `sin` differ in length, or `x` is not whole heads.
///
/// Source: Su et al. 2021; transformers `rotate_half`.
pub fn rope(isa: Isa, x: &mut [f32], cos: &[f32], sin: &[f32]) {
    assert_eq!(cos.len(), sin.len(), "rope: cos and sin differ in length");
    if cos.is_empty() {
        assert!(
            x.is_empty(),
            "rope: empty table for a head that is not empty"
        );
        return;
    }
    assert_eq!(
        x.len() % (2 * cos.len()),
        0,
        "rope: input is not whole heads"
    );
    dispatch(isa, Rope { x, cos, sin });
}

struct Rope<'a> {
    x: &'a mut [f32],
    cos: &'a [f32],
    sin: &'a [f32],
}

impl Kernel for Rope<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let half = self.cos.len();
        let (cos, cos_tail) = self.cos.as_chunks::<LANES>();
        let (sin, sin_tail) = self.sin.as_chunks::<LANES>();
        for head in self.x.chunks_exact_mut(2 * half) {
            let (first, second) = head.split_at_mut(half);
            let (first, first_tail) = first.as_chunks_mut::<LANES>();
            let (second, second_tail) = second.as_chunks_mut::<LANES>();
            for (((a, b), cos), sin) in first.iter_mut().zip(second).zip(cos).zip(sin) {
                let (x, y) = rotate(l, l.load(a), l.load(b), l.load(cos), l.load(sin));
                l.store(x, a);
                l.store(y, b);
            }
            if !cos_tail.is_empty() {
                let (x, y) = rotate(
                    l,
                    l.load_part(first_tail),
                    l.load_part(second_tail),
                    l.load_part(cos_tail),
                    l.load_part(sin_tail),
                );
                l.store_part(x, first_tail);
                l.store_part(y, second_tail);
            }
        }
    }
}

#[inline(always)]
fn rotate<L: Lanes>(l: L, a: L::V, b: L::V, cos: L::V, sin: L::V) -> (L::V, L::V) {
    let minus_b = l.sub(l.splat(-0.0), b);
    (
        l.fma(a, cos, l.mul(minus_b, sin)),
        l.fma(b, cos, l.mul(a, sin)),
    )
}
