//! How fast texts become vectors: `cargo bench -p r3mes-model --bench embedding`.
//!
//! The built-in embedder's folder is measured when it is there; `R3MES_MINILM` names a BERT folder to measure as well.

use std::path::{Path, PathBuf};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use r3mes_model::embedding::Embedder;

const BUILTIN: &str = "../../resources/embedders/builtin";
const QUESTION: &str = "What are the early symptoms of type 2 diabetes?";
const PASSAGE_WORDS: usize = 150;

fn folders() -> Vec<(&'static str, PathBuf)> {
    let builtin = Path::new(env!("CARGO_MANIFEST_DIR")).join(BUILTIN);
    let minilm = std::env::var_os("R3MES_MINILM").map(PathBuf::from);
    [("static", Some(builtin)), ("minilm", minilm)]
        .into_iter()
        .filter_map(|(name, folder)| Some((name, folder?)))
        .filter(|(_, folder)| folder.join("config.json").exists())
        .collect()
}

fn passage() -> String {
    QUESTION
        .split(' ')
        .cycle()
        .take(PASSAGE_WORDS)
        .collect::<Vec<_>>()
        .join(" ")
}

fn embedding(criterion: &mut Criterion) {
    for (name, folder) in folders() {
        let embedder = Embedder::open(&folder).expect("the embedder opens");
        let passage = passage();
        let questions = [QUESTION; 64];
        let passages = [passage.as_str(); 16];
        let mut group = criterion.benchmark_group(name);
        group.sample_size(20);
        group.bench_function("one question", |bencher| {
            bencher.iter(|| embedder.embed(&[QUESTION]).expect("a vector"));
        });
        for (what, texts) in [
            ("64 questions", &questions[..]),
            ("16 passages", &passages[..]),
        ] {
            let tokens = embedder.embed_counted(texts).expect("vectors").tokens;
            group.throughput(Throughput::Elements(tokens as u64));
            group.bench_function(format!("{what}, tokens"), |bencher| {
                bencher.iter(|| embedder.embed(texts).expect("vectors"));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, embedding);
criterion_main!(benches);
