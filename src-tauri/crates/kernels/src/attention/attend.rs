//! Cutting the work of attention into items for the pool: pages for a few tokens, blocks of tokens for a prompt.

use half::f16;

use super::cache::{KvCache, KvFormat};
use super::layout::PAGE;
use super::merge::{finish, merge, row_chunks};
use super::page::{HeadPage, MOST_ROWS, QueryRow, Stored};
use crate::float::disjoint::DisjointMut;
use crate::float::lanes::{Kernel, LANES, Lanes, dispatch};
use crate::isa::Isa;
use crate::pool::Pool;

/// Up to this many tokens the pages are spread over the threads, beyond it blocks of tokens are.
const FEW_TOKENS: usize = 4;
/// Query rows (tokens · heads of a group) of a block: they share each page while it is in the cache.
const BLOCK_ROWS: usize = 48;
/// The queries of consecutive positions of one layer.
#[derive(Clone, Copy)]
pub struct Queries<'a> {
    /// Layer whose keys and values are read.
    pub layer: usize,
    /// Absolute position of the first token.
    pub first_position: usize,
    /// Query heads, a multiple of the kv heads.
    pub heads: usize,
    /// `[tokens, heads, head_dim]`
    pub q: &'a [f32],
    /// Factor of the scores, `1/√head_dim`.
    pub scale: f32,
}

/// Causal attention of consecutive positions of one layer, whose keys and values are already in the cache.
///
/// # Shapes
/// - `out`: `[tokens, heads, head_dim]`
///
/// # Panics
/// If the shapes disagree or the cache does not hold the positions.
pub fn attend(isa: Isa, pool: &Pool, cache: &KvCache, queries: &Queries<'_>, out: &mut [f32]) {
    let Queries {
        layer,
        first_position,
        heads,
        q,
        ..
    } = *queries;
    let (kv_heads, head_dim) = (cache.layout().kv_heads, cache.layout().head_dim);
    assert!(
        heads > 0 && heads % kv_heads == 0,
        "attend: {heads} heads over {kv_heads} kv heads"
    );
    assert_eq!(
        q.len(),
        out.len(),
        "attend: query and output differ in length"
    );
    assert_eq!(
        q.len() % (heads * head_dim),
        0,
        "attend: query is not whole tokens"
    );
    let tokens = q.len() / (heads * head_dim);
    assert!(
        first_position + tokens <= cache.filled(layer),
        "attend: positions {first_position} to {} of a cache of {}",
        first_position + tokens,
        cache.filled(layer)
    );
    let call = Call {
        isa,
        pool,
        cache,
        queries,
        tokens,
        group: heads / kv_heads,
    };
    match cache.format() {
        KvFormat::F32 => call.run::<f32>(out),
        KvFormat::F16 => call.run::<f16>(out),
        KvFormat::Int8 => call.run::<i8>(out),
    }
}

struct Call<'a> {
    isa: Isa,
    pool: &'a Pool,
    cache: &'a KvCache,
    queries: &'a Queries<'a>,
    tokens: usize,
    /// Query heads per kv head.
    group: usize,
}

impl Call<'_> {
    fn run<E: Stored>(&self, out: &mut [f32]) {
        if self.tokens <= FEW_TOKENS {
            self.by_page::<E>(out);
        } else {
            self.by_block::<E>(out);
        }
    }

    fn row_chunks(&self) -> usize {
        row_chunks(self.cache.layout().padded_dim())
    }

    /// Items are (kv head, page); what they give is merged afterwards, in page order.
    fn by_page<E: Stored>(&self, out: &mut [f32]) {
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
                call: self,
                pages,
                partials: partials.as_chunks_mut().0,
                out,
            },
        );
    }

    /// Items are (block of tokens, kv head), the longest first; each walks its pages in order.
    fn by_block<E: Stored>(&self, out: &mut [f32]) {
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

    fn head_page<E: Stored>(&self, kv_head: usize, page: usize) -> HeadPage<'_, E> {
        HeadPage::new(
            &self.cache.pages()[page],
            self.cache.layout(),
            self.queries.layer,
            kv_head,
        )
    }

    /// The query rows of a kv head, token by token, with the positions of `page` each may see.
    fn rows(
        &self,
        kv_head: usize,
        tokens: std::ops::Range<usize>,
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
struct OnePage<'a, E> {
    page: HeadPage<'a, E>,
    rows: Vec<QueryRow<'a>>,
    scale: f32,
    row_chunks: usize,
    out: &'a mut [[f32; LANES]],
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

struct MergePages<'a> {
    call: &'a Call<'a>,
    pages: usize,
    /// `[kv_heads, pages, rows, row_chunks]`
    partials: &'a mut [[f32; LANES]],
    out: &'a mut [f32],
}

impl Kernel for MergePages<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let (call, chunks) = (self.call, self.call.row_chunks());
        let rows = call.tokens * call.group;
        let head_dim = call.cache.layout().head_dim;
        let heads = self.partials.chunks_exact_mut(self.pages * rows * chunks);
        for (kv_head, partials) in heads.enumerate() {
            for row in 0..rows {
                let (token, head) = (row / call.group, kv_head * call.group + row % call.group);
                let seen = (call.queries.first_position + token + 1).div_ceil(PAGE);
                let (first, others) = partials.split_at_mut(rows * chunks);
                let running = &mut first[row * chunks..(row + 1) * chunks];
                for page in others.chunks_exact(rows * chunks).take(seen - 1) {
                    merge(l, running, &page[row * chunks..(row + 1) * chunks]);
                }
                let start = (token * call.queries.heads + head) * head_dim;
                finish(l, running, &mut self.out[start..start + head_dim]);
            }
        }
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
