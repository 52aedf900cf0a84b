//! The hot path against the same forward in candle's operations.
//!
//! Both are f32 with different summation orders. Rounding to int8 makes the network a step function: unless an element crosses a
//! rounding boundary they agree to about 1e-6 of the logits' standard deviation, if one does to a few hundredths. So most
//! prompts must agree closely, and all of them roughly.

mod fixture;

use fixture::{SHAPES, prompt};
use r3mes_model::forward::Outcome;
use r3mes_model::model::KvChoice;
use r3mes_model::reference::reference_logits;

const PROMPTS: u64 = 12;

/// Largest difference in standard deviations of the expected row.
fn difference(found: &[f32], expected: &[f32]) -> f32 {
    let count = expected.len() as f32;
    let mean = expected.iter().sum::<f32>() / count;
    let variance = expected.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / count;
    let largest = found
        .iter()
        .zip(expected)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max);
    largest / variance.sqrt()
}

#[test]
fn the_hot_path_computes_what_plain_tensor_operations_compute() {
    for (index, shape) in SHAPES.into_iter().enumerate() {
        let model = shape.model(7, 2, KvChoice::F32);
        let weights = shape.weights(7);
        let mut close = 0;
        for seed in 0..PROMPTS {
            let tokens = prompt(100 + seed, 2 + 3 * seed as usize);
            let mut state = model.start().expect("a cache");
            let outcome = model
                .prefill(&mut state, &tokens, 5, &mut |_| true)
                .expect("a prompt that fits");
            assert_eq!(outcome, Outcome::Done);
            let expected = reference_logits(&weights, &tokens).expect("a reference");
            let expected = expected
                .get(tokens.len() - 1)
                .and_then(|row| row.to_vec1::<f32>())
                .expect("a row");
            let difference = difference(model.logits(&mut state).expect("logits"), &expected);
            assert!(
                difference < 0.4,
                "shape {index}, prompt {seed}: {difference} σ"
            );
            close += u64::from(difference < 1e-3);
        }
        assert!(
            close * 10 >= PROMPTS * 6,
            "shape {index}: {close} of {PROMPTS} prompts within 1e-3 σ"
        );
    }
}
