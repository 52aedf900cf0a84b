//! The best tokens, exactly: screen all, compute those that the bound cannot rule out.

use std::cmp::Ordering;

use super::codes::ScreenedHead;
use super::rescore::{FetchRow, rescore};
use crate::isa::Isa;
use crate::pool::Pool;

/// Rows with the best scores that are computed first, to have a threshold.
const FIRST: usize = 16;
/// Rows computed before the threshold is looked at again; doubled each time.
const BATCH: usize = 64;

/// The answer of a screened head.
#[derive(Clone, Debug, PartialEq)]
pub struct TopK {
    /// The best rows outside `always` with their exact logits, best first; equal logits in order of id.
    pub best: Vec<(u32, f32)>,
    /// The rows of `always` with their exact logits, in the order given.
    pub always: Vec<(u32, f32)>,
    /// Rows whose exact logit was computed.
    pub rescored: usize,
}

/// Better logit first, then lower id; a NaN is worse than any number.
fn order(a: &(u32, f32), b: &(u32, f32)) -> Ordering {
    let key = |logit: f32| {
        if logit.is_nan() {
            f32::NEG_INFINITY
        } else {
            logit
        }
    };
    key(b.1)
        .partial_cmp(&key(a.1))
        .unwrap_or(Ordering::Equal)
        .then(a.0.cmp(&b.0))
}

impl ScreenedHead {
    /// The `k` best rows outside `always` and the exact logits of the rows in `always` (tokens whose logits the sampler is
    /// going to change, so that a bound on the unchanged ones says nothing).
    ///
    /// `fetch` gives row `id` of the exact head, the same values the codes were made from. The result is that of computing all
    /// rows exactly, except with probability below 10⁻¹² per call over the choice of the dither (see `bound.rs`).
    ///
    /// # Shapes
    /// - `h`: `[cols]`
    ///
    /// # Errors
    /// The first error of `fetch`.
    ///
    /// # Panics
    /// If `h` is not `cols` long or `always` names a row that does not exist.
    pub fn top_k<E: Send>(
        &self,
        isa: Isa,
        pool: &Pool,
        h: &[f32],
        k: usize,
        always: &[u32],
        fetch: &FetchRow<'_, E>,
    ) -> Result<TopK, E> {
        assert_eq!(h.len(), self.cols(), "hidden vector of a screened head");
        assert!(
            always.iter().all(|id| (*id as usize) < self.rows()),
            "a row of `always` is not in the head"
        );
        let k = k.min(self.rows());
        let always_logits = rescore(isa, pool, h, always, fetch)?;
        let mut rescored = always.len();
        let mut best: Vec<(u32, f32)> = Vec::new();
        let mut compute = |ids: &[u32], best: &mut Vec<(u32, f32)>| -> Result<(), E> {
            let logits = rescore(isa, pool, h, ids, fetch)?;
            rescored += ids.len();
            best.extend(ids.iter().copied().zip(logits));
            best.sort_unstable_by(order);
            best.truncate(k);
            Ok(())
        };
        let threshold = |best: &[(u32, f32)]| match best.get(k.wrapping_sub(1)) {
            Some((_, logit)) if !logit.is_nan() => *logit,
            _ => f32::NEG_INFINITY,
        };
        if k > 0 {
            let bounds = self.bounds(isa, pool, h);
            let mut done = always.to_vec();
            done.sort_unstable();
            let first = bounds.highest(k.max(FIRST), &done);
            compute(&first, &mut best)?;
            done.extend(&first);
            done.sort_unstable();
            let open = bounds.at_least(threshold(&best), &done);
            let mut rest = open.as_slice();
            let mut batch = BATCH;
            while !rest.is_empty() {
                let reached = threshold(&best);
                let end = rest.partition_point(|(_, bound)| *bound >= reached);
                let (now, later) = rest[..end].split_at(end.min(batch));
                let now: Vec<u32> = now.iter().map(|(id, _)| *id).collect();
                compute(&now, &mut best)?;
                rest = later;
                batch *= 2;
            }
            self.keep_scratch(bounds);
        }
        let always = always.iter().copied().zip(always_logits).collect();
        Ok(TopK {
            best,
            always,
            rescored,
        })
    }
}
