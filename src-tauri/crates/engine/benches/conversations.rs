//! What must not be felt: a conversation of 2,000 messages opens, a store of 20,000 is searched.
//!
//! `cargo bench -p r3mes-engine --bench conversations`; times are per call.

use criterion::{Criterion, criterion_group, criterion_main};
use r3mes_engine::api::FinishReason;
use r3mes_engine::api::conversation::MessageState;
use r3mes_engine::{AnswerEnd, Conversations, Home};
use std::hint::black_box;

const WORDS: [&str; 12] = [
    "elma",
    "armut",
    "kitap",
    "deniz",
    "güneş",
    "yağmur",
    "şehir",
    "İstanbul",
    "ışık",
    "bilgi",
    "orman",
    "köprü",
];

/// Sixty words, others for each `at`.
fn text(at: usize) -> String {
    let words: Vec<&str> = (0..60)
        .map(|word| WORDS[(at * 7 + word * word + at * word) % WORDS.len()])
        .collect();
    format!("{} sıra{at}", words.join(" "))
}

/// A conversation of `exchanges` questions, each below the answer before it.
fn fill(store: &Conversations, exchanges: usize) -> String {
    let id = store.create().expect("created").id;
    let mut parent: Option<String> = None;
    for at in 0..exchanges {
        let asked = store
            .ask(&id, parent.as_deref(), &text(2 * at), "bench")
            .expect("stored");
        let end = AnswerEnd {
            content: text(2 * at + 1),
            state: MessageState::Complete,
            finish_reason: Some(FinishReason::Stop),
            seed: Some(1),
            metrics: None,
            error: None,
            routing: None,
        };
        let finished = store
            .finish_answer(&asked.answer.id, &end)
            .expect("finished");
        parent = Some(finished.answer.id);
    }
    id
}

fn conversations(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = Home {
        path: folder.path().to_owned(),
        reason: "a bench",
    };
    let store = Conversations::open(&home).expect("a store");
    let ids: Vec<String> = (0..10).map(|_| fill(&store, 1_000)).collect();
    let leaf = store.load(&ids[0]).expect("loaded").leaf.expect("a leaf");

    criterion.bench_function("open 2,000 messages", |bench| {
        bench.iter(|| black_box(store.load(&ids[0]).expect("loaded")));
    });
    criterion.bench_function("branch of 2,000 messages", |bench| {
        bench.iter(|| black_box(store.branch(&ids[0], &leaf).expect("a branch")));
    });
    let mut search = criterion.benchmark_group("search 20,000 messages");
    for query in ["istanbul", "sıra1234", "s", "elma armut ki", "nothing"] {
        search.bench_function(query, |bench| {
            bench.iter(|| black_box(store.search(query).expect("searched")));
        });
    }
}

criterion_group!(benches, conversations);
criterion_main!(benches);
