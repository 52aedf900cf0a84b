//! Generation: what ends an answer, reuse across turns, the screened head against the exact one.

mod fixture;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use fixture::{BITNET, CONTEXT, Shape, VOCAB, prompt};
use r3mes_model::forward::ForwardError;
use r3mes_model::generate::{FinishReason, GenerateError, Generated, Request, Step, generate};
use r3mes_model::model::{KvChoice, Model};
use r3mes_model::sampling::Sampling;

fn model(shape: Shape) -> Model {
    shape.model(1, 2, KvChoice::Auto)
}

fn run(model: &Model, prompt: &[u32], sampling: &Sampling, max_tokens: usize) -> Generated {
    let mut state = model.start().expect("a cache");
    let request = Request::new(prompt, sampling, max_tokens, &[]);
    generate(model, &mut state, &request, &mut |_| {
        ControlFlow::Continue(())
    })
    .expect("an answer")
}

fn refused(model: &Model, prompt: &[u32]) -> ForwardError {
    let mut state = model.start().expect("a cache");
    let greedy = Sampling::greedy();
    let request = Request::new(prompt, &greedy, 5, &[]);
    match generate(model, &mut state, &request, &mut |_| {
        ControlFlow::Continue(())
    }) {
        Err(GenerateError::Forward(error)) => error,
        other => panic!("expected a refusal, found {other:?}"),
    }
}

#[test]
fn a_screened_head_chooses_what_the_exact_head_chooses() {
    let exact = model(BITNET);
    let screened = model(Shape {
        screened: true,
        ..BITNET
    });
    let samplings = [
        Sampling::greedy(),
        Sampling {
            seed: 4,
            temperature: 1.5,
            top_p: 1.0,
            ..Sampling::default()
        },
        Sampling {
            repetition_penalty: 1.3,
            presence_penalty: 0.4,
            frequency_penalty: 0.2,
            logit_bias: BTreeMap::from([(5, 4.0), (6, -9.0), (330, 2.5)]),
            ..Sampling::greedy()
        },
        Sampling {
            seed: 9,
            temperature: 2.0,
            top_k: 7,
            repetition_penalty: 1.2,
            frequency_penalty: 0.5,
            ..Sampling::default()
        },
    ];
    for (index, sampling) in samplings.iter().enumerate() {
        let prompt = prompt(20 + index as u64, 40);
        let expected = run(&exact, &prompt, sampling, 60);
        let found = run(&screened, &prompt, sampling, 60);
        assert_eq!(found.tokens, expected.tokens, "{sampling:?}");
    }
}

#[test]
fn penalties_change_a_greedy_answer() {
    let model = model(BITNET);
    let prompt = prompt(2, 12);
    let plain = run(&model, &prompt, &Sampling::greedy(), 40).tokens;
    let banned = Sampling {
        logit_bias: BTreeMap::from([(plain[0], -1e4)]),
        ..Sampling::greedy()
    };
    assert!(!run(&model, &prompt, &banned, 40).tokens.contains(&plain[0]));
    let varied = Sampling {
        frequency_penalty: 100.0,
        ..Sampling::greedy()
    };
    let mut tokens = run(&model, &prompt, &varied, 40).tokens;
    tokens.sort_unstable();
    tokens.dedup();
    assert_eq!(tokens.len(), 40);
}

#[test]
fn an_answer_ends_where_it_should() {
    let model = model(BITNET);
    let prompt = prompt(2, 12);
    let greedy = Sampling::greedy();
    let long = run(&model, &prompt, &greedy, 30);
    assert_eq!((long.finish, long.tokens.len()), (FinishReason::Length, 30));
    assert!(run(&model, &prompt, &greedy, 0).tokens.is_empty());

    let mut state = model.start().expect("a cache");
    let stop = [long.tokens[7]];
    let first = long
        .tokens
        .iter()
        .position(|id| *id == stop[0])
        .expect("it occurs");
    let request = Request::new(&prompt, &greedy, 30, &stop);
    let stopped = generate(&model, &mut state, &request, &mut |_| {
        ControlFlow::Continue(())
    });
    let stopped = stopped.expect("an answer");
    assert_eq!(
        (stopped.finish, &stopped.tokens[..]),
        (FinishReason::Stop, &long.tokens[..first])
    );

    let mut left = 4;
    let cancelled = generate(
        &model,
        &mut state,
        &Request::new(&prompt, &greedy, 30, &[]),
        &mut |step| {
            left -= usize::from(matches!(step, Step::Token(_)));
            if left == 0 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        },
    );
    let cancelled = cancelled.expect("an answer");
    assert_eq!(
        (cancelled.finish, &cancelled.tokens[..]),
        (FinishReason::Cancelled, &long.tokens[..4])
    );
    assert_eq!(cancelled.stats.reused_tokens, prompt.len() - 1);
}

#[test]
fn a_second_turn_reuses_the_first_and_answers_as_if_cold() {
    let model = model(BITNET);
    let sampling = Sampling {
        seed: 3,
        ..Sampling::default()
    };
    let mut state = model.start().expect("a cache");
    let first = prompt(5, 60);
    let mut observe = |_| ControlFlow::Continue(());
    let request = Request::new(&first, &sampling, 20, &[]);
    let answer = generate(&model, &mut state, &request, &mut observe).expect("an answer");
    let second: Vec<u32> = first
        .iter()
        .chain(&answer.tokens)
        .copied()
        .chain(prompt(6, 9))
        .collect();
    let request = Request::new(&second, &sampling, 20, &[]);
    let warm = generate(&model, &mut state, &request, &mut observe).expect("an answer");
    // The last token of the first answer was reported but never processed.
    assert_eq!(warm.stats.reused_tokens, 79);
    assert_eq!(warm.tokens, run(&model, &second, &sampling, 20).tokens);
}

#[test]
fn what_does_not_fit_is_refused_with_numbers() {
    let model = model(BITNET);
    let message = |prompt: &[u32]| refused(&model, prompt).to_string();
    assert_eq!(message(&[]), "prompt: 0 tokens, expected at least 1");
    assert_eq!(
        message(&[1, VOCAB as u32]),
        "prompt token 1: id 331, expected an id below 331"
    );
    assert_eq!(
        message(&prompt(1, CONTEXT + 1)),
        "prompt: 701 tokens, expected at most the 700 free of a context of 700"
    );
    let full = run(&model, &prompt(1, CONTEXT), &Sampling::greedy(), 5);
    assert_eq!((full.finish, full.tokens.len()), (FinishReason::Context, 1));
}
