//! From scores to a route: who helps, and why, in words.

use super::builtin::{CLASS_IDS, GENERAL};
use super::words::Words;
use super::{CLASSES, Router, Scored, TURKISH};
use crate::api::{ExpertScore, ExpertWeight, MatchedWord, Route, RouteReason};

/// Experts of one mix.
const MOST_CANDIDATES: usize = 3;
/// Matched words that are shown for an expert.
const MOST_MATCHED: usize = 8;
/// Examples that are shown for an expert.
const MOST_NEAREST: usize = 3;
/// Experts that examples are shown for.
const WITH_EXAMPLES: usize = 2;
/// Letters of an example in a reason.
const EXAMPLE_CHARS: usize = 60;

pub(super) fn route(router: &Router, question: &str, scored: &Scored) -> Route {
    let mut order: Vec<usize> = (0..scored.fused.len()).collect();
    order.sort_by(|a, b| scored.fused[*b].total_cmp(&scored.fused[*a]).then(a.cmp(b)));
    let (chosen, reason, reason_text) = choose(router, scored, &order);
    let sum: f32 = chosen.iter().map(|at| scored.fused[*at]).sum();
    let candidates = chosen
        .iter()
        .map(|at| ExpertWeight {
            expert_id: id(router, *at).to_owned(),
            weight: match sum > 0.0 {
                true => scored.fused[*at] / sum,
                false => 1.0 / chosen.len() as f32,
            },
        })
        .collect();
    // Read again only to find the matches in the text; the scores have their time already.
    let words = Words::read(question);
    let scores = order
        .iter()
        .enumerate()
        .map(|(rank, at)| score(router, question, &words, scored, *at, rank))
        .collect();
    Route {
        used_fast_path: scored.fast,
        scores,
        dropped: Vec::new(),
        candidates,
        reason,
        reason_text,
        language: scored.language.map(str::to_owned),
        keyword_ms: scored.keyword_ms,
        semantic_ms: scored.semantic_ms,
    }
}

fn choose(router: &Router, scored: &Scored, order: &[usize]) -> (Vec<usize>, RouteReason, String) {
    let tuning = router.tuning;
    let best = order[0];
    let top = scored.fused[best];
    let name = id(router, best);
    if !scored.evidence {
        let text = "no expert: nothing in the question is known to the router".to_owned();
        return (Vec::new(), RouteReason::Rejected, text);
    }
    if top < tuning.reject {
        let text = format!(
            "no expert: the best, `{name}`, scores {top:.2}, below {:.2}",
            tuning.reject
        );
        return (Vec::new(), RouteReason::Rejected, text);
    }
    let mut chosen: Vec<usize> = order
        .iter()
        .copied()
        .enumerate()
        .filter(|(rank, at)| *rank == 0 || scored.fused[*at] >= tuning.join)
        .map(|(_, at)| at)
        .take(MOST_CANDIDATES)
        .collect();
    if scored.fast {
        let text = format!(
            "the words alone are sure: `{name}` {top:.2}, at least {:.2}",
            tuning.fast_path
        );
        return (chosen, RouteReason::FastPath, text);
    }
    if top < tuning.fallback {
        if !chosen.contains(&GENERAL) {
            chosen.truncate(MOST_CANDIDATES - 1);
            chosen.push(GENERAL);
        }
        let text = format!(
            "the best, `{name}`, scores {top:.2}, below {:.2}: `{}` joins",
            tuning.fallback, CLASS_IDS[GENERAL]
        );
        return (chosen, RouteReason::Fallback, text);
    }
    let stages = match scored.semantic {
        Some(_) => "words and meaning together",
        None => "the words alone, as the meaning is unknown",
    };
    (
        chosen,
        RouteReason::Fused,
        format!("{stages}: `{name}` {top:.2}"),
    )
}

fn score(
    router: &Router,
    question: &str,
    words: &Words,
    scored: &Scored,
    at: usize,
    rank: usize,
) -> ExpertScore {
    let matched = match at < CLASSES {
        true => matched(router, question, words, scored, at),
        false => Vec::new(),
    };
    let nearest = match &scored.semantic {
        Some((_, embedding)) if rank < WITH_EXAMPLES || at >= CLASSES => {
            let examples = match at.checked_sub(CLASSES) {
                None => &router.known[at],
                Some(own) => router.own[own].examples.as_ref(),
            };
            examples.nearest(embedding, MOST_NEAREST)
        }
        _ => Vec::new(),
    };
    let mut why = Vec::new();
    if at == TURKISH && scored.language == Some("tr") {
        why.push("the question is in Turkish".to_owned());
    }
    if !matched.is_empty() {
        let words: Vec<&str> = matched
            .iter()
            .take(5)
            .map(|word| word.text.as_str())
            .collect();
        why.push(format!("matched: {}", words.join(", ")));
    }
    if let Some(example) = nearest.first() {
        why.push(format!(
            "nearest example: “{}” ({:.2})",
            shortened(&example.text),
            example.similarity
        ));
    }
    ExpertScore {
        expert_id: id(router, at).to_owned(),
        keyword: scored.keyword[at],
        semantic: scored
            .semantic
            .as_ref()
            .map_or(0.0, |(scores, _)| scores[at]),
        fused: scored.fused[at],
        why,
        matched,
        nearest,
    }
}

/// Words that speak for the class, strongest first, none inside another.
fn matched(
    router: &Router,
    question: &str,
    words: &Words,
    scored: &Scored,
    class: usize,
) -> Vec<MatchedWord> {
    let scale = scored.keywords.scale;
    let mut found: Vec<(f32, _)> = scored
        .keywords
        .found
        .iter()
        .map(|found| {
            let start =
                found.range.start + usize::from(!router.lexicon.entry(found).text.starts_with('*'));
            (
                scale * router.lexicon.entry(found).weights[class],
                words.in_text(start, found.range.end),
                &router.lexicon.entry(found).text,
            )
        })
        .filter(|(weight, range, _)| *weight > 0.0 && !range.is_empty())
        .map(|(weight, range, entry)| (weight, (range, entry)))
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut kept: Vec<(std::ops::Range<usize>, MatchedWord)> = Vec::new();
    for (weight, (range, entry)) in found {
        if kept.len() == MOST_MATCHED {
            break;
        }
        let overlaps =
            |kept: &std::ops::Range<usize>| kept.start < range.end && range.start < kept.end;
        if kept.iter().any(|(other, _)| overlaps(other)) {
            continue;
        }
        let word = MatchedWord {
            text: question[range.clone()].to_owned(),
            entry: entry.clone(),
            weight,
        };
        kept.push((range, word));
    }
    kept.into_iter().map(|(_, word)| word).collect()
}

fn id(router: &Router, at: usize) -> &str {
    match at.checked_sub(CLASSES) {
        None => CLASS_IDS[at],
        Some(own) => &router.own[own].id,
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(EXAMPLE_CHARS) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}
