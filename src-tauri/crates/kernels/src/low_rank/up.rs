//! `y ← γ ⊙ y + Σᵢ cᵢ ⊙ Bᵢ·tᵢ` over tiles of 16 output features: ranks one after the other, adapters one after the other.

use super::memory::LowRank;
use super::shape::LowRankPrecision;
use crate::float::dot::Element;
use crate::float::lanes::{Kernel, LANES, Lanes};

/// Tiles of one linear, for all tokens.
pub(super) struct Up<'a> {
    /// What is added, with the place of its first rank in a token's `t`.
    pub parts: &'a [(&'a LowRank, usize)],
    /// `γ` of the whole linear: `[out_features]`.
    pub gain: Option<&'a [f32]>,
    /// First tile.
    pub first: usize,
    /// `A·x`: `[tokens, ranks]`.
    pub t: &'a [f32],
    /// Length of a token's `t`.
    pub ranks: usize,
    /// The outputs of these tiles, one slice for each token.
    pub y: &'a mut dyn FnMut(usize) -> &'a mut [f32],
    /// Number of tokens.
    pub tokens: usize,
}

impl Kernel for Up<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let Up {
            parts,
            gain,
            first,
            t,
            ranks,
            y,
            tokens,
        } = self;
        for token in 0..tokens {
            let t = &t[token * ranks..][..ranks];
            let y = y(token);
            let whole = y.len() / LANES;
            let mut tile = 0;
            while tile + 4 <= whole {
                tiles::<L, 4>(
                    l,
                    parts,
                    gain,
                    first + tile,
                    t,
                    &mut y[tile * LANES..][..4 * LANES],
                );
                tile += 4;
            }
            while tile < whole {
                tiles::<L, 1>(
                    l,
                    parts,
                    gain,
                    first + tile,
                    t,
                    &mut y[tile * LANES..][..LANES],
                );
                tile += 1;
            }
            let rest = &mut y[whole * LANES..];
            if !rest.is_empty() {
                let mut padded = [0.0; LANES];
                padded[..rest.len()].copy_from_slice(rest);
                let mut padded_gain = [0.0; LANES];
                let from = (first + whole) * LANES;
                if let Some(gain) = gain {
                    padded_gain[..rest.len()].copy_from_slice(&gain[from..][..rest.len()]);
                }
                let gain = gain.map(|_| &padded_gain[..]);
                one_tile(l, parts, gain, first + whole, t, &mut padded);
                rest.copy_from_slice(&padded[..rest.len()]);
            }
        }
    }
}

#[inline(always)]
fn one_tile<L: Lanes>(
    l: L,
    parts: &[(&LowRank, usize)],
    gain: Option<&[f32]>,
    tile: usize,
    t: &[f32],
    y: &mut [f32; LANES],
) {
    let mut value = [l.load(y)];
    if let Some(gain) = gain {
        value[0] = l.mul(
            l.load(gain.first_chunk().expect("a tile of gains")),
            value[0],
        );
    }
    add_all::<L, 1>(l, parts, tile, t, &mut value);
    l.store(value[0], y);
}

/// `N` whole tiles from `tile`.
#[inline(always)]
fn tiles<L: Lanes, const N: usize>(
    l: L,
    parts: &[(&LowRank, usize)],
    gain: Option<&[f32]>,
    tile: usize,
    t: &[f32],
    y: &mut [f32],
) {
    let y = y.as_chunks_mut::<LANES>().0;
    let mut values = [l.splat(0.0); N];
    for n in 0..N {
        values[n] = l.load(&y[n]);
    }
    if let Some(gain) = gain {
        let gain = gain[tile * LANES..].as_chunks::<LANES>().0;
        for n in 0..N {
            values[n] = l.mul(l.load(&gain[n]), values[n]);
        }
    }
    add_all::<L, N>(l, parts, tile, t, &mut values);
    for n in 0..N {
        l.store(values[n], &mut y[n]);
    }
}

#[inline(always)]
fn add_all<L: Lanes, const N: usize>(
    l: L,
    parts: &[(&LowRank, usize)],
    tile: usize,
    t: &[f32],
    values: &mut [L::V; N],
) {
    for (part, place) in parts {
        let t = &t[*place..][..part.shape().rank];
        let scales = part.up_scales();
        match part.shape().precision {
            LowRankPrecision::F32 => add::<L, f32, N>(l, part.up_f32(), scales, tile, t, values),
            LowRankPrecision::Int8 => add::<L, i8, N>(l, part.up_i8(), scales, tile, t, values),
        }
    }
}

#[inline(always)]
fn add<L: Lanes, E: Element, const N: usize>(
    l: L,
    codes: &[E],
    scales: &[f32],
    tile: usize,
    t: &[f32],
    values: &mut [L::V; N],
) {
    let rank = t.len();
    let codes = codes[tile * rank * LANES..][..N * rank * LANES]
        .as_chunks::<LANES>()
        .0;
    let scales = scales[tile * LANES..][..N * LANES].as_chunks::<LANES>().0;
    let mut sums = [l.splat(0.0); N];
    for (r, t) in t.iter().enumerate() {
        let t = l.splat(*t);
        for n in 0..N {
            sums[n] = l.fma(t, E::load(l, &codes[n * rank + r]), sums[n]);
        }
    }
    for n in 0..N {
        values[n] = l.fma(sums[n], l.load(&scales[n]), values[n]);
    }
}
