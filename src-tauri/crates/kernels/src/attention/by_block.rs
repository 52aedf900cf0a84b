//! Attention of a prompt: blocks of tokens are spread over the threads, so that a page is used by many rows while it is near.

use super::layout::PAGE;
use super::merge::{finish, merge};
use super::rows::{OnePage, Work};
use super::store::Stored;
use crate::float::disjoint::DisjointMut;
use crate::float::lanes::{Kernel, LANES, Lanes, dispatch};

/// Query rows (tokens · heads of a group) of a block: they share each page while it is in the cache.
const BLOCK_ROWS: usize = 48;

impl Work<'_> {
    /// Items are (block of tokens, kv head), the longest first; each walks its pages in order.
    pub(super) fn by_block<E: Stored>(&self, out: &mut [f32]) {
        let head_dim = self.cache.layout().head_dim;
        let kv_heads = self.queries.heads / self.group;
        let block = (BLOCK_ROWS / self.group).max(1);
        let blocks = self.tokens.div_ceil(block);
        let row_chunks = self.row_chunks();
        let shared = DisjointMut::new(out);
        self.pool.run(blocks * kv_heads, &|item| {
            let (kv_head, index) = (item % kv_heads, blocks - 1 - item / kv_heads);
            let tokens = index * block..((index + 1) * block).min(self.tokens);
            let count = tokens.len() * self.group;
            let mut running = vec![[0.0; LANES]; count * row_chunks];
            let mut fresh = vec![[0.0; LANES]; count * row_chunks];
            let pages = (self.queries.first_position + tokens.end).div_ceil(PAGE);
            for page in 0..pages {
                let rows = self.rows(kv_head, tokens.clone(), page);
                let seen = rows.iter().map(|row| row.visible > 0).collect::<Vec<_>>();
                let target = if page == 0 { &mut running } else { &mut fresh };
                dispatch(
                    self.isa,
                    OnePage::<E> {
                        page: self.head_page(kv_head, page),
                        rows,
                        scale: self.queries.scale,
                        row_chunks,
                        out: target,
                    },
                );
                if page > 0 {
                    let (running, fresh) = (&mut running, &fresh);
                    dispatch(
                        self.isa,
                        MergeRows {
                            running,
                            fresh,
                            seen: &seen,
                            row_chunks,
                        },
                    );
                }
            }
            for (row, running) in running.chunks_exact(row_chunks).enumerate() {
                let token = tokens.start + row / self.group;
                let head = kv_head * self.group + row % self.group;
                let start = (token * self.queries.heads + head) * head_dim;
                // SAFETY: (token, head) belongs to this item alone.
                let out = unsafe { shared.part(start..start + head_dim) };
                dispatch(self.isa, Finish { row: running, out });
            }
        });
    }
}

struct MergeRows<'a> {
    running: &'a mut [[f32; LANES]],
    fresh: &'a [[f32; LANES]],
    seen: &'a [bool],
    row_chunks: usize,
}

impl Kernel for MergeRows<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let running = self.running.chunks_exact_mut(self.row_chunks);
        let fresh = self.fresh.chunks_exact(self.row_chunks);
        for ((running, fresh), seen) in running.zip(fresh).zip(self.seen) {
            if *seen {
                merge(l, running, fresh);
            }
        }
    }
}

struct Finish<'a> {
    row: &'a [[f32; LANES]],
    out: &'a mut [f32],
}

impl Kernel for Finish<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        finish(l, self.row, self.out);
    }
}
