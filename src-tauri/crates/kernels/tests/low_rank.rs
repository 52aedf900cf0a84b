//! Low-rank changes: against f64, and bit for bit between instruction sets, threads and neighbouring tokens.

mod random;

use std::sync::Arc;

use r3mes_kernels::low_rank::{
    Adapted, Gain, LowRank, LowRankError, LowRankPrecision, LowRankShape, Part, adapt,
};
use r3mes_kernels::{AlignedBytes, Isa, Pool};
use random::Random;

/// Numbers of a change, kept to compute with them again in f64.
struct Numbers {
    shape: LowRankShape,
    a: Vec<f32>,
    b: Vec<f32>,
    scales: Vec<f32>,
    gain: Vec<f32>,
}

impl Numbers {
    fn new(
        random: &mut Random,
        (out_features, in_features, rank): (usize, usize, usize),
        has_gain: bool,
        precision: LowRankPrecision,
    ) -> Self {
        let shape = LowRankShape {
            in_features,
            out_features,
            rank,
            has_gain,
            precision,
        };
        let gains = if has_gain { out_features } else { 0 };
        Self {
            shape,
            a: random.vector(rank * in_features, 0.5),
            b: random.vector(out_features * rank, 0.3),
            scales: random.vector(out_features, 2.0),
            gain: random.vector(gains, 1.5),
        }
    }

    fn change(&self) -> LowRank {
        // Not from the beginning: a linear is one of many in an adapter's memory.
        let mut memory = AlignedBytes::zeroed(64 + self.shape.bytes()).unwrap();
        let gain = self.shape.has_gain.then_some(&self.gain[..]);
        LowRank::write(
            &self.shape,
            &self.a,
            &self.b,
            &self.scales,
            gain,
            &mut memory,
            64,
        )
        .unwrap();
        LowRank::new(Arc::new(memory), 64, self.shape).unwrap()
    }

    /// `w · scales ⊙ B(A·x)` of one token, and the sum of the magnitudes of its terms.
    fn add(&self, x: &[f32], weight: f32, y: &mut [f64], size: &mut [f64]) {
        let (rank, columns) = (self.shape.rank, self.shape.in_features);
        for feature in 0..self.shape.out_features {
            for r in 0..rank {
                let a = &self.a[r * columns..][..columns];
                let products = a.iter().zip(x).map(|(a, x)| f64::from(*a) * f64::from(*x));
                let (t, t_size) = products.fold((0.0, 0.0), |(t, size), p| (t + p, size + p.abs()));
                let factor = f64::from(self.b[feature * rank + r])
                    * f64::from(self.scales[feature])
                    * f64::from(weight);
                y[feature] += factor * t;
                size[feature] += factor.abs() * t_size;
            }
        }
    }
}

/// Two adapters on the first and the last of three linears of 37, 16 and 50 rows that share an input.
fn example(random: &mut Random, columns: usize, precision: LowRankPrecision) -> Vec<Numbers> {
    vec![
        Numbers::new(random, (37, columns, 5), true, precision),
        Numbers::new(random, (37, columns, 16), false, precision),
        Numbers::new(random, (50, columns, 3), true, precision),
    ]
}

fn adapted(numbers: &[Numbers]) -> Vec<Adapted> {
    let part = |index: usize, weight: f32| Part {
        change: numbers[index].change(),
        weight,
    };
    let mixed: Vec<f32> = numbers[0]
        .gain
        .iter()
        .map(|g| 1.0 + 0.25 * (g - 1.0))
        .collect();
    vec![
        Adapted {
            first_row: 0,
            rows: 37,
            gain: Gain::Mixed(mixed.into()),
            parts: vec![part(0, 0.25), part(1, -1.5)],
        },
        Adapted {
            first_row: 53,
            rows: 50,
            gain: Gain::Of(0),
            parts: vec![part(2, 1.0)],
        },
    ]
}

const WIDTH: usize = 103;

fn run(isa: Isa, threads: usize, linears: &[Adapted], x: &[f32], y: &[f32]) -> Vec<f32> {
    let mut y = y.to_vec();
    let tokens = y.len() / WIDTH;
    adapt(
        isa,
        &Pool::new(threads),
        linears,
        tokens,
        x,
        &mut y,
        &mut Vec::new(),
    );
    y
}

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn every_instruction_set_thread_count_and_split_gives_the_same_bits() {
    let mut random = Random(7);
    for precision in [LowRankPrecision::F32, LowRankPrecision::Int8] {
        for columns in [1, 63, 64, 130, 256] {
            let numbers = example(&mut random, columns, precision);
            let linears = adapted(&numbers);
            let tokens = 39;
            let x = random.vector(tokens * columns, 3.0);
            let y = random.vector(tokens * WIDTH, 3.0);
            let expected = bits(&run(Isa::Scalar, 1, &linears, &x, &y));
            for isa in Isa::available() {
                let found = run(isa, 3, &linears, &x, &y);
                assert!(
                    bits(&found) == expected,
                    "{isa}, {columns} columns, {precision:?}"
                );
                for token in [0, 1, tokens - 1] {
                    let alone = run(
                        isa,
                        2,
                        &linears,
                        &x[token * columns..][..columns],
                        &y[token * WIDTH..][..WIDTH],
                    );
                    assert_eq!(
                        bits(&alone),
                        expected[token * WIDTH..][..WIDTH],
                        "{isa} {token}"
                    );
                }
            }
        }
    }
}

#[test]
fn f32_agrees_with_the_definition_and_int8_to_its_codes() {
    let mut random = Random(11);
    for (precision, tolerance) in [
        (LowRankPrecision::F32, 1e-6),
        (LowRankPrecision::Int8, 2e-2),
    ] {
        let columns = 200;
        let numbers = example(&mut random, columns, precision);
        let linears = adapted(&numbers);
        let x = random.vector(columns, 3.0);
        let y = random.vector(WIDTH, 3.0);
        let found = run(Isa::Scalar, 1, &linears, &x, &y);
        let mut expected: Vec<f64> = y.iter().map(|y| f64::from(*y)).collect();
        let mut size = vec![1.0; WIDTH];
        for (value, gain) in expected.iter_mut().zip(&numbers[0].gain) {
            *value *= 1.0 + 0.25 * (f64::from(*gain) - 1.0);
        }
        for (value, gain) in expected[53..].iter_mut().zip(&numbers[2].gain) {
            *value *= f64::from(*gain);
        }
        numbers[0].add(&x, 0.25, &mut expected[..37], &mut size[..37]);
        numbers[1].add(&x, -1.5, &mut expected[..37], &mut size[..37]);
        numbers[2].add(&x, 1.0, &mut expected[53..], &mut size[53..]);
        for (row, ((found, expected), size)) in found.iter().zip(&expected).zip(&size).enumerate() {
            let error = (f64::from(*found) - expected).abs();
            assert!(
                error <= tolerance * size,
                "row {row}, {precision:?}: {found}, {expected}"
            );
        }
        assert_eq!(
            bits(&found[37..53]),
            bits(&y[37..53]),
            "a linear nobody changes"
        );
    }
}

#[test]
fn what_makes_no_change_is_refused_with_its_place() {
    let mut random = Random(3);
    let mut numbers = Numbers::new(&mut random, (20, 70, 4), true, LowRankPrecision::Int8);
    let write = |numbers: &Numbers| {
        let mut memory = AlignedBytes::zeroed(numbers.shape.bytes().max(64)).unwrap();
        LowRank::write(
            &numbers.shape,
            &numbers.a,
            &numbers.b,
            &numbers.scales,
            Some(&numbers.gain),
            &mut memory,
            0,
        )
    };
    assert_eq!(write(&numbers), Ok(()));
    numbers.b[33] = f32::NAN;
    let message = write(&numbers).unwrap_err().to_string();
    assert_eq!(message, "B, value 33: NaN, expected a finite number");
    numbers.b[33] = 0.0;
    numbers.a.pop();
    let error = write(&numbers).unwrap_err();
    assert_eq!(error.to_string(), "A: 279 values, expected 280");
    numbers.shape.rank = 0;
    assert!(matches!(
        write(&numbers),
        Err(LowRankError::Dimension {
            name: "rank",
            value: 0
        })
    ));
    numbers.shape.rank = usize::MAX;
    assert!(numbers.shape.check().is_err());
}

#[test]
fn damaged_memory_is_noticed_when_it_is_taken() {
    let mut random = Random(5);
    let numbers = Numbers::new(&mut random, (16, 64, 2), true, LowRankPrecision::Int8);
    let mut memory = AlignedBytes::zeroed(numbers.shape.bytes()).unwrap();
    let (a, b) = (&numbers.a, &numbers.b);
    let gain = Some(&numbers.gain[..]);
    LowRank::write(&numbers.shape, a, b, &numbers.scales, gain, &mut memory, 0).unwrap();
    let last = memory.len() / 4 - 1;
    memory.as_f32_mut()[last] = f32::INFINITY;
    let taken = LowRank::new(Arc::new(memory), 0, numbers.shape);
    assert!(matches!(
        taken,
        Err(LowRankError::NotFinite {
            name: "gain",
            index: 15,
            ..
        })
    ));
}
