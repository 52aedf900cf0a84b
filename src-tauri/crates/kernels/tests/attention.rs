//! Attention: against a plain f64 evaluation, and against itself for every ISA, thread count and way to cut the work.

mod random;

use r3mes_kernels::{Isa, KvCache, KvFormat, Pool, Queries, attend};
use random::Random;

const FORMATS: [KvFormat; 3] = [KvFormat::F32, KvFormat::F16, KvFormat::Int8];

#[derive(Clone, Copy, Debug)]
struct Shape {
    kv_heads: usize,
    group: usize,
    head_dim: usize,
    positions: usize,
}

impl Shape {
    fn heads(self) -> usize {
        self.kv_heads * self.group
    }

    fn kv_width(self) -> usize {
        self.kv_heads * self.head_dim
    }

    fn q_width(self) -> usize {
        self.heads() * self.head_dim
    }
}

struct Case {
    shape: Shape,
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
}

impl Case {
    fn new(shape: Shape, seed: u64) -> Self {
        let mut random = Random(seed);
        Self {
            shape,
            q: random.vector(shape.positions * shape.q_width(), 3.0),
            k: random.vector(shape.positions * shape.kv_width(), 3.0),
            v: random.vector(shape.positions * shape.kv_width(), 2.0),
        }
    }

    /// Runs all positions in chunks of `chunk`, each appended and then attended, on one layer of two.
    fn run(&self, isa: Isa, pool: &Pool, format: KvFormat, chunk: usize) -> Vec<f32> {
        let shape = self.shape;
        let mut cache =
            KvCache::new(2, shape.kv_heads, shape.head_dim, shape.positions, format).unwrap();
        let mut out = vec![0.0; self.q.len()];
        for first in (0..shape.positions).step_by(chunk) {
            let end = (first + chunk).min(shape.positions);
            let kv = first * shape.kv_width()..end * shape.kv_width();
            cache
                .append(isa, 1, first, &self.k[kv.clone()], &self.v[kv])
                .unwrap();
            let range = first * shape.q_width()..end * shape.q_width();
            let queries = self.queries(first, &self.q[range.clone()]);
            attend(isa, pool, &cache, &queries, &mut out[range]);
        }
        out
    }

    fn queries<'a>(&self, first_position: usize, q: &'a [f32]) -> Queries<'a> {
        Queries {
            layer: 1,
            first_position,
            heads: self.shape.heads(),
            q,
            scale: 1.0 / (self.shape.head_dim as f32).sqrt(),
        }
    }

    /// The definition in f64, without pages.
    fn exact(&self) -> Vec<f64> {
        let Shape {
            group, head_dim, ..
        } = self.shape;
        let scale = 1.0 / (head_dim as f64).sqrt();
        let mut out = Vec::with_capacity(self.q.len());
        for (index, q) in self.q.chunks_exact(head_dim).enumerate() {
            let (token, head) = (index / self.shape.heads(), index % self.shape.heads());
            let row = |x: &[f32], position: usize| -> Vec<f64> {
                let start = position * self.shape.kv_width() + head / group * head_dim;
                x[start..start + head_dim]
                    .iter()
                    .map(|x| f64::from(*x))
                    .collect()
            };
            let scores: Vec<f64> = (0..=token)
                .map(|position| {
                    let k = row(&self.k, position);
                    k.iter().zip(q).map(|(k, q)| k * f64::from(*q)).sum::<f64>() * scale
                })
                .collect();
            let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let weights: Vec<f64> = scores.iter().map(|s| (s - max).exp()).collect();
            let sum: f64 = weights.iter().sum();
            let mut values = vec![0.0; head_dim];
            for (position, weight) in weights.iter().enumerate() {
                for (value, v) in values.iter_mut().zip(row(&self.v, position)) {
                    *value += weight / sum * v;
                }
            }
            out.extend(values);
        }
        out
    }
}

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

const SHAPES: [Shape; 8] = [
    Shape {
        kv_heads: 1,
        group: 1,
        head_dim: 16,
        positions: 1,
    },
    Shape {
        kv_heads: 2,
        group: 1,
        head_dim: 32,
        positions: 33,
    },
    Shape {
        kv_heads: 1,
        group: 2,
        head_dim: 64,
        positions: 257,
    },
    Shape {
        kv_heads: 2,
        group: 4,
        head_dim: 80,
        positions: 37,
    },
    Shape {
        kv_heads: 1,
        group: 5,
        head_dim: 128,
        positions: 300,
    },
    Shape {
        kv_heads: 1,
        group: 4,
        head_dim: 256,
        positions: 17,
    },
    Shape {
        kv_heads: 3,
        group: 7,
        head_dim: 20,
        positions: 19,
    },
    Shape {
        kv_heads: 1,
        group: 1,
        head_dim: 16,
        positions: 600,
    },
];

#[test]
fn attention_is_that_of_the_definition() {
    let pool = Pool::new(2);
    for (seed, shape) in SHAPES.into_iter().enumerate() {
        let case = Case::new(shape, seed as u64);
        let exact = case.exact();
        // The values are within ±2. f32 rounds sums of some hundred terms; int8 also rounds keys and values to 1/254 of
        // their largest element, which moves scores of a few units by some hundredths.
        for (format, tolerance) in [
            (KvFormat::F32, 1e-5),
            (KvFormat::F16, 4e-3),
            (KvFormat::Int8, 1e-1),
        ] {
            let out = case.run(Isa::Scalar, &pool, format, shape.positions);
            for (index, (x, y)) in out.iter().zip(&exact).enumerate() {
                let error = (f64::from(*x) - y).abs();
                assert!(
                    error < tolerance,
                    "{shape:?} {format} at {index}: {x}, expected {y}"
                );
            }
        }
    }
}

#[test]
fn bits_do_not_depend_on_isa_threads_or_chunks() {
    let pools = [Pool::new(1), Pool::new(2)];
    for (seed, shape) in SHAPES.into_iter().enumerate() {
        let case = Case::new(shape, 100 + seed as u64);
        for format in FORMATS {
            let expected = bits(&case.run(Isa::Scalar, &pools[0], format, shape.positions));
            for isa in Isa::available() {
                for pool in &pools {
                    for chunk in [1, 7, 512] {
                        // The scalar lanes are slow, and the way of cutting does not depend on the lanes.
                        if isa == Isa::Scalar && chunk != 7 {
                            continue;
                        }
                        let out = case.run(isa, pool, format, chunk);
                        assert!(
                            bits(&out) == expected,
                            "{shape:?} {format} {isa}, {} threads, chunks of {chunk}",
                            pool.threads()
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn a_full_cache_holds_the_bytes_that_were_announced() {
    for format in FORMATS {
        let mut cache = KvCache::new(3, 2, 40, 300, format).expect("a small cache");
        for layer in 0..3 {
            let rows = vec![0.5; 300 * 80];
            cache
                .append(Isa::Scalar, layer, 0, &rows, &rows)
                .expect("room for 300 positions");
        }
        let announced = KvCache::bytes_when_full(3, 2, 40, 300, format);
        assert_eq!(cache.bytes(), announced, "{format:?}");
    }
}
