//! Whether the experts of the previous answer stay.
//!
//! Another mix means reading the conversation again, because cached keys and values belong to the weights that made them. A
//! follow-up question changes experts only when the gain in score is worth that time.

use crate::api::{ExpertWeight, FALLBACK_EXPERT, Route, RouteReason};
use serde::{Deserialize, Serialize};

/// What the previous answer leaves behind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recent {
    /// Experts that answered, with their shares; empty for the base model or the first question.
    pub mix: Vec<ExpertWeight>,
    /// Tokens that a change would read again.
    pub read_again_tokens: usize,
    /// How fast this machine reads; 0 where not known.
    pub prefill_tokens_per_second: f64,
}

/// What a change of experts must be worth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stickiness {
    /// Gain in score below which nothing changes, however little there is to read again.
    pub least_gain: f32,
    /// Gain in score that a second of reading must bring.
    pub gain_per_second: f32,
    /// Gain in score that is always enough.
    pub enough_gain: f32,
}

impl Default for Stickiness {
    fn default() -> Stickiness {
        Stickiness {
            least_gain: 0.1,
            gain_per_second: 0.05,
            enough_gain: 0.5,
        }
    }
}

/// Share of a gain that counts when the fallback expert would take over.
const FALLBACK_GAIN: f32 = 0.5;
/// Reading speed that is assumed where none was measured, in tokens/s.
const ASSUMED_TOKENS_PER_SECOND: f64 = 100.0;

/// The route with the previous experts in place of its own, if a change gains too little. The text says why, with numbers.
pub fn keep(route: Route, recent: &Recent, stickiness: &Stickiness) -> Route {
    let Some(previous) = recent.mix.first() else {
        return route;
    };
    let decided_here = matches!(
        route.reason,
        RouteReason::FastPath | RouteReason::Fused | RouteReason::Fallback
    );
    if !decided_here || recent.read_again_tokens == 0 || same(&route.candidates, &recent.mix) {
        return route;
    }
    let score = |id: &str| {
        let found = route.scores.iter().find(|score| score.expert_id == id);
        found.map(|score| score.fused)
    };
    let (Some(best), Some(held)) = (
        route.candidates.first().and_then(|c| score(&c.expert_id)),
        score(&previous.expert_id),
    ) else {
        return route;
    };
    let rate = match recent.prefill_tokens_per_second > 0.0 {
        true => recent.prefill_tokens_per_second,
        false => ASSUMED_TOKENS_PER_SECOND,
    };
    let seconds = recent.read_again_tokens as f64 / rate;
    let needed = (stickiness.least_gain + stickiness.gain_per_second * seconds as f32)
        .min(stickiness.enough_gain);
    // Short follow-ups (`and for children?`) look like small talk: a gain of the fallback expert says less.
    let to_fallback = route
        .candidates
        .first()
        .is_some_and(|new| new.expert_id == FALLBACK_EXPERT);
    let gain = match to_fallback {
        true => FALLBACK_GAIN * (best - held),
        false => best - held,
    };
    let cost = format!(
        "reading {} tokens again takes {seconds:.1} s",
        recent.read_again_tokens
    );
    if gain > needed {
        return Route {
            reason_text: format!(
                "{}; changes from `{}`: {gain:.2} better, and {cost}, worth {needed:.2}",
                route.reason_text, previous.expert_id
            ),
            ..route
        };
    }
    let reason_text = match route.candidates.first() {
        Some(new) if new.expert_id != previous.expert_id => format!(
            "`{}` stays: `{}` would be {gain:.2} better, {cost}, which must gain {needed:.2}",
            previous.expert_id, new.expert_id
        ),
        _ => format!(
            "`{}` stays with its share: another mix of the same experts would gain nothing, {cost}",
            previous.expert_id
        ),
    };
    Route {
        candidates: recent.mix.clone(),
        reason: RouteReason::Kept,
        reason_text,
        ..route
    }
}

/// Whether two mixes are the same experts with the same shares.
fn same(a: &[ExpertWeight], b: &[ExpertWeight]) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|(a, b)| a.expert_id == b.expert_id && (a.weight - b.weight).abs() < f32::EPSILON)
}

#[cfg(test)]
mod tests {
    use super::{Recent, Stickiness, keep};
    use crate::api::{ExpertScore, ExpertWeight, Route, RouteReason};

    fn mix(id: &str) -> Vec<ExpertWeight> {
        vec![ExpertWeight {
            expert_id: id.into(),
            weight: 1.0,
        }]
    }

    fn route(best: &str, scores: &[(&str, f32)]) -> Route {
        Route {
            candidates: mix(best),
            reason: RouteReason::Fused,
            scores: scores
                .iter()
                .map(|(id, fused)| ExpertScore {
                    expert_id: (*id).into(),
                    fused: *fused,
                    ..ExpertScore::default()
                })
                .collect(),
            ..Route::default()
        }
    }

    fn recent(id: &str, tokens: usize) -> Recent {
        Recent {
            mix: mix(id),
            read_again_tokens: tokens,
            prefill_tokens_per_second: 100.0,
        }
    }

    #[test]
    fn a_follow_up_keeps_its_expert_when_the_gain_is_small() {
        let new = route(
            "science_dora",
            &[("science_dora", 0.55), ("medical_dora", 0.35)],
        );
        let kept = keep(new, &recent("medical_dora", 400), &Stickiness::default());
        assert_eq!(kept.reason, RouteReason::Kept);
        assert_eq!(kept.candidates, mix("medical_dora"));
        assert_eq!(
            kept.reason_text,
            "`medical_dora` stays: `science_dora` would be 0.20 better, reading 400 tokens again takes 4.0 s, which must gain 0.30"
        );
    }

    #[test]
    fn another_subject_changes_the_expert_however_long_the_conversation() {
        let new = route(
            "coding_dora",
            &[("coding_dora", 0.9), ("medical_dora", 0.02)],
        );
        let changed = keep(
            new,
            &recent("medical_dora", 100_000),
            &Stickiness::default(),
        );
        assert_eq!(changed.candidates, mix("coding_dora"));
        assert_eq!(changed.reason, RouteReason::Fused);
        assert!(
            changed.reason_text.contains("0.88 better"),
            "{}",
            changed.reason_text
        );
    }

    #[test]
    fn a_short_follow_up_that_looks_like_small_talk_keeps_its_expert() {
        let new = route(
            "general_dora",
            &[("general_dora", 0.8), ("medical_dora", 0.1)],
        );
        let kept = keep(new, &recent("medical_dora", 800), &Stickiness::default());
        assert_eq!(kept.reason, RouteReason::Kept);
        assert!(
            kept.reason_text.contains("0.35 better"),
            "{}",
            kept.reason_text
        );
    }

    #[test]
    fn with_little_to_read_again_a_small_gain_is_enough() {
        let new = route(
            "science_dora",
            &[("science_dora", 0.55), ("medical_dora", 0.4)],
        );
        let changed = keep(new, &recent("medical_dora", 40), &Stickiness::default());
        assert_eq!(changed.candidates, mix("science_dora"));
    }

    #[test]
    fn a_first_question_and_a_rejected_one_are_left_alone() {
        let new = route("science_dora", &[("science_dora", 0.5)]);
        assert_eq!(
            keep(new.clone(), &Recent::default(), &Stickiness::default()),
            new
        );
        let rejected = Route {
            reason: RouteReason::Rejected,
            candidates: Vec::new(),
            ..new
        };
        assert_eq!(
            keep(
                rejected.clone(),
                &recent("medical_dora", 500),
                &Stickiness::default()
            ),
            rejected
        );
    }

    #[test]
    fn an_expert_that_is_gone_is_not_kept() {
        let new = route(
            "science_dora",
            &[("science_dora", 0.5), ("medical_dora", 0.4)],
        );
        assert_eq!(
            keep(new.clone(), &recent("mine", 500), &Stickiness::default()),
            new
        );
    }
}
