//! Logits and greedy continuations of a layout.

use std::ops::ControlFlow;
use std::sync::Arc;

use r3mes_model::adapter::Mix;
use r3mes_model::generate::{Request, generate};
use r3mes_model::model::Model;
use r3mes_model::sampling::Sampling;

use crate::bars::{
    ANY_COSINE, ANY_SIGMA, Distance, GREEDY_SHARE, QUIET_SHARE, QUIET_SIGMA, UNDECIDED_SIGMA,
    distance,
};
use crate::case::{Case, logits};

/// Every prompt within the wide bars, enough of the quiet ones within the narrow one; at last and inner positions.
pub fn check(case: &Case, model: &Model) {
    check_with(case, model, &Arc::new(Mix::base()));
}

/// As [`check`], with adapters.
pub fn check_with(case: &Case, model: &Model, mix: &Arc<Mix>) {
    let mut quiet = Vec::new();
    let mut inner_rows = case.inner.iter();
    for (index, (prompt, published)) in case.prompts.iter().zip(&case.last).enumerate() {
        let found = distance(&logits(model, mix, &prompt.ids), published);
        let decided = prompt.gap > UNDECIDED_SIGMA;
        judge(found, decided, || format!("{}, prompt {index}", case.name));
        if prompt.quiet {
            quiet.push(found.sigma);
        }
        if let Some(position) = prompt.inner {
            let published = inner_rows.next().expect("a row for each inner position");
            let found = distance(&logits(model, mix, &prompt.ids[..=position]), published);
            judge(found, false, || {
                format!("{}, prompt {index}, position {position}", case.name)
            });
            if prompt.quiet {
                quiet.push(found.sigma);
            }
        }
    }
    assert!(
        inner_rows.next().is_none(),
        "{}: rows of inner positions left over",
        case.name
    );
    let near = quiet.iter().filter(|&&sigma| sigma <= QUIET_SIGMA).count();
    let share = near as f64 / quiet.len() as f64;
    assert!(
        quiet.len() >= 12,
        "{}: {} quiet rows",
        case.name,
        quiet.len()
    );
    assert!(
        share >= QUIET_SHARE,
        "{}: {near} of {} quiet rows within {QUIET_SIGMA} σ: {quiet:?}",
        case.name,
        quiet.len()
    );
}

fn judge(found: Distance, decided: bool, place: impl Fn() -> String) {
    assert!(
        found.sigma <= ANY_SIGMA,
        "{}: {found:?}, expected at most {ANY_SIGMA} σ",
        place()
    );
    assert!(
        found.cosine >= ANY_COSINE,
        "{}: {found:?}, expected a cosine of at least {ANY_COSINE}",
        place()
    );
    assert!(
        found.same_argmax || !decided,
        "{}: {found:?}, expected the published argmax",
        place()
    );
}

/// Token for token, until a step at which the reference itself is undecided.
pub fn check_greedy(case: &Case, model: &Model) {
    check_greedy_with(case, model, &Arc::new(Mix::base()));
}

/// As [`check_greedy`], with adapters.
pub fn check_greedy_with(case: &Case, model: &Model, mix: &Arc<Mix>) {
    let (mut same, mut all) = (0, 0);
    for (index, prompt) in case
        .prompts
        .iter()
        .enumerate()
        .filter(|(_, prompt)| !prompt.greedy.is_empty())
    {
        let sampling = Sampling::greedy();
        let request = Request::new(&prompt.ids, &sampling, prompt.greedy.len(), &[]);
        let mut state = model.start_with(Arc::clone(mix)).expect("a cache");
        let answer = generate(model, &mut state, &request, &mut |_| {
            ControlFlow::Continue(())
        })
        .expect("an answer");
        assert_eq!(
            answer.tokens.len(),
            prompt.greedy.len(),
            "{}, prompt {index}",
            case.name
        );
        let agreeing = answer
            .tokens
            .iter()
            .zip(&prompt.greedy)
            .take_while(|(ours, theirs)| ours == theirs)
            .count();
        if let Some(&gap) = prompt.greedy_gaps.get(agreeing) {
            let name = &case.name;
            assert!(
                gap <= UNDECIDED_SIGMA,
                "{name}, prompt {index}: differs at step {agreeing}, where the gap is {gap} σ"
            );
        }
        same += agreeing;
        all += prompt.greedy.len();
    }
    let share = f64::from(same as u32) / f64::from(all as u32);
    assert!(
        share >= GREEDY_SHARE,
        "{}: {same} of {all} tokens before first differences",
        case.name
    );
}
