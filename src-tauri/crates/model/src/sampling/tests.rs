use super::*;

fn sampler(sampling: Sampling, prompt: &[u32]) -> Sampler {
    Sampler::new(sampling, 1000, prompt).expect("valid sampling")
}

/// Draws from fixed candidates and counts the ids.
fn draws(sampling: Sampling, candidates: &[Candidate], times: usize) -> BTreeMap<u32, usize> {
    let mut sampler = sampler(sampling, &[]);
    let mut counts = BTreeMap::new();
    for _ in 0..times {
        let id = sampler
            .choose(&mut candidates.to_vec())
            .expect("candidates");
        *counts.entry(id).or_default() += 1;
    }
    counts
}

fn on(temperature: f32) -> Sampling {
    Sampling {
        temperature,
        ..Sampling::greedy()
    }
}

const FOUR: [Candidate; 4] = [(7, 2.0), (3, 1.0), (9, 0.0), (1, -1.0)];

#[test]
fn the_random_sequence_is_the_published_one() {
    let mut random = Random::new(1234567);
    let numbers: Vec<u64> = (0..3).map(|_| random.next_u64()).collect();
    assert_eq!(
        numbers,
        [
            6457827717110365317,
            3203168211198807973,
            9817491932198370423
        ]
    );
}

#[test]
fn the_same_seed_gives_the_same_tokens_and_another_seed_others() {
    let take = |seed| {
        let mut sampler = sampler(Sampling { seed, ..on(1.0) }, &[]);
        (0..40)
            .map(|_| sampler.choose(&mut FOUR.to_vec()).expect("candidates"))
            .collect::<Vec<_>>()
    };
    assert_eq!(take(5), take(5));
    assert_ne!(take(5), take(6));
    assert_eq!(
        take(5)[..16],
        [7, 3, 7, 7, 7, 7, 1, 7, 7, 7, 7, 7, 3, 7, 9, 9]
    );
}

#[test]
fn temperature_zero_takes_the_best_without_a_draw() {
    assert_eq!(draws(on(0.0), &FOUR, 5), BTreeMap::from([(7, 5)]));
}

#[test]
fn draws_follow_the_softmax() {
    let counts = draws(on(1.0), &FOUR, 100_000);
    for (id, logit) in FOUR {
        let expected = libm::exp(f64::from(logit))
            / FOUR
                .iter()
                .map(|&(_, l)| libm::exp(f64::from(l)))
                .sum::<f64>();
        let found = counts[&id] as f64 / 100_000.0;
        // Three standard deviations of a share near one half.
        assert!((found - expected).abs() < 0.005, "{id}: {found} {expected}");
    }
}

#[test]
fn filters_keep_what_their_definition_says() {
    let kept = |sampling| draws(sampling, &FOUR, 3000).into_keys().collect::<Vec<_>>();
    assert_eq!(
        kept(Sampling {
            top_k: 2,
            ..on(1.0)
        }),
        [3, 7]
    );
    // Probabilities 0.644, 0.237, 0.087, 0.032.
    assert_eq!(
        kept(Sampling {
            top_p: 0.6,
            ..on(1.0)
        }),
        [7]
    );
    assert_eq!(
        kept(Sampling {
            top_p: 0.65,
            ..on(1.0)
        }),
        [3, 7]
    );
    assert_eq!(
        kept(Sampling {
            top_p: 0.0,
            ..on(1.0)
        }),
        [7]
    );
    assert_eq!(
        kept(Sampling {
            min_p: 0.1,
            ..on(1.0)
        }),
        [3, 7, 9]
    );
    assert_eq!(
        kept(Sampling {
            min_p: 1.0,
            ..on(1.0)
        }),
        [7]
    );
    assert_eq!(kept(on(1.0)), [1, 3, 7, 9]);
}

#[test]
fn equal_logits_are_ordered_by_id() {
    let mut candidates = vec![(5, 1.0), (2, 1.0), (8, 3.0), (1, 1.0), (0, -1.0)];
    sort_best_first(&mut candidates, 3);
    assert_eq!(candidates, [(8, 3.0), (1, 1.0), (2, 1.0)]);
}

#[test]
fn penalties_and_bias_change_only_the_tokens_they_name() {
    let sampling = Sampling {
        repetition_penalty: 2.0,
        presence_penalty: 0.5,
        frequency_penalty: 0.25,
        logit_bias: BTreeMap::from([(4, 3.0)]),
        ..Sampling::greedy()
    };
    let mut sampler = sampler(sampling, &[1, 2]);
    sampler.accept(2);
    sampler.accept(2);
    assert_eq!(sampler.touched(), [1, 2, 4]);
    assert_eq!(sampler.adjust(1, 3.0), 1.5);
    assert_eq!(sampler.adjust(1, -3.0), -6.0);
    assert_eq!(sampler.adjust(2, 3.0), 1.5 - 0.5 - 0.5);
    assert_eq!(sampler.adjust(4, 1.0), 4.0);
    assert_eq!(sampler.adjust(9, 1.0), 1.0);
}

#[test]
fn values_out_of_range_are_refused_by_name() {
    let check = |sampling: Sampling, expected: &str| {
        let error = sampling.validate(1000).expect_err("out of range");
        assert_eq!(error.to_string(), expected);
    };
    check(on(-1.0), "sampling `temperature`: -1, expected 0 to 100");
    check(
        on(f32::NAN),
        "sampling `temperature`: NaN, expected 0 to 100",
    );
    check(
        Sampling {
            top_p: 1.5,
            ..on(1.0)
        },
        "sampling `top_p`: 1.5, expected 0 to 1",
    );
    check(
        Sampling {
            repetition_penalty: 0.0,
            ..on(1.0)
        },
        "sampling `repetition_penalty`: 0, expected above 0, at most 100",
    );
    check(
        Sampling {
            logit_bias: BTreeMap::from([(1000, 1.0)]),
            ..on(1.0)
        },
        "sampling `logit_bias`: token 1000, expected an id below 1000",
    );
}
