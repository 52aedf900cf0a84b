//! The float functions: against f64, and bit for bit between instruction sets, over odd lengths and corner values.

mod random;

use half::{bf16, f16};
use r3mes_kernels::{
    DenseMatrix, DenseRows, Isa, Pool, add_assign, dense_matmul, dot, dot_bf16, dot_f16,
    exp_in_place, gate_relu2, gate_silu, rms_norm, rope,
};
use random::Random;

const LENGTHS: [usize; 14] = [1, 2, 3, 15, 16, 17, 31, 33, 63, 64, 65, 127, 2560, 6913];

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

/// Computes with every ISA, asserts equal bits, and returns the values.
fn on_every_isa(name: &str, compute: impl Fn(Isa) -> Vec<f32>) -> Vec<f32> {
    let expected = compute(Isa::Scalar);
    for isa in Isa::available() {
        assert!(bits(&compute(isa)) == bits(&expected), "{name} with {isa}");
    }
    expected
}

/// Distance from the exact value in units of the last place of the nearest f32.
fn ulps(found: f32, exact: f64) -> f64 {
    let near = exact as f32;
    let ulp = f64::from(near.abs().next_up()) - f64::from(near.abs());
    (f64::from(found) - exact).abs() / ulp
}

#[test]
fn exp_is_within_two_ulp_and_flushes_what_is_tiny() {
    let x: Vec<f32> = (0..200_001)
        .map(|i| -86.6 + i as f32 * (88.7 + 86.6) / 200_000.0)
        .collect();
    let y = on_every_isa("exp", |isa| {
        let mut y = x.clone();
        exp_in_place(isa, &mut y);
        y
    });
    for (x, y) in x.iter().zip(&y) {
        let error = ulps(*y, f64::from(*x).exp());
        assert!(error <= 2.0, "exp({x}) = {y}, {error} ulp off");
    }
    let mut special = [
        0.0,
        -0.0,
        -87.0,
        -1e30,
        f32::NEG_INFINITY,
        88.8,
        1e30,
        f32::INFINITY,
    ];
    exp_in_place(Isa::Scalar, &mut special);
    let inf = f32::INFINITY;
    assert_eq!(special, [1.0, 1.0, 0.0, 0.0, 0.0, inf, inf, inf]);
    for isa in Isa::available() {
        let mut nan = [f32::NAN; 3];
        exp_in_place(isa, &mut nan);
        assert!(nan.iter().all(|x| x.is_nan()), "{isa}");
    }
}

#[test]
fn dot_products_are_those_of_f64() {
    let mut random = Random(1);
    for len in LENGTHS {
        let (a, b) = (random.vector(len, 4.0), random.vector(len, 4.0));
        let half: Vec<f16> = b.iter().map(|x| f16::from_f32(*x)).collect();
        let brain: Vec<bf16> = b.iter().map(|x| bf16::from_f32(*x)).collect();
        let found = on_every_isa("dot", |isa| {
            vec![
                dot(isa, &a, &b),
                dot_f16(isa, &a, &half),
                dot_bf16(isa, &a, &brain),
            ]
        });
        let stored: [Vec<f64>; 3] = [
            b.iter().map(|x| f64::from(*x)).collect(),
            half.iter().map(|x| x.to_f64()).collect(),
            brain.iter().map(|x| x.to_f64()).collect(),
        ];
        for (found, b) in found.iter().zip(&stored) {
            let exact: f64 = a.iter().zip(b).map(|(a, b)| f64::from(*a) * b).sum();
            let size: f64 = a
                .iter()
                .zip(b)
                .map(|(a, b)| (f64::from(*a) * b).abs())
                .sum();
            let bound = (len as f64 / 16.0 + 6.0) * 2f64.powi(-24) * size;
            assert!((f64::from(*found) - exact).abs() <= bound, "length {len}");
        }
    }
}

#[test]
fn every_half_float_widens_alike() {
    let finite: Vec<f16> = (0..=u16::MAX)
        .map(f16::from_bits)
        .filter(|x| x.is_finite())
        .collect();
    let one = [1.0];
    on_every_isa("f16", |isa| {
        finite.iter().map(|x| dot_f16(isa, &one, &[*x])).collect()
    });
    let finite: Vec<bf16> = (0..=u16::MAX)
        .map(bf16::from_bits)
        .filter(|x| x.is_finite())
        .collect();
    on_every_isa("bf16", |isa| {
        finite.iter().map(|x| dot_bf16(isa, &one, &[*x])).collect()
    });
}

#[test]
fn rms_norm_is_that_of_f64_at_every_magnitude() {
    let mut random = Random(2);
    for len in LENGTHS {
        for size in [0.0, 1e-30, 1e-3, 1.0, 3e5, 1e18, 1e25, 3e38] {
            let (x, weight) = (random.vector(2 * len, size), random.vector(len, 2.0));
            let found = on_every_isa("rms_norm", |isa| {
                let mut out = vec![f32::NAN; 2 * len];
                rms_norm(isa, &x, &weight, 1e-5, &mut out);
                out
            });
            for (row, found) in x.chunks(len).zip(found.chunks(len)) {
                let mean = row.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / len as f64;
                let inv = 1.0 / (mean + 1e-5).sqrt();
                for ((x, weight), found) in row.iter().zip(&weight).zip(found) {
                    let exact = f64::from(*x) * inv * f64::from(*weight);
                    // Sums of squares lose no digits: a few roundings of the result remain.
                    let bound = exact.abs() * 1e-6 + 1e-40;
                    assert!(
                        (f64::from(*found) - exact).abs() <= bound,
                        "length {len}, size {size}"
                    );
                }
            }
        }
    }
}

#[test]
fn rope_rotates_half_against_half() {
    let mut random = Random(3);
    for half in [1, 4, 8, 16, 17, 32, 40, 64, 128] {
        let x = random.vector(3 * 2 * half, 5.0);
        let angles = random.vector(half, 3.0);
        let cos: Vec<f32> = angles.iter().map(|a| a.cos()).collect();
        let sin: Vec<f32> = angles.iter().map(|a| a.sin()).collect();
        let found = on_every_isa("rope", |isa| {
            let mut x = x.clone();
            rope(isa, &mut x, &cos, &sin);
            x
        });
        for (head, found) in x.chunks(2 * half).zip(found.chunks(2 * half)) {
            for i in 0..half {
                let (a, b) = (f64::from(head[i]), f64::from(head[i + half]));
                let (cos, sin) = (f64::from(cos[i]), f64::from(sin[i]));
                assert!((f64::from(found[i]) - (a * cos - b * sin)).abs() < 2e-6);
                assert!((f64::from(found[i + half]) - (b * cos + a * sin)).abs() < 2e-6);
            }
        }
    }
}

#[test]
fn gates_keep_what_half_floats_cannot() {
    let mut random = Random(4);
    for len in LENGTHS {
        let (gate, up) = (random.vector(len, 500.0), random.vector(len, 500.0));
        let relu2 = on_every_isa("relu2", |isa| {
            let mut out = vec![f32::NAN; len];
            gate_relu2(isa, &gate, &up, &mut out);
            out
        });
        let silu = on_every_isa("silu", |isa| {
            let mut out = vec![f32::NAN; len];
            gate_silu(isa, &gate, &up, &mut out);
            out
        });
        for i in 0..len {
            let (g, u) = (f64::from(gate[i]), f64::from(up[i]));
            let exact = g.max(0.0).powi(2) * u;
            assert!((f64::from(relu2[i]) - exact).abs() <= exact.abs() * 2e-7);
            let exact = g / (1.0 + (-g).exp()) * u;
            assert!((f64::from(silu[i]) - exact).abs() <= exact.abs() * 5e-7 + 1e-33);
        }
        on_every_isa("add_assign", |isa| {
            let mut x = gate.clone();
            add_assign(isa, &mut x, &up);
            x
        });
    }
    let mut out = [0.0];
    gate_relu2(Isa::Scalar, &[400.0], &[10.0], &mut out);
    assert_eq!(out, [1_600_000.0]);
}

#[test]
fn a_dense_product_is_one_dot_per_token_and_row() {
    let mut random = Random(5);
    let pools = [Pool::new(1), Pool::new(2)];
    for (rows, cols, tokens) in [
        (1, 1, 1),
        (3, 17, 2),
        (37, 64, 5),
        (130, 100, 3),
        (66, 100, 9),
        (64, 33, 1),
    ] {
        let x = random.vector(tokens * cols, 2.0);
        let values = random.vector(rows * cols, 2.0);
        let half: Vec<f16> = values.iter().map(|x| f16::from_f32(*x)).collect();
        let brain: Vec<bf16> = values.iter().map(|x| bf16::from_f32(*x)).collect();
        for kind in [
            DenseRows::F32(values),
            DenseRows::F16(half),
            DenseRows::Bf16(brain),
        ] {
            let matrix = DenseMatrix::new(rows, cols, kind).unwrap();
            let mut row = vec![0.0; cols];
            let mut expected = Vec::new();
            for x in x.chunks(cols) {
                for index in 0..rows {
                    matrix.row(index, &mut row);
                    expected.push(dot(Isa::Scalar, x, &row));
                }
            }
            for pool in &pools {
                let found = on_every_isa("dense_matmul", |isa| {
                    let mut out = vec![f32::NAN; tokens * rows];
                    dense_matmul(isa, pool, &matrix, &x, &mut out);
                    out
                });
                assert_eq!(bits(&found), bits(&expected), "{rows} rows of {cols}");
            }
        }
    }
}

#[test]
fn a_dense_matrix_of_another_size_is_refused() {
    let error = DenseMatrix::new(2, 3, DenseRows::F32(vec![0.0; 5]))
        .err()
        .unwrap();
    assert_eq!(
        error.to_string(),
        "dense matrix: 5 values, expected 2 rows of 3"
    );
}
