//! Fits the router's shipped data: `cargo run --release -p r3mes-engine --example router_fit -- DATA_FOLDER`.
//!
//! Writes `src-tauri/resources/router/{lexicon,examples,head.f32,fit.json}` from `recipe/terms` and the train rows of the data.
//! No dev row is read but to leave out train rows with the same text.

mod router_data;

use r3mes_engine::router::fit::{
    Features, HeadOptions, KeywordOptions, examples, head, keywords, write,
};
use r3mes_engine::router::{Calibration, builtin_embedder};
use std::path::{Path, PathBuf};

fn main() {
    let Some(data) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: router_fit DATA_FOLDER");
        std::process::exit(2);
    };
    let resources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../resources/router");
    let read = router_data::read(&data, &resources.join("recipe/terms"));
    let embedder = builtin_embedder().expect("the built-in embedder opens");
    let used: Vec<bool> = read.dev.iter().map(|dev| !dev).collect();
    let features = Features::read(&read.rows);
    eprintln!("{} rows", read.rows.len());
    let lexicon = keywords(&read.rows, &features, &used, KeywordOptions::default());
    drop(features);
    eprintln!("{} entries", lexicon.len());
    let texts: Vec<&str> = read
        .rows
        .iter()
        .map(|row| row.text.trim_matches('*'))
        .collect();
    let embeddings = embedder.embed(&texts).expect("texts are embedded");
    let fitted = head(&read.rows, &embeddings, &used, HeadOptions::default());
    let examples = examples(&read.rows, &embeddings, &used);
    write(
        &resources,
        &lexicon,
        &fitted,
        Calibration::shipped(),
        &examples,
    )
    .expect("the files are written");
}
