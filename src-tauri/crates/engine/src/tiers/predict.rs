//! Which experts the next question is likely to need, from those that helped before.
//!
//! `score(e) = Σ over earlier routes with e of 2^(−age / HALF_LIFE)`, plus the share of `e` among what followed the experts
//! of the last route. People stay in a field for a while and come back to the same few, which is all this says.

use std::collections::HashMap;

/// Routes until an expert's weight has fallen by half.
const HALF_LIFE: f64 = 4.0;

/// The experts most likely to be needed next, likeliest first, given the experts of recent routes, oldest first.
/// Routes of the base model alone are empty. Ties are told apart by id, so the same routes give the same guess.
pub(crate) fn next(recent: &[Vec<String>]) -> Vec<String> {
    let mut scores: HashMap<&str, f64> = HashMap::new();
    for (age, route) in recent.iter().rev().enumerate() {
        for id in route {
            *scores.entry(id).or_default() += (-(age as f64) / HALF_LIFE).exp2();
        }
    }
    if let Some(last) = recent.last() {
        let follows = |pair: &&[Vec<String>]| pair[0].iter().any(|id| last.contains(id));
        let after: Vec<&Vec<String>> = recent
            .windows(2)
            .filter(follows)
            .map(|pair| &pair[1])
            .collect();
        for id in after.iter().copied().flatten() {
            *scores.entry(id).or_default() += 1.0 / after.len() as f64;
        }
    }
    let mut ranked: Vec<(&str, f64)> = scores.into_iter().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
    ranked.into_iter().map(|(id, _)| id.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::next;

    fn guess(routes: &[&[&str]]) -> Vec<String> {
        let owned = |route: &&[&str]| route.iter().map(|id| (*id).to_owned()).collect();
        next(&routes.iter().map(owned).collect::<Vec<Vec<String>>>())
    }

    #[test]
    fn nothing_is_guessed_from_nothing() {
        assert!(guess(&[]).is_empty());
        assert!(guess(&[&[], &[]]).is_empty());
    }

    #[test]
    fn what_helped_last_is_likelier_than_what_helped_long_ago() {
        assert_eq!(guess(&[&["old"], &[], &[], &["new"]]), ["new", "old"]);
    }

    #[test]
    fn what_always_follows_is_guessed_first() {
        let routes: [&[&str]; 7] = [&["a"], &["b"], &["a"], &["b"], &["c"], &["b"], &["a"]];
        assert_eq!(guess(&routes)[0], "b");
    }

    #[test]
    fn the_order_of_equals_does_not_change() {
        assert_eq!(guess(&[&["b", "a", "c"]]), ["a", "b", "c"]);
    }
}
