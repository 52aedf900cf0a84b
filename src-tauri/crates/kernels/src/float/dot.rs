//! Dot products in the sixteen-lane order, with the second operand in f32, f16 or bf16.

use half::{bf16, f16};

use super::lanes::{Kernel, LANES, Lanes, dispatch};
use crate::isa::Isa;

/// A number a dense row may be stored in; widening it to f32 is exact.
pub(crate) trait Element: Copy + Default + Send + Sync {
    fn load<L: Lanes>(l: L, x: &[Self; LANES]) -> L::V;

    /// Fewer than sixteen, the other lanes 0.
    #[inline(always)]
    fn load_part<L: Lanes>(l: L, x: &[Self]) -> L::V {
        let mut padded = [Self::default(); LANES];
        padded[..x.len()].copy_from_slice(x);
        Self::load(l, &padded)
    }
}

impl Element for f32 {
    #[inline(always)]
    fn load<L: Lanes>(l: L, x: &[f32; LANES]) -> L::V {
        l.load(x)
    }
}

impl Element for i8 {
    #[inline(always)]
    fn load<L: Lanes>(l: L, x: &[i8; LANES]) -> L::V {
        l.load_i8(x)
    }
}

impl Element for f16 {
    #[inline(always)]
    fn load<L: Lanes>(l: L, x: &[f16; LANES]) -> L::V {
        l.load_f16(x)
    }
}

impl Element for bf16 {
    #[inline(always)]
    fn load<L: Lanes>(l: L, x: &[bf16; LANES]) -> L::V {
        l.load_bf16(x)
    }
}

/// `Σ aᵢ·bᵢ` of two slices of equal length.
#[inline(always)]
pub(crate) fn dot_lanes<L: Lanes, E: Element>(l: L, a: &[f32], b: &[E]) -> f32 {
    let (a_full, a_tail) = a.as_chunks::<LANES>();
    let (b_full, b_tail) = b.as_chunks::<LANES>();
    let mut acc = l.splat(0.0);
    for (a, b) in a_full.iter().zip(b_full) {
        acc = l.fma(l.load(a), E::load(l, b), acc);
    }
    if !a_tail.is_empty() {
        acc = l.fma(l.load_part(a_tail), E::load_part(l, b_tail), acc);
    }
    l.sum(acc)
}

struct Dot<'a, E>(&'a [f32], &'a [E]);

impl<E: Element> Kernel for Dot<'_, E> {
    type Output = f32;
    #[inline(always)]
    fn run<L: Lanes>(self, l: L) -> f32 {
        dot_lanes(l, self.0, self.1)
    }
}

fn checked_dot<E: Element>(isa: Isa, a: &[f32], b: &[E]) -> f32 {
    assert_eq!(a.len(), b.len(), "dot of slices of different length");
    dispatch(isa, Dot(a, b))
}

/// `Σ aᵢ·bᵢ` in the sixteen-lane order.
///
/// # Panics
/// If the lengths differ.
pub fn dot(isa: Isa, a: &[f32], b: &[f32]) -> f32 {
    checked_dot(isa, a, b)
}

/// [`dot`] with `b` in f16, widened exactly.
///
/// # Panics
/// If the lengths differ.
pub fn dot_f16(isa: Isa, a: &[f32], b: &[f16]) -> f32 {
    checked_dot(isa, a, b)
}

/// [`dot`] with `b` in bf16, widened exactly.
///
/// # Panics
/// If the lengths differ.
pub fn dot_bf16(isa: Isa, a: &[f32], b: &[bf16]) -> f32 {
    checked_dot(isa, a, b)
}
