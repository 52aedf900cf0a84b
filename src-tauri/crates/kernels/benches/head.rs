//! The screened head at 128256 × 2560 with normal rows: bytes of codes per second, rows computed exactly.

use std::convert::Infallible;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use r3mes_kernels::{Isa, Pool, ScreenedHead};

const ROWS: usize = 128_256;
const COLS: usize = 2560;

/// Rows of normal numbers, made again whenever they are asked for.
struct Rows(Vec<f32>);

impl Rows {
    fn new() -> Self {
        let count = 1 << 20;
        // Quantiles of the normal law by bisection of its logistic approximation would be off in the tails; Box–Muller is not.
        let uniform =
            |i: u64| (mix(i) >> 40) as f64 / (1u64 << 24) as f64 + 1.0 / (1u64 << 25) as f64;
        let normal = |i: u64| {
            let radius = (-2.0 * uniform(2 * i).ln()).sqrt();
            (radius * (std::f64::consts::TAU * uniform(2 * i + 1)).cos()) as f32
        };
        Self((0..count).map(normal).collect())
    }

    fn fetch(&self, id: u64, out: &mut [f32]) {
        let mut state = mix(id.wrapping_mul(0x1234_5678_9ABC_DEF1));
        for x in out {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            *x = self.0[(state >> 44) as usize];
        }
    }
}

fn mix(x: u64) -> u64 {
    let z = x.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn top_k(criterion: &mut Criterion) {
    let isa = Isa::select().unwrap();
    let rows = Rows::new();
    let mut packer = ScreenedHead::packer(ROWS, COLS).unwrap();
    let mut row = vec![0.0; COLS];
    for mut panel in packer.panels_mut() {
        for id in panel.rows() {
            rows.fetch(id as u64, &mut row);
            panel.set_row(id, &row);
        }
    }
    let head = packer.finish();
    let fetch = |id: u32, out: &mut [f32]| {
        rows.fetch(u64::from(id), out);
        Ok::<(), Infallible>(())
    };
    let mut hidden = vec![0.0; COLS];
    for k in [1, 40] {
        let pool = Pool::new(2);
        let counts: Vec<usize> = (0..8)
            .map(|seed| {
                rows.fetch(1_000_000 + seed, &mut hidden);
                let Ok(top) = head.top_k(isa, &pool, &hidden, k, &[], &fetch);
                top.rescored
            })
            .collect();
        eprintln!("head: k = {k}: rows computed exactly: {counts:?} of {ROWS}");
    }
    let mut group = criterion.benchmark_group("head/top 1 of 128256");
    group.sample_size(20);
    group.throughput(Throughput::Bytes(head.bytes()));
    for threads in [1, 2] {
        let pool = Pool::new(threads);
        group.bench_function(format!("{threads} threads"), |bencher| {
            bencher.iter(|| head.top_k(isa, &pool, &hidden, 1, &[], &fetch));
        });
    }
    group.finish();
}

criterion_group!(benches, top_k);
criterion_main!(benches);
