//! Attention of a few tokens: the pages are spread over the threads.

use super::layout::PAGE;
use super::merge::{finish, merge};
use super::rows::{OnePage, Work};
use super::store::Stored;
use crate::float::disjoint::DisjointMut;
use crate::float::lanes::{Kernel, LANES, Lanes, dispatch};

impl Work<'_> {
    /// Items are (kv head, page); what they give is merged afterwards, in page order.
    pub(super) fn by_page<E: Stored>(&self, out: &mut [f32]) {
        let pages = (self.queries.first_position + self.tokens).div_ceil(PAGE);
        let rows = self.tokens * self.group;
        let row_floats = self.row_chunks() * LANES;
        let kv_heads = self.queries.heads / self.group;
        let item_floats = rows * row_floats;
        let mut partials = vec![0.0; kv_heads * pages * item_floats];
        let shared = DisjointMut::new(&mut partials);
        self.pool.run(kv_heads * pages, &|item| {
            let (kv_head, page) = (item / pages, item % pages);
            // SAFETY: each item takes its own part.
            let part = unsafe { shared.part(item * item_floats..(item + 1) * item_floats) };
            dispatch(
                self.isa,
                OnePage::<E> {
                    page: self.head_page(kv_head, page),
                    rows: self.rows(kv_head, 0..self.tokens, page),
                    scale: self.queries.scale,
                    row_chunks: self.row_chunks(),
                    out: part.as_chunks_mut().0,
                },
            );
        });
        dispatch(
            self.isa,
            MergePages {
                work: self,
                pages,
                partials: partials.as_chunks_mut().0,
                out,
            },
        );
    }
}

struct MergePages<'a> {
    work: &'a Work<'a>,
    pages: usize,
    /// `[kv_heads, pages, rows, row_chunks]`
    partials: &'a mut [[f32; LANES]],
    out: &'a mut [f32],
}

impl Kernel for MergePages<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let (work, chunks) = (self.work, self.work.row_chunks());
        let rows = work.tokens * work.group;
        let head_dim = work.cache.layout().head_dim;
        let heads = self.partials.chunks_exact_mut(self.pages * rows * chunks);
        for (kv_head, partials) in heads.enumerate() {
            for row in 0..rows {
                let (token, head) = (row / work.group, kv_head * work.group + row % work.group);
                let seen = (work.queries.first_position + token + 1).div_ceil(PAGE);
                let (first, others) = partials.split_at_mut(rows * chunks);
                let running = &mut first[row * chunks..(row + 1) * chunks];
                for page in others.chunks_exact(rows * chunks).take(seen - 1) {
                    merge(l, running, &page[row * chunks..(row + 1) * chunks]);
                }
                let start = (token * work.queries.heads + head) * head_dim;
                finish(l, running, &mut self.out[start..start + head_dim]);
            }
        }
    }
}
