//! How long a route takes: `cargo bench -p r3mes-engine --bench router`, or with `ROUTER_QUESTIONS=FILE` (one question a line) over
//! other questions than the committed ones.
//!
//! Beside criterion's means, p50, p99 and the most over all questions are printed, in microseconds: of the keyword stage, and of the
//! whole route with the semantic stage always run.

use criterion::{Criterion, criterion_group, criterion_main};
use r3mes_engine::router::{Router, Tuning, builtin_embedder};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

const COMMITTED: &str = include_str!("../../../resources/router/examples/medical.txt");
const ROUNDS: usize = 5;

fn questions() -> Vec<String> {
    let text = match std::env::var_os("ROUTER_QUESTIONS") {
        Some(path) => std::fs::read_to_string(path).expect("the file of questions is read"),
        None => COMMITTED.to_owned(),
    };
    text.lines().map(str::to_owned).collect()
}

fn percentiles(name: &str, mut microseconds: Vec<f64>) {
    microseconds.sort_by(f64::total_cmp);
    let at = |share: f64| microseconds[((microseconds.len() - 1) as f64 * share) as usize];
    println!(
        "{name}: p50 {:.1} µs, p99 {:.1} µs, most {:.1} µs over {} routes",
        at(0.5),
        at(0.99),
        at(1.0),
        microseconds.len()
    );
}

fn router(c: &mut Criterion) {
    let questions = questions();
    let embedder = Arc::new(builtin_embedder().expect("it ships"));
    let default = Router::builtin(embedder).expect("the shipped data is valid");
    let both = default.clone().with_tuning(Tuning {
        fast_path: 1.1,
        ..Tuning::default()
    });
    let (mut keyword, mut whole, mut usual) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for question in &questions {
            let start = Instant::now();
            let route = black_box(both.route(question));
            whole.push(start.elapsed().as_secs_f64() * 1e6);
            keyword.push(route.keyword_ms * 1e3);
            let start = Instant::now();
            black_box(default.route(question));
            usual.push(start.elapsed().as_secs_f64() * 1e6);
        }
    }
    percentiles("keyword stage", keyword);
    percentiles("whole route, both stages", whole);
    percentiles("whole route, fast path allowed", usual);
    let mut at = 0;
    c.bench_function("route a question, both stages", |b| {
        b.iter(|| {
            at = (at + 1) % questions.len();
            black_box(both.route(&questions[at]))
        })
    });
}

criterion_group!(benches, router);
criterion_main!(benches);
