//! Upper bounds of all logits, and the search for the rows they leave open.

use super::bound::{LARGEST_PRODUCT, UNDERFLOW, margin};
use super::codes::{PANEL_ROWS, ScreenedHead};
use super::digits::Digits;
use super::screen::panel_sums;
use crate::float::disjoint::DisjointMut;
use crate::isa::Isa;
use crate::pool::Pool;

/// Panels a thread claims at once.
const PANELS_PER_ITEM: usize = 32;

/// For every row a number its exact logit does not exceed.
#[derive(Default)]
pub(super) struct Bounds {
    /// Per row, padded to whole panels with NaN, which no comparison finds.
    rows: Vec<f32>,
    /// The largest of each panel.
    panels: Vec<f32>,
}

impl ScreenedHead {
    /// Screens all rows.
    pub(super) fn bounds(&self, isa: Isa, pool: &Pool, h: &[f32]) -> Bounds {
        let panels = self.rows().div_ceil(PANEL_ROWS);
        let mut bounds = self.scratch();
        bounds.rows.resize(panels * PANEL_ROWS, 0.0);
        bounds.panels.resize(panels, 0.0);
        let digits = Digits::new(h, self.dither());
        let margin = margin(self.rows(), &digits);
        let (rows, best) = (
            DisjointMut::new(&mut bounds.rows),
            DisjointMut::new(&mut bounds.panels),
        );
        pool.run(panels.div_ceil(PANELS_PER_ITEM), &|item| {
            let first = item * PANELS_PER_ITEM;
            for panel in first..(first + PANELS_PER_ITEM).min(panels) {
                let start = panel * PANEL_ROWS;
                // SAFETY: each panel belongs to one item, so its rows are taken once.
                let rows = unsafe { rows.part(start..start + PANEL_ROWS) };
                // SAFETY: likewise its maximum.
                let best = unsafe { best.part(panel..panel + 1) };
                self.bound_panel(isa, panel, &digits, margin, rows);
                if let Some(padding) = rows.get_mut(self.rows() - start..) {
                    padding.fill(f32::NAN);
                }
                best[0] = rows.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            }
        });
        bounds
    }

    fn bound_panel(&self, isa: Isa, panel: usize, digits: &Digits, margin: f64, out: &mut [f32]) {
        if !margin.is_finite() {
            out.fill(f32::INFINITY);
            return;
        }
        let widest_step =
            (LARGEST_PRODUCT / (digits.absolute_sum() * 8.0)).min(f64::from(f32::MAX));
        let underflow = UNDERFLOW * self.cols() as f64;
        let sums = panel_sums(isa, self.panel(panel), digits);
        let steps = &self.steps()[panel * PANEL_ROWS..(panel + 1) * PANEL_ROWS];
        let sums = sums.high.iter().zip(&sums.low);
        for ((out, step), (high, low)) in out.iter_mut().zip(steps).zip(sums) {
            let step = f64::from(*step);
            let bound = step * (digits.score(*high, *low) + margin);
            // Wide enough that rounding to f32 cannot fall below.
            let bound = (bound + bound.abs() * f64::from(f32::EPSILON) + underflow) as f32;
            *out = if step <= widest_step {
                bound
            } else {
                f32::INFINITY
            };
        }
    }
}

impl Bounds {
    /// The `count` rows with the highest bounds outside `skip` (sorted), best first.
    pub(super) fn highest(&self, count: usize, skip: &[u32]) -> Vec<u32> {
        // The maxima of `count` panels are as many rows, so no row below the least of them is wanted; `skip` may hold some.
        let wanted = count + skip.len();
        let mut maxima = self.panels.clone();
        let least = if wanted < maxima.len() {
            *maxima
                .select_nth_unstable_by(wanted, |a, b| b.total_cmp(a))
                .1
        } else {
            f32::NEG_INFINITY
        };
        let rows = self.at_least(least, skip).into_iter().take(count);
        rows.map(|(id, _)| id).collect()
    }

    /// The rows with a bound of at least `least` outside `skip` (sorted), best first, with their bounds.
    pub(super) fn at_least(&self, least: f32, skip: &[u32]) -> Vec<(u32, f32)> {
        let mut found = Vec::new();
        for (panel, best) in self.panels.iter().enumerate() {
            if *best >= least {
                let rows = &self.rows[panel * PANEL_ROWS..(panel + 1) * PANEL_ROWS];
                for (id, bound) in (panel * PANEL_ROWS..).zip(rows) {
                    let id = id as u32;
                    if *bound >= least && skip.binary_search(&id).is_err() {
                        found.push((id, *bound));
                    }
                }
            }
        }
        found.sort_unstable_by(|a, b| b.1.total_cmp(&a.1));
        found
    }
}
