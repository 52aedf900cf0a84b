//! The best tokens, exactly: screen all, compute those that the bound cannot rule out.

use std::cmp::Ordering;

use super::bound::{LARGEST_PRODUCT, UNDERFLOW, margin};
use super::codes::{PANEL_ROWS, ScreenedHead};
use super::digits::Digits;
use super::rescore::{FetchRow, rescore};
use super::screen::panel_sums;
use crate::float::disjoint::DisjointMut;
use crate::isa::Isa;
use crate::pool::Pool;

/// Panels a thread claims at once.
const PANELS_PER_ITEM: usize = 32;
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
        let bounds = self.bounds(isa, pool, h);
        let mut skip = vec![false; self.rows()];
        for id in always {
            skip[*id as usize] = true;
        }
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
            let first = highest(&bounds, &skip, k.max(FIRST));
            for id in &first {
                skip[*id as usize] = true;
            }
            compute(&first, &mut best)?;
            let reached = threshold(&best);
            let mut open: Vec<u32> = (0..self.rows() as u32)
                .filter(|id| bounds[*id as usize] >= reached && !skip[*id as usize])
                .collect();
            open.sort_unstable_by(|a, b| bounds[*b as usize].total_cmp(&bounds[*a as usize]));
            let mut rest = open.as_slice();
            let mut batch = BATCH;
            while !rest.is_empty() {
                let reached = threshold(&best);
                let end = rest.partition_point(|id| bounds[*id as usize] >= reached);
                let (now, later) = rest[..end].split_at(end.min(batch));
                compute(now, &mut best)?;
                rest = later;
                batch *= 2;
            }
        }
        let always = always.iter().copied().zip(always_logits).collect();
        Ok(TopK {
            best,
            always,
            rescored,
        })
    }

    /// For every row a number its exact logit does not exceed.
    fn bounds(&self, isa: Isa, pool: &Pool, h: &[f32]) -> Vec<f32> {
        let mut bounds = vec![f32::INFINITY; self.rows()];
        let digits = Digits::new(h, self.dither());
        let margin = margin(self.rows(), &digits);
        if !margin.is_finite() {
            return bounds;
        }
        let widest_step = LARGEST_PRODUCT / (digits.absolute_sum() * 8.0);
        let underflow = UNDERFLOW * self.cols() as f64;
        let rows = self.rows();
        let shared = DisjointMut::new(&mut bounds);
        let item_rows = PANELS_PER_ITEM * PANEL_ROWS;
        pool.run(rows.div_ceil(item_rows), &|item| {
            let range = item * item_rows..((item + 1) * item_rows).min(rows);
            // SAFETY: each item takes its own rows.
            let out = unsafe { shared.part(range.clone()) };
            for (index, out) in out.chunks_mut(PANEL_ROWS).enumerate() {
                let panel = item * PANELS_PER_ITEM + index;
                let sums = panel_sums(isa, self.panel(panel), &digits);
                let steps = &self.steps()[panel * PANEL_ROWS..];
                for (row, out) in out.iter_mut().enumerate() {
                    let step = f64::from(steps[row]);
                    if step <= widest_step {
                        let score = digits.score(sums.high[row], sums.low[row]);
                        *out = above(step * (score + margin) + underflow);
                    }
                }
            }
        });
        bounds
    }
}

/// An f32 not below `x`.
fn above(x: f64) -> f32 {
    let rounded = x as f32;
    if f64::from(rounded) < x {
        rounded.next_up()
    } else {
        rounded
    }
}

/// The `count` rows with the highest bounds that are not skipped.
fn highest(bounds: &[f32], skip: &[bool], count: usize) -> Vec<u32> {
    let mut kept: Vec<u32> = Vec::with_capacity(2 * count);
    let mut least = f32::NEG_INFINITY;
    for (id, bound) in bounds.iter().enumerate() {
        if *bound >= least && !skip[id] {
            kept.push(id as u32);
            if kept.len() == 2 * count {
                kept.select_nth_unstable_by(count - 1, |a, b| {
                    bounds[*b as usize].total_cmp(&bounds[*a as usize])
                });
                kept.truncate(count);
                least = bounds[kept[count - 1] as usize];
            }
        }
    }
    kept.sort_unstable_by(|a, b| bounds[*b as usize].total_cmp(&bounds[*a as usize]));
    kept.truncate(count);
    kept
}
