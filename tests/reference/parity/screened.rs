//! A model of 2B-4T's size keeps its tables in the file and finds the best tokens by screening. The kept models are far below that size,
//! so they are read here as if they had it.

use r3mes_model::model::Model;
use r3mes_model::sampling::{Candidate, Sampler, Sampling};

use crate::bars::{ANY_SIGMA, QUIET_SHARE, QUIET_SIGMA, UNDECIDED_SIGMA, argmax, distance_of_best};
use crate::case::{Case, extend};

/// As many as a sampled answer asks for by default.
const BEST: usize = 40;

/// The best tokens of every prompt within the bars of [`crate::logits`], and the same bits as those of the small reading; all logits, read
/// row by row, and the greedy continuations as there.
pub fn check(case: &Case) {
    let (screened, whole) = (case.screened_model(), case.model());
    let mut quiet = Vec::new();
    for (index, (prompt, published)) in case.prompts.iter().zip(&case.last).enumerate() {
        let place = format!("{}, prompt {index}", case.name);
        let found = best(&screened, &prompt.ids);
        assert_eq!(found.len(), BEST, "{place}");
        assert_eq!(bits(&found), bits(&best(&whole, &prompt.ids)), "{place}");
        let sigma = distance_of_best(&found, published);
        assert!(sigma <= ANY_SIGMA, "{place}: {sigma} σ");
        assert!(
            prompt.gap <= UNDECIDED_SIGMA || found[0].0 == argmax(published),
            "{place}: {found:?}, expected the published argmax"
        );
        if prompt.quiet {
            quiet.push(sigma);
        }
    }
    let near = quiet.iter().filter(|&&sigma| sigma <= QUIET_SIGMA).count();
    assert!(
        near as f64 >= QUIET_SHARE * quiet.len() as f64,
        "{}: {near} of {} quiet prompts within {QUIET_SIGMA} σ: {quiet:?}",
        case.name,
        quiet.len()
    );
    crate::logits::check(case, &screened);
    crate::logits::check_greedy(case, &screened);
}

/// The best [`BEST`] tokens after `ids`, best first.
fn best(model: &Model, ids: &[u32]) -> Vec<Candidate> {
    let sampling = Sampling {
        top_k: BEST,
        ..Sampling::default()
    };
    let sampler = Sampler::new(sampling, model.config().vocab, ids).expect("options in range");
    let mut state = model.start().expect("a cache");
    extend(model, &mut state, ids, 512);
    let mut found = Vec::new();
    model
        .candidates(&mut state, &sampler, &mut found)
        .expect("candidates");
    found
}

fn bits(best: &[Candidate]) -> Vec<(u32, u32)> {
    best.iter()
        .map(|(id, logit)| (*id, logit.to_bits()))
        .collect()
}
