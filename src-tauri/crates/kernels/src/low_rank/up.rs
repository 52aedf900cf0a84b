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

/// Tokens for which a code is widened once.
const TOKENS: usize = 4;

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
        let linear = Tiles { parts, gain, first };
        let mut token = 0;
        while token + TOKENS <= tokens {
            let inputs = [0, 1, 2, 3].map(|next| &t[(token + next) * ranks..][..ranks]);
            let outputs = [y(token), y(token + 1), y(token + 2), y(token + 3)];
            match L::REGISTERS {
                1 => all_tiles::<L, 2, TOKENS>(l, linear, inputs, outputs),
                _ => all_tiles::<L, 1, TOKENS>(l, linear, inputs, outputs),
            }
            token += TOKENS;
        }
        while token < tokens {
            let input = &t[token * ranks..][..ranks];
            all_tiles::<L, 4, 1>(l, linear, [input], [y(token)]);
            token += 1;
        }
    }
}

/// The tiles of a linear from `first` on.
#[derive(Clone, Copy)]
struct Tiles<'a> {
    parts: &'a [(&'a LowRank, usize)],
    gain: Option<&'a [f32]>,
    first: usize,
}

/// `T` tokens, `N` tiles at a time.
#[inline(always)]
fn all_tiles<L: Lanes, const N: usize, const T: usize>(
    l: L,
    linear: Tiles<'_>,
    t: [&[f32]; T],
    mut y: [&mut [f32]; T],
) {
    let rows = y[0].len();
    let whole = rows / LANES;
    let mut tile = 0;
    while tile + N <= whole {
        some_tiles::<L, N, T>(l, linear, tile, &t, &mut y);
        tile += N;
    }
    while tile < whole {
        some_tiles::<L, 1, T>(l, linear, tile, &t, &mut y);
        tile += 1;
    }
    let rest = rows % LANES;
    if rest > 0 {
        let from = (linear.first + whole) * LANES;
        let mut padded_gain = [0.0; LANES];
        if let Some(gain) = linear.gain {
            padded_gain[..rest].copy_from_slice(&gain[from..][..rest]);
        }
        for token in 0..T {
            let mut padded = [0.0; LANES];
            padded[..rest].copy_from_slice(&y[token][whole * LANES..]);
            let mut value = [[l.load(&padded)]];
            if linear.gain.is_some() {
                value[0][0] = l.mul(l.load(&padded_gain), value[0][0]);
            }
            add_all::<L, 1, 1>(l, linear, whole, &[t[token]], &mut value);
            l.store(value[0][0], &mut padded);
            y[token][whole * LANES..].copy_from_slice(&padded[..rest]);
        }
    }
}

/// `N` whole tiles from `tile`, counted from the first of the linear's.
#[inline(always)]
fn some_tiles<L: Lanes, const N: usize, const T: usize>(
    l: L,
    linear: Tiles<'_>,
    tile: usize,
    t: &[&[f32]; T],
    y: &mut [&mut [f32]; T],
) {
    let mut values = [[l.splat(0.0); T]; N];
    for n in 0..N {
        for token in 0..T {
            values[n][token] = l.load(
                y[token][(tile + n) * LANES..]
                    .first_chunk()
                    .expect("a whole tile"),
            );
        }
    }
    if let Some(gain) = linear.gain {
        let gain = gain[(linear.first + tile) * LANES..].as_chunks::<LANES>().0;
        for n in 0..N {
            let gain = l.load(&gain[n]);
            for value in &mut values[n] {
                *value = l.mul(gain, *value);
            }
        }
    }
    add_all::<L, N, T>(l, linear, tile, t, &mut values);
    for n in 0..N {
        for token in 0..T {
            let out = y[token][(tile + n) * LANES..].first_chunk_mut();
            l.store(values[n][token], out.expect("a whole tile"));
        }
    }
}

#[inline(always)]
fn add_all<L: Lanes, const N: usize, const T: usize>(
    l: L,
    linear: Tiles<'_>,
    tile: usize,
    t: &[&[f32]; T],
    values: &mut [[L::V; T]; N],
) {
    let tile = linear.first + tile;
    for (part, place) in linear.parts {
        let rank = part.shape().rank;
        let mut own = [&t[0][..0]; T];
        for token in 0..T {
            own[token] = &t[token][*place..][..rank];
        }
        let scales = part.up_scales();
        match part.shape().precision {
            LowRankPrecision::F32 => {
                add::<L, f32, N, T>(l, (part.up_f32(), scales), tile, &own, values)
            }
            LowRankPrecision::Int8 => {
                add::<L, i8, N, T>(l, (part.up_i8(), scales), tile, &own, values)
            }
        }
    }
}

#[inline(always)]
fn add<L: Lanes, E: Element, const N: usize, const T: usize>(
    l: L,
    (codes, scales): (&[E], &[f32]),
    tile: usize,
    t: &[&[f32]; T],
    values: &mut [[L::V; T]; N],
) {
    let rank = t[0].len();
    let codes = codes[tile * rank * LANES..][..N * rank * LANES]
        .as_chunks::<LANES>()
        .0;
    let scales = scales[tile * LANES..][..N * LANES].as_chunks::<LANES>().0;
    let mut sums = [[l.splat(0.0); T]; N];
    for r in 0..rank {
        let mut factor = [l.splat(0.0); T];
        for token in 0..T {
            factor[token] = l.splat(t[token][r]);
        }
        for n in 0..N {
            let code = E::load(l, &codes[n * rank + r]);
            for token in 0..T {
                sums[n][token] = l.fma(factor[token], code, sums[n][token]);
            }
        }
    }
    for n in 0..N {
        let scale = l.load(&scales[n]);
        for token in 0..T {
            values[n][token] = l.fma(sums[n][token], scale, values[n][token]);
        }
    }
}
