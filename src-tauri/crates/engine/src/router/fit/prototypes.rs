//! Example questions of each class: the ones nearest to the centres of its groups (spherical k-means).

use super::{Kind, Row};
use crate::router::CLASSES;
use crate::router::linear::Order;
use crate::router::semantic::dot;
use std::collections::HashMap;

/// Examples of each class.
const EXAMPLES: usize = 64;
/// Questions of one source that may become examples.
const MOST_OF_SOURCE: usize = 150;
/// Letters of an example.
const CHARS: std::ops::RangeInclusive<usize> = 15..=120;
const PASSES: usize = 6;

/// The examples of every class.
pub fn examples(rows: &[Row], embeddings: &[Vec<f32>], used: &[bool]) -> Vec<Vec<String>> {
    (0..CLASSES)
        .map(|class| {
            let mut counts: HashMap<&str, usize> = HashMap::new();
            let mut members: Vec<usize> = (0..rows.len())
                .filter(|at| {
                    let row = &rows[*at];
                    let fits = used[*at]
                        && row.class == class
                        && row.kind == Kind::Question
                        && CHARS.contains(&row.text.chars().count())
                        && !row.text.contains(['\n', '\r'])
                        && embeddings[*at].iter().any(|x| *x != 0.0);
                    if !fits {
                        return false;
                    }
                    let count = counts.entry(&row.source).or_default();
                    *count += 1;
                    *count <= MOST_OF_SOURCE
                })
                .collect();
            Order::new().shuffle(&mut members);
            centres(&members, embeddings)
                .into_iter()
                .map(|at| rows[at].text.trim().to_owned())
                .collect()
        })
        .collect()
}

/// The members nearest to the centres.
fn centres(members: &[usize], embeddings: &[Vec<f32>]) -> Vec<usize> {
    let mut centres: Vec<Vec<f32>> = members
        .iter()
        .take(EXAMPLES)
        .map(|at| embeddings[*at].clone())
        .collect();
    let nearest = |centres: &[Vec<f32>], at: usize| {
        (0..centres.len())
            .map(|centre| (dot(&centres[centre], &embeddings[at]), centre))
            .max_by(|a, b| a.0.total_cmp(&b.0))
    };
    for _ in 0..PASSES {
        let mut sums = vec![vec![0.0; embeddings[members[0]].len()]; centres.len()];
        for at in members {
            if let Some((_, centre)) = nearest(&centres, *at) {
                for (sum, x) in sums[centre].iter_mut().zip(&embeddings[*at]) {
                    *sum += x;
                }
            }
        }
        for (centre, sum) in centres.iter_mut().zip(sums) {
            let length = dot(&sum, &sum).sqrt();
            if length > 0.0 {
                *centre = sum.iter().map(|x| x / length).collect();
            }
        }
    }
    let mut best: Vec<usize> = centres
        .iter()
        .filter_map(|centre| {
            members.iter().copied().max_by(|a, b| {
                dot(centre, &embeddings[*a]).total_cmp(&dot(centre, &embeddings[*b]))
            })
        })
        .collect();
    best.sort_unstable();
    best.dedup();
    best
}
