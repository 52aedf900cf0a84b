//! What counts as equal to the published vectors, and the vectors.

use std::path::{Path, PathBuf};

use r3mes_model::embedding::Embedder;
use safetensors::SafeTensors;

/// Least cosine of a row with the published one.
const LEAST_COSINE: f64 = 0.9999;
/// Farthest component from the published one.
const FARTHEST: f32 = 2e-4;

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/reference/embedding")
}

pub fn texts() -> Vec<String> {
    let text = std::fs::read_to_string(folder().join("texts.json")).expect("the kept texts");
    serde_json::from_str(&text).expect("a list of texts")
}

/// The kept vectors, a row for each text.
pub fn published(file: &str) -> Vec<Vec<f32>> {
    let bytes = std::fs::read(folder().join(file)).expect("the kept vectors");
    let tensors = SafeTensors::deserialize(&bytes).expect("a whole file");
    let vectors = tensors.tensor("vectors").expect("vectors");
    let values: Vec<f32> = vectors
        .data()
        .as_chunks::<4>()
        .0
        .iter()
        .map(|&bytes| f32::from_le_bytes(bytes))
        .collect();
    let rows = values.chunks_exact(vectors.shape()[1]);
    rows.map(<[f32]>::to_vec).collect()
}

/// Every text, all at once and one by one, lies within the bars of its published row.
pub fn check(embedder: &Embedder, published: &[Vec<f32>]) {
    let texts = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    assert_eq!(texts.len(), published.len());
    let together = embedder.embed(&texts).expect("vectors");
    for ((text, expected), row) in texts.iter().zip(published).zip(&together) {
        let alone = embedder.embed(&[text]).expect("a vector").remove(0);
        for (way, found) in [("together", row), ("alone", &alone)] {
            compare(&format!("{text:.60?} {way}"), found, expected);
        }
    }
}

fn compare(what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let pairs = || found.iter().zip(expected);
    let cosine: f64 = pairs().map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
    let farthest = pairs().map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(
        cosine >= LEAST_COSINE && farthest <= FARTHEST,
        "{what}: cosine {cosine}, farthest component {farthest:e}"
    );
}
