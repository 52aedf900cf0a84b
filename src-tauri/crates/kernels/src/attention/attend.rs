//! Attention of a set of queries: checks, and the choice of how to cut the work.

use half::f16;

use super::cache::KvCache;
use super::format::KvFormat;
use super::rows::Work;
use super::store::Stored;
use crate::isa::Isa;
use crate::pool::Pool;

/// Up to this many tokens the pages are spread over the threads, beyond it blocks of tokens are.
const FEW_TOKENS: usize = 4;

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
    if tokens == 0 {
        return;
    }
    let work = Work {
        isa,
        pool,
        cache,
        queries,
        tokens,
        group: heads / kv_heads,
    };
    match cache.format() {
        KvFormat::F32 => work.run::<f32>(out),
        KvFormat::F16 => work.run::<f16>(out),
        KvFormat::Int8 => work.run::<i8>(out),
    }
}

impl Work<'_> {
    fn run<E: Stored>(&self, out: &mut [f32]) {
        if self.tokens <= FEW_TOKENS {
            self.by_page::<E>(out);
        } else {
            self.by_block::<E>(out);
        }
    }
}
