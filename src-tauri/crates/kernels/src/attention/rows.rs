//! The query rows of a kv head, and what one page gives to them.

use std::ops::Range;

use super::attend::Queries;
use super::cache::KvCache;
use super::layout::PAGE;
use super::merge::row_chunks;
use super::page::{HeadPage, MOST_ROWS, QueryRow};
use super::store::Stored;
use crate::float::lanes::{Kernel, LANES, Lanes};
use crate::isa::Isa;
use crate::pool::Pool;

/// A call of [`super::attend`] whose shapes have been checked.
pub(super) struct Work<'a> {
    pub(super) isa: Isa,
    pub(super) pool: &'a Pool,
    pub(super) cache: &'a KvCache,
    pub(super) queries: &'a Queries<'a>,
    pub(super) tokens: usize,
    /// Query heads per kv head.
    pub(super) group: usize,
}

impl Work<'_> {
    /// Chunks of sixteen floats of a partial row.
    pub(super) fn row_chunks(&self) -> usize {
        row_chunks(self.cache.layout().padded_dim())
    }

    /// Page `page` of a kv head.
    pub(super) fn head_page<E: Stored>(&self, kv_head: usize, page: usize) -> HeadPage<'_, E> {
        HeadPage::new(
            &self.cache.pages()[page],
            self.cache.layout(),
            self.queries.layer,
            kv_head,
        )
    }

    /// The query rows of a kv head, token by token, with the positions of `page` each may see.
    pub(super) fn rows(
        &self,
        kv_head: usize,
        tokens: Range<usize>,
        page: usize,
    ) -> Vec<QueryRow<'_>> {
        let head_dim = self.cache.layout().head_dim;
        let mut rows = Vec::with_capacity(tokens.len() * self.group);
        for token in tokens {
            let seen = self.queries.first_position + token + 1;
            let visible = seen.saturating_sub(page * PAGE).min(PAGE);
            for head in kv_head * self.group..(kv_head + 1) * self.group {
                let start = (token * self.queries.heads + head) * head_dim;
                let q = &self.queries.q[start..start + head_dim];
                rows.push(QueryRow { q, visible });
            }
        }
        rows
    }
}

/// What one page gives to a set of rows, a few rows at a time.
pub(super) struct OnePage<'a, E> {
    pub(super) page: HeadPage<'a, E>,
    pub(super) rows: Vec<QueryRow<'a>>,
    pub(super) scale: f32,
    pub(super) row_chunks: usize,
    pub(super) out: &'a mut [[f32; LANES]],
}

impl<E: Stored> Kernel for OnePage<'_, E> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let unseen = self.rows.iter().take_while(|row| row.visible == 0).count();
        let mut rows = &self.rows[unseen..];
        let mut out = &mut self.out[unseen * self.row_chunks..];
        while !rows.is_empty() {
            // Even shares, so that no row is left to run alone.
            let take = rows.len().div_ceil(rows.len().div_ceil(MOST_ROWS));
            let (now, later) = rows.split_at(take);
            let (now_out, later_out) =
                std::mem::take(&mut out).split_at_mut(take * self.row_chunks);
            self.page.attend(l, now, self.scale, now_out);
            (rows, out) = (later, later_out);
        }
    }
}
