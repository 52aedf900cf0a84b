//! The loop that both halves of attention consist of: a few rows times tiles of sixteen columns.

use crate::float::dot::Element;
use crate::float::lanes::{LANES, Lanes};

/// Sums in flight that keep the multiply-add units of a core busy: two units of latency four.
const IN_FLIGHT: usize = 8;

/// Tiles of sixteen columns, one after another.
#[derive(Clone, Copy)]
pub(super) struct Tiles<'a, E> {
    /// `[tiles][length]`
    pub(super) vectors: &'a [[E; LANES]],
    pub(super) length: usize,
    /// How many vectors of each tile are used.
    pub(super) depth: usize,
}

impl<'a, E> Tiles<'a, E> {
    #[inline(always)]
    fn tile(&self, index: usize) -> &'a [[E; LANES]] {
        &self.vectors[index * self.length..][..self.depth]
    }
}

/// `out[r · stride + t] = Σₖ a[r][k] · tile t[k]`: each lane is a sum in the order of `k`.
///
/// As many tiles advance side by side as keep the core busy; that changes no bit.
#[inline(always)]
pub(super) fn products<L: Lanes, E: Element, const ROWS: usize>(
    l: L,
    a: [&[f32]; ROWS],
    b: Tiles<'_, E>,
    out: &mut [[f32; LANES]],
    stride: usize,
) {
    let count = b.vectors.len() / b.length;
    let mut done = 0;
    if ROWS * L::REGISTERS * 2 < IN_FLIGHT {
        while count - done >= 4 {
            let tiles = [0, 1, 2, 3].map(|tile| b.tile(done + tile));
            let sums = outer(l, a, tiles, [[l.splat(0.0); ROWS]; 4]);
            put(l, &sums, &mut out[done..], stride);
            done += 4;
        }
    }
    if ROWS * L::REGISTERS < IN_FLIGHT {
        while count - done >= 2 {
            let tiles = [b.tile(done), b.tile(done + 1)];
            let sums = outer(l, a, tiles, [[l.splat(0.0); ROWS]; 2]);
            put(l, &sums, &mut out[done..], stride);
            done += 2;
        }
    }
    while done < count {
        let sums = outer(l, a, [b.tile(done)], [[l.splat(0.0); ROWS]]);
        put(l, &sums, &mut out[done..], stride);
        done += 1;
    }
}

#[inline(always)]
fn put<L: Lanes, const ROWS: usize>(
    l: L,
    sums: &[[L::V; ROWS]],
    out: &mut [[f32; LANES]],
    stride: usize,
) {
    for (tile, sums) in sums.iter().enumerate() {
        for row in 0..ROWS {
            l.store(sums[row], &mut out[row * stride + tile]);
        }
    }
}

/// `sums[t][r] + Σₖ a[r][k] · b[t][k]`, one `k` after another.
#[inline(always)]
pub(super) fn outer<L: Lanes, E: Element, const ROWS: usize, const TILES: usize>(
    l: L,
    a: [&[f32]; ROWS],
    b: [&[[E; LANES]]; TILES],
    mut sums: [[L::V; ROWS]; TILES],
) -> [[L::V; ROWS]; TILES] {
    let depth = b[0].len();
    for row in a {
        assert!(row.len() >= depth, "factors of a page");
    }
    for tile in b {
        assert!(tile.len() == depth, "tiles of one depth");
    }
    // The next tiles lie behind these: a core that waits for each line of them leaves half of the bus unused.
    let ahead = TILES * depth;
    let lines = 64 / size_of::<[E; LANES]>().min(64);
    for k in 0..depth {
        if k % lines == 0 {
            for tile in b {
                l.prefetch(tile.as_ptr().wrapping_add(ahead + k).cast());
            }
        }
        let mut columns = [l.splat(0.0); TILES];
        for tile in 0..TILES {
            // SAFETY: `k` is below `depth`, the length of every tile (asserted above).
            columns[tile] = E::load(l, unsafe { b[tile].get_unchecked(k) });
        }
        for row in 0..ROWS {
            // SAFETY: `k` is below `depth`, which no row of `a` is shorter than (asserted above).
            let factor = l.splat(unsafe { *a[row].get_unchecked(k) });
            for tile in 0..TILES {
                sums[tile][row] = l.fma(factor, columns[tile], sums[tile][row]);
            }
        }
    }
    sums
}
