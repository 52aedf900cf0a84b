//! From ordered candidates to one of them: temperature, top-k, top-p, min-p, draw.

use std::cmp::Ordering;

use super::{Random, Sampling};

/// A token that could come next, with its adjusted logit.
pub type Candidate = (u32, f32);

/// The order of candidates: larger logit first, then lower id.
fn best_first(a: &Candidate, b: &Candidate) -> Ordering {
    b.1.total_cmp(&a.1).then(a.0.cmp(&b.0))
}

/// Orders candidates by (logit descending, id ascending), keeping the best `keep`.
pub fn sort_best_first(candidates: &mut Vec<Candidate>, keep: usize) {
    if keep < candidates.len() {
        if let Some(last) = keep.checked_sub(1) {
            candidates.select_nth_unstable_by(last, best_first);
        }
        candidates.truncate(keep);
    }
    candidates.sort_unstable_by(best_first);
}

/// Chooses one of `candidates` (ordered best first); the list is cut to those that could have been drawn.
pub(super) fn choose(
    sampling: &Sampling,
    candidates: &mut Vec<Candidate>,
    random: &mut Random,
) -> Option<u32> {
    let &(best, top) = candidates.first()?;
    if sampling.temperature == 0.0 {
        return Some(best);
    }
    if sampling.top_k > 0 {
        candidates.truncate(sampling.top_k);
    }
    let temperature = f64::from(sampling.temperature);
    let weight = |logit: f32| libm::exp((f64::from(logit) - f64::from(top)) / temperature);

    let total: f64 = candidates.iter().map(|&(_, logit)| weight(logit)).sum();
    let enough = total * f64::from(sampling.top_p);
    let least = f64::from(sampling.min_p);
    let (mut kept, mut mass) = (0, 0.0);
    for &(_, logit) in candidates.iter() {
        let weight = weight(logit);
        if kept > 0 && (mass >= enough || weight < least) {
            break;
        }
        kept += 1;
        mass += weight;
    }
    candidates.truncate(kept);

    let mut left = random.next_unit() * mass;
    for &(id, logit) in candidates.iter() {
        left -= weight(logit);
        if left < 0.0 {
            return Some(id);
        }
    }
    // Rounding can leave a crumb past the last one.
    candidates.last().map(|&(id, _)| id)
}
