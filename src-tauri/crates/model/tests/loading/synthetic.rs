//! Random models: repeatable, loadable, verifiable.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use r3mes_kernels::Pool;
use r3mes_model::inspect::inspect;
use r3mes_model::synth::{Shape, SynthError, write};
use r3mes_model::verify::verify;
use sha2::{Digest, Sha256};

use super::fixture::load_model;

fn synthesise(folder: &Path, seed: u64) {
    write(Shape::Tiny, seed, folder, &mut |_, _| {
        ControlFlow::Continue(())
    })
    .unwrap();
}

fn sha256(path: &Path) -> String {
    Sha256::digest(fs::read(path).unwrap())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[test]
fn the_same_seed_gives_the_same_bytes_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("a"), folder.path().join("b"));
    synthesise(&first, 7);
    synthesise(&second, 8);
    let found = sha256(&first.join("model.safetensors"));
    assert_ne!(found, sha256(&second.join("model.safetensors")));
    assert_eq!(
        found,
        "3e41b02363db244192a550453d003e68509d3fb093dd59244b2a46d556ba9591"
    );
}

#[test]
fn a_random_model_loads_and_verifies() {
    let folder = tempfile::tempdir().unwrap();
    synthesise(folder.path(), 1);
    let weights = load_model(folder.path()).unwrap();
    assert_eq!(weights.layers.len(), 4);
    assert_eq!(weights.config.eos, [4094, 4095]);
    let summary = inspect(folder.path()).unwrap();
    assert_eq!(
        summary.layout,
        "safetensors, packed ternary (scale multiplies)"
    );
    assert_eq!(summary.parameters, 4_200_704);
    let pool = Pool::new(2);
    let known = BTreeMap::from([("model.safetensors".to_owned(), "0".repeat(64))]);
    let report = verify(folder.path(), &known, &pool, &mut |_| {
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(
        report.files[0].sha256,
        sha256(&folder.path().join("model.safetensors"))
    );
    assert!(!report.hashes_agree());
    let tokenizer = tokenizers::Tokenizer::from_file(folder.path().join("tokenizer.json")).unwrap();
    assert_eq!(tokenizer.get_vocab_size(true), weights.config.vocab);
    let encoded = tokenizer.encode("The answer is seventeen.", true).unwrap();
    assert_eq!(encoded.get_ids()[0], weights.config.bos.unwrap());
    assert_eq!(
        tokenizer.decode(encoded.get_ids(), true).unwrap(),
        "The answer is seventeen."
    );
}

#[test]
fn a_model_is_not_overwritten_and_a_cancelled_one_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    synthesise(folder.path(), 1);
    let again = write(Shape::Tiny, 2, folder.path(), &mut |_, _| {
        ControlFlow::Continue(())
    });
    assert!(matches!(again, Err(SynthError::Exists { .. })));
    let cancelled = folder.path().join("cancelled");
    let outcome = write(Shape::Tiny, 2, &cancelled, &mut |_, _| {
        ControlFlow::Break(())
    });
    assert!(matches!(outcome, Err(SynthError::Cancelled)));
    assert_eq!(fs::read_dir(&cancelled).unwrap().count(), 0);
}

#[test]
fn unknown_shapes_are_named() {
    let error = "3b".parse::<Shape>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "shape `3b` does not exist, expected `2b4t`, `700m` or `tiny`"
    );
}
