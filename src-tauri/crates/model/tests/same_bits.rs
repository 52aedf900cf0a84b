//! Same tokens, same bits: the logits of a position do not depend on how the work was split.

mod fixture;

use fixture::{BITNET, SHAPES, Shape, prompt};
use r3mes_kernels::Isa;
use r3mes_model::forward::{Outcome, State};
use r3mes_model::model::{KvChoice, Model};

const FORMATS: [KvChoice; 3] = [KvChoice::F32, KvChoice::F16, KvChoice::Int8];

fn prefill(model: &Model, state: &mut State, tokens: &[u32], chunk: usize) {
    let outcome = model
        .prefill(state, tokens, chunk, &mut |_| true)
        .expect("a prompt that fits");
    assert_eq!(outcome, Outcome::Done);
}

/// Logits after a cold prefill, as bits.
fn bits(model: &Model, tokens: &[u32], chunk: usize) -> Vec<u32> {
    let mut state = model.start().expect("a cache");
    prefill(model, &mut state, tokens, chunk);
    logits(model, &mut state)
}

fn logits(model: &Model, state: &mut State) -> Vec<u32> {
    model
        .logits(state)
        .expect("logits")
        .iter()
        .map(|logit| logit.to_bits())
        .collect()
}

/// Every shape with every cache format, and the bits of one prompt in one chunk on one thread.
fn every(check: impl Fn(Shape, KvChoice, &[u32], Vec<u32>)) {
    // More than one cache page, and no multiple of any block.
    let tokens = prompt(3, 531);
    for shape in SHAPES {
        for kv in FORMATS {
            let expected = bits(&shape.model(1, 1, kv), &tokens, 1024);
            check(shape, kv, &tokens, expected);
        }
    }
}

#[test]
fn chunks_and_threads_do_not_show() {
    every(|shape, kv, tokens, expected| {
        for threads in [1, 2] {
            let model = shape.model(1, threads, kv);
            for chunk in [1, 7, 512] {
                assert!(
                    bits(&model, tokens, chunk) == expected,
                    "{threads} threads, chunk {chunk}, {kv:?}"
                );
            }
        }
    });
}

#[test]
fn decoding_equals_prefilling() {
    every(|shape, kv, tokens, expected| {
        let model = shape.model(1, 2, kv);
        let mut state = model.start().expect("a cache");
        let (prompt, answer) = tokens.split_at(500);
        prefill(&model, &mut state, prompt, 64);
        for &token in answer {
            model.decode(&mut state, token).expect("room");
        }
        assert!(logits(&model, &mut state) == expected, "{kv:?}");
    });
}

#[test]
fn a_reused_prefix_equals_a_cold_start() {
    every(|shape, kv, tokens, expected| {
        let model = shape.model(1, 2, kv);
        let mut state = model.start().expect("a cache");
        let mut other = tokens[..300].to_vec();
        other.extend(prompt(9, 90));
        prefill(&model, &mut state, &other, 128);
        assert_eq!(state.reuse(tokens), 300);
        prefill(&model, &mut state, &tokens[300..], 128);
        assert!(logits(&model, &mut state) == expected, "{kv:?}");
        assert_eq!(state.reuse(tokens), tokens.len() - 1);
        prefill(&model, &mut state, &tokens[tokens.len() - 1..], 128);
        assert!(logits(&model, &mut state) == expected, "{kv:?}");
    });
}

#[test]
fn scoring_every_position_gives_the_logits_of_each() {
    for shape in SHAPES {
        let model = shape.model(1, 2, KvChoice::F16);
        let tokens = prompt(4, 71);
        let (mut scored, mut state) = (
            model.start().expect("a cache"),
            model.start().expect("a cache"),
        );
        let mut each = |position: usize, found: &[f32]| {
            model.decode(&mut state, tokens[position]).expect("room");
            let found: Vec<u32> = found.iter().map(|logit| logit.to_bits()).collect();
            assert!(found == logits(&model, &mut state), "position {position}");
            true
        };
        let outcome = model.prefill_scored(&mut scored, &tokens, &mut each);
        assert_eq!(outcome.expect("a prompt that fits"), Outcome::Done);
        assert_eq!(scored.tokens(), tokens);
    }
}

#[test]
fn a_cancelled_prefill_leaves_no_trace() {
    let model = BITNET.model(1, 2, KvChoice::Int8);
    let tokens = prompt(3, 300);
    let expected = bits(&model, &tokens, 512);
    let mut state = model.start().expect("a cache");
    let mut left = 20;
    let mut stop = |_| {
        left -= 1;
        left > 0
    };
    let outcome = model
        .prefill(&mut state, &tokens, 100, &mut stop)
        .expect("fits");
    assert_eq!((outcome, state.tokens().len()), (Outcome::Cancelled, 200));
    prefill(&model, &mut state, &tokens[200..], 100);
    assert!(logits(&model, &mut state) == expected);
}

#[test]
fn instruction_sets_agree() {
    let tokens = prompt(3, 70);
    for shape in SHAPES {
        for kv in FORMATS {
            let expected = bits(&shape.model_on(Isa::Scalar, 1, 1, kv), &tokens, 512);
            for isa in Isa::available() {
                let found = bits(&shape.model_on(isa, 1, 2, kv), &tokens, 16);
                assert!(found == expected, "{isa}, {kv:?}");
            }
        }
    }
}
