//! Throughput of the ternary products on the shapes of the 2B model, beside the bandwidth of this machine.
//!
//! `R3MES_BENCH_THREADS` sets the threads (2). One token is measured in packed bytes read per second over a ring of matrices
//! larger than the last cache level, many tokens in multiply-adds per second ("elements").

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use r3mes_kernels::ternary::packed_len;
use r3mes_kernels::{
    Activations, AlignedBytes, Isa, Pool, TernaryMatrix, matmul, measure_bandwidth, quantize,
};

/// `[rows, cols]` of o, q+k+v, gate+up and down.
const SHAPES: [(usize, usize); 4] = [(2560, 2560), (3840, 2560), (13824, 2560), (2560, 6912)];
/// Bytes that a ring of matrices has at least: more than a large last cache level.
const RING_BYTES: usize = 96 << 20;
/// Tokens of a prefill chunk.
const TOKENS: usize = 512;

fn pool() -> Pool {
    let threads = std::env::var("R3MES_BENCH_THREADS")
        .ok()
        .and_then(|text| text.parse().ok());
    Pool::new(threads.unwrap_or(2))
}

/// A matrix of valid, mixed digits.
fn matrix(rows: usize, cols: usize, seed: u64) -> TernaryMatrix {
    let mut packed =
        AlignedBytes::zeroed(packed_len(rows, cols).expect("a bench shape")).expect("memory");
    let mut state = seed;
    for byte in packed.iter_mut() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        // Bit 1 of each half stays clear, so no digit is above 13.
        *byte = (state >> 56) as u8 & 0xdd;
    }
    TernaryMatrix::from_packed(rows, cols, packed).expect("valid digits")
}

fn activations(tokens: usize, cols: usize) -> Activations {
    let x: Vec<f32> = (0..tokens * cols)
        .map(|i| (i * 31 % 255) as f32 - 127.0)
        .collect();
    let mut out = Activations::new();
    quantize(&x, cols, &mut out);
    out
}

fn bench(criterion: &mut Criterion) {
    let pool = pool();
    let isa = Isa::select().expect("an instruction set");
    let rate = measure_bandwidth(&pool, RING_BYTES, 5).expect("memory");
    eprintln!(
        "{isa}, {} threads; memory is read at {:.2} GB/s",
        pool.threads(),
        rate / 1e9
    );

    let mut group = criterion.benchmark_group("gemv");
    for (rows, cols) in SHAPES {
        let count = RING_BYTES.div_ceil(packed_len(rows, cols).expect("a bench shape"));
        let ring: Vec<TernaryMatrix> = (0..count)
            .map(|seed| matrix(rows, cols, seed as u64))
            .collect();
        let bytes: usize = ring.iter().map(|matrix| matrix.packed_bytes().len()).sum();
        let (scales, input) = (vec![1.0; rows], activations(1, cols));
        let mut out = vec![0.0; rows];
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(
            BenchmarkId::from_parameter(format!("{rows}x{cols}")),
            |bencher| {
                bencher.iter(|| {
                    for matrix in &ring {
                        matmul(isa, &pool, matrix, &scales, &input, &mut out);
                    }
                    black_box(&out);
                });
            },
        );
    }
    group.finish();

    let mut group = criterion.benchmark_group("gemm");
    for (rows, cols) in SHAPES {
        let (matrix, scales, input) = (
            matrix(rows, cols, 1),
            vec![1.0; rows],
            activations(TOKENS, cols),
        );
        let mut out = vec![0.0; rows * TOKENS];
        group.throughput(Throughput::Elements((rows * cols * TOKENS) as u64));
        group.bench_function(
            BenchmarkId::from_parameter(format!("{rows}x{cols}x{TOKENS}")),
            |bencher| {
                bencher.iter(|| {
                    matmul(isa, &pool, &matrix, &scales, &input, &mut out);
                    black_box(&out);
                });
            },
        );
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = bench
}
criterion_main!(benches);
