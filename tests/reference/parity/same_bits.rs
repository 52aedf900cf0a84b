//! The engine against itself: the bits of a position do not depend on how the work was split.

use r3mes_kernels::Isa;
use r3mes_model::model::Model;

use crate::case::{Case, extend};

/// Chunks 1, 7 and 512, one and two threads, cold and reused prefix, every instruction set of this machine.
pub fn check(case: &Case) {
    let prompt = case
        .prompts
        .iter()
        .max_by_key(|prompt| prompt.ids.len())
        .expect("prompts");
    let best = Isa::select().expect("an instruction set");
    let expected = bits(&case.model_on(1, best), &prompt.ids, 512);
    for threads in [1, 2] {
        let model = case.model_on(threads, best);
        for chunk in [1, 7, 512] {
            let found = bits(&model, &prompt.ids, chunk);
            assert!(
                found == expected,
                "{}: {threads} threads, chunk {chunk}",
                case.name
            );
        }
        assert!(
            reused(&model, &prompt.ids) == expected,
            "{}: {threads} threads, reused prefix",
            case.name
        );
    }
    for isa in Isa::available() {
        let found = bits(&case.model_on(2, isa), &prompt.ids, 512);
        assert!(found == expected, "{}: {isa}", case.name);
    }
}

fn bits(model: &Model, ids: &[u32], chunk: usize) -> Vec<u32> {
    let mut state = model.start().expect("a cache");
    extend(model, &mut state, ids, chunk);
    row(model.logits(&mut state).expect("logits"))
}

/// After another prompt with the same first half.
fn reused(model: &Model, ids: &[u32]) -> Vec<u32> {
    let half = ids.len() / 2;
    let mut state = model.start().expect("a cache");
    extend(model, &mut state, &ids[..half], 512);
    extend(model, &mut state, &[ids[half] ^ 1, 5], 512);
    assert_eq!(state.reuse(ids), half);
    extend(model, &mut state, &ids[half..], 512);
    row(model.logits(&mut state).expect("logits"))
}

fn row(logits: &[f32]) -> Vec<u32> {
    logits.iter().map(|logit| logit.to_bits()).collect()
}
