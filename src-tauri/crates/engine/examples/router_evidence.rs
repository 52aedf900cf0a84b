//! What the router is worth: `cargo run --release -p r3mes-engine --example router_evidence -- DATA_FOLDER [--sources all|none|A,B]`.
//!
//! First the shipped router on the dev questions: accuracy, F1 of each class and their mean, calibration, confusion, what other
//! weights and thresholds would give. Then leave one source out: lexicon and head are fitted again without the source and the
//! texts it shares, and judged on all its questions (train and dev) by the labels they carry; the embedder stays. The mean is
//! over sources, each counting once, whatever its size.

mod router_data;

use r3mes_engine::api::Route;
use r3mes_engine::router::fit::{
    Features, HeadOptions, KeywordOptions, Kind, head, keywords, router,
};
use r3mes_engine::router::{
    CLASS_IDS, CLASS_NAMES, CLASSES, Calibration, Router, Tuning, builtin_embedder,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(data) = arguments.first().map(PathBuf::from) else {
        eprintln!("usage: router_evidence DATA_FOLDER [--sources all|none|A,B]");
        std::process::exit(2);
    };
    let chosen = arguments
        .iter()
        .position(|argument| argument == "--sources")
        .and_then(|at| arguments.get(at + 1))
        .map_or("all", String::as_str);
    let resources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../resources/router");
    let read = router_data::read(&data, &resources.join("recipe/terms"));
    let embedder = Arc::new(builtin_embedder().expect("the built-in embedder opens"));
    let shipped = Router::builtin(embedder.clone()).expect("the shipped router opens");
    let dev: Vec<usize> = (0..read.rows.len()).filter(|at| read.dev[*at]).collect();
    on_dev(&shipped, &read, &dev);
    if chosen == "none" {
        return;
    }
    let mut sources: Vec<&str> = read
        .rows
        .iter()
        .filter(|row| row.kind == Kind::Question)
        .map(|row| row.source.as_str())
        .collect();
    sources.sort_unstable();
    sources.dedup();
    sources.retain(|source| chosen == "all" || chosen.split(',').any(|name| name == *source));
    let features = Features::read(&read.rows);
    let texts: Vec<&str> = read
        .rows
        .iter()
        .map(|row| row.text.trim_matches('*'))
        .collect();
    let embeddings =
        r3mes_engine::router::Embeds::embed(embedder.as_ref(), &texts).expect("texts are embedded");
    println!("\nleave one source out (accuracy on its questions)");
    // Examples are shown to people; with a head they do not score.
    let no_examples = vec![Vec::new(); CLASSES];
    let mut sum = 0.0;
    let mut judged = 0;
    for source in &sources {
        let test: Vec<usize> = (0..read.rows.len())
            .filter(|at| read.rows[*at].source == *source && (read.dev[*at] || read.routed[*at]))
            .collect();
        if test.is_empty() {
            continue;
        }
        let left_out = router_data::same_texts(source);
        let used: Vec<bool> = (0..read.rows.len())
            .map(|at| !read.dev[at] && !left_out.contains(&read.rows[at].source))
            .collect();
        let options = KeywordOptions {
            passes: 3,
            ..KeywordOptions::default()
        };
        let lexicon = keywords(&read.rows, &features, &used, options);
        let options = HeadOptions {
            units: 64,
            passes: 3,
            questions: 2500,
            passages: 500,
        };
        let fitted = head(&read.rows, &embeddings, &used, options);
        let without = router(
            &lexicon,
            fitted,
            Calibration::shipped(),
            &no_examples,
            embedder.clone(),
        )
        .expect("a router");
        let right = test
            .iter()
            .filter(|at| best(&without.route(&read.rows[**at].text)) == read.rows[**at].class)
            .count();
        let accuracy = right as f64 / test.len() as f64;
        let words = test
            .iter()
            .filter(|at| {
                best_by(&without.route(&read.rows[**at].text), |score| score.keyword)
                    == read.rows[**at].class
            })
            .count() as f64
            / test.len() as f64;
        println!(
            "{source}\t{}\t{accuracy:.3}\twords alone {words:.3}",
            test.len()
        );
        sum += accuracy;
        judged += 1;
    }
    println!("mean over {judged} sources\t{:.4}", sum / judged as f64);
}

fn best(route: &Route) -> usize {
    let id = &route.scores[0].expert_id;
    CLASS_IDS
        .iter()
        .position(|known| known == id)
        .expect("only known experts")
}

fn best_by(route: &Route, score: impl Fn(&r3mes_engine::api::ExpertScore) -> f32) -> usize {
    let best = route
        .scores
        .iter()
        .max_by(|a, b| score(a).total_cmp(&score(b)))
        .expect("seven scores");
    CLASS_IDS
        .iter()
        .position(|known| *known == best.expert_id)
        .expect("only known experts")
}

fn on_dev(shipped: &Router, read: &router_data::Read, dev: &[usize]) {
    let routes: Vec<Route> = dev
        .iter()
        .map(|at| shipped.route(&read.rows[*at].text))
        .collect();
    let truth: Vec<usize> = dev.iter().map(|at| read.rows[*at].class).collect();
    let found: Vec<usize> = routes.iter().map(best).collect();
    println!(
        "dev: {} questions, accuracy {:.4}, macro-F1 {:.4}",
        dev.len(),
        accuracy(&truth, &found),
        macro_f1(&truth, &found)
    );
    for (class, name) in CLASS_NAMES.iter().enumerate() {
        println!("  {name}\tF1 {:.3}", f1(&truth, &found, class));
    }
    let fast: Vec<usize> = (0..routes.len())
        .filter(|at| routes[*at].used_fast_path)
        .collect();
    let right = fast.iter().filter(|at| found[**at] == truth[**at]).count();
    println!(
        "fast path: {:.3} of the questions, {:.3} right",
        fast.len() as f64 / dev.len() as f64,
        right as f64 / fast.len().max(1) as f64
    );
    println!(
        "expected calibration error (10 bins of the best fused score): {:.3}",
        calibration_error(&routes, &truth, &found)
    );
    println!(
        "confusion (rows: label; columns: {})",
        CLASS_NAMES.join(", ")
    );
    for (class, name) in CLASS_NAMES.iter().enumerate() {
        let row: Vec<String> = (0..CLASSES)
            .map(|other| {
                (0..truth.len())
                    .filter(|at| truth[*at] == class && found[*at] == other)
                    .count()
                    .to_string()
            })
            .collect();
        println!("  {name}\t{}", row.join("\t"));
    }
    println!("other settings on dev (keyword weight, fast path, macro-F1)");
    for keyword_weight in [0.0, 0.3, 0.5, 0.7, 1.0] {
        for fast_path in [0.75, 0.85, 0.95, 1.1] {
            let tuning = Tuning {
                keyword_weight,
                semantic_weight: 1.0 - keyword_weight,
                fast_path,
                ..Tuning::default()
            };
            let other = shipped.clone().with_tuning(tuning);
            let found: Vec<usize> = dev
                .iter()
                .map(|at| best(&other.route(&read.rows[*at].text)))
                .collect();
            println!(
                "  {keyword_weight}\t{fast_path}\t{:.4}",
                macro_f1(&truth, &found)
            );
        }
    }
}

fn accuracy(truth: &[usize], found: &[usize]) -> f64 {
    truth.iter().zip(found).filter(|(a, b)| a == b).count() as f64 / truth.len() as f64
}

fn f1(truth: &[usize], found: &[usize], class: usize) -> f64 {
    let both = truth
        .iter()
        .zip(found)
        .filter(|(a, b)| **a == class && **b == class)
        .count();
    let either = truth
        .iter()
        .chain(found)
        .filter(|one| **one == class)
        .count();
    2.0 * both as f64 / either.max(1) as f64
}

fn macro_f1(truth: &[usize], found: &[usize]) -> f64 {
    (0..CLASSES)
        .map(|class| f1(truth, found, class))
        .sum::<f64>()
        / CLASSES as f64
}

fn calibration_error(routes: &[Route], truth: &[usize], found: &[usize]) -> f64 {
    let mut bins = [(0_usize, 0_usize, 0.0_f64); 10];
    for (at, route) in routes.iter().enumerate() {
        let score = f64::from(route.scores[0].fused);
        let bin = &mut bins[((score * 10.0) as usize).min(9)];
        bin.0 += 1;
        bin.1 += usize::from(truth[at] == found[at]);
        bin.2 += score;
    }
    let error: f64 = bins
        .iter()
        .map(|(_, right, score)| (*right as f64 - score).abs())
        .sum();
    error / routes.len() as f64
}
