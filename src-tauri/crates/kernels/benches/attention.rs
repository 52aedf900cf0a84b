//! Attention at the 2B-4T shape: a decoding step over 2048 positions in bytes of cache, a prompt in tokens.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use r3mes_kernels::{Isa, KvCache, KvFormat, Pool, Queries, attend};

const LAYERS: usize = 30;
const HEADS: usize = 20;
const KV_HEADS: usize = 5;
const HEAD_DIM: usize = 128;

fn filled(isa: Isa, layers: usize, positions: usize, format: KvFormat) -> KvCache {
    let mut cache = KvCache::new(layers, KV_HEADS, HEAD_DIM, positions, format).unwrap();
    let kv: Vec<f32> = (0..KV_HEADS * HEAD_DIM * positions)
        .map(|i| ((i * 7919) % 2003) as f32 / 1000.0 - 1.0)
        .collect();
    for layer in 0..layers {
        cache.append(isa, layer, 0, &kv, &kv).unwrap();
    }
    cache
}

fn query(layer: usize, first_position: usize, q: &[f32]) -> Queries<'_> {
    Queries {
        layer,
        first_position,
        heads: HEADS,
        q,
        scale: 1.0 / (HEAD_DIM as f32).sqrt(),
    }
}

fn decode(criterion: &mut Criterion) {
    let isa = Isa::select().unwrap();
    let mut group = criterion.benchmark_group("attention/decode at 2048");
    group.sample_size(20);
    for format in [KvFormat::Int8, KvFormat::F16] {
        let cache = filled(isa, LAYERS, 2048, format);
        let q: Vec<f32> = (0..HEADS * HEAD_DIM)
            .map(|i| (i % 17) as f32 / 9.0)
            .collect();
        let mut out = vec![0.0; q.len()];
        group.throughput(Throughput::Bytes(cache.bytes()));
        for threads in [1, 2] {
            let pool = Pool::new(threads);
            group.bench_function(format!("{format}, {threads} threads"), |bencher| {
                bencher.iter(|| {
                    for layer in 0..LAYERS {
                        attend(isa, &pool, &cache, &query(layer, 2047, &q), &mut out);
                    }
                });
            });
        }
    }
    group.finish();
}

fn prefill(criterion: &mut Criterion) {
    let isa = Isa::select().unwrap();
    let mut group = criterion.benchmark_group("attention/prefill, one layer");
    group.sample_size(10);
    for tokens in [512, 2048] {
        let q: Vec<f32> = (0..tokens * HEADS * HEAD_DIM)
            .map(|i| (i % 17) as f32 / 9.0)
            .collect();
        let mut out = vec![0.0; q.len()];
        let pool = Pool::new(2);
        group.throughput(Throughput::Elements(tokens as u64));
        for format in [KvFormat::Int8, KvFormat::F32] {
            let cache = filled(isa, 1, tokens, format);
            group.bench_function(format!("{tokens} tokens, {format}, 2 threads"), |bencher| {
                bencher.iter(|| attend(isa, &pool, &cache, &query(0, 0, &q), &mut out));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, decode, prefill);
criterion_main!(benches);
