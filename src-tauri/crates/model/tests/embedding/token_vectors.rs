//! The static embedder.

use crate::folder::{Folder, Tensor, chain, refused, safetensors_of, words};
use r3mes_model::embedding::{Embedder, EmbedderKind};
use safetensors::Dtype;
use serde_json::json;

const WORDS: [&str; 4] = ["[UNK]", "north", "east", "the"];
const VECTORS: [i8; 8] = [9, 9, 3, 4, -1, 0, 127, -128];

/// `[UNK]` and `the` do not count, `north` is (1.5, 2), `east` is (-2, 0).
fn tensors() -> Vec<Tensor> {
    vec![
        Tensor::int8("vectors", &[4, 2], &VECTORS),
        Tensor::float("scales", &[4], &[0.0, 0.5, 2.0, 0.0]),
    ]
}

fn fixture() -> Folder {
    let config = json!({
        "model_type": "r3mes_static", "dimension": 2, "max_tokens": 3, "name": "compass", "version": "1",
    });
    Folder(vec![
        ("config.json".into(), config.to_string().into_bytes()),
        ("tokenizer.json".into(), words(&WORDS)),
        ("model.safetensors".into(), safetensors_of(&tensors())),
    ])
}

fn rows(texts: &[&str]) -> Vec<Vec<f32>> {
    let embedder = fixture().open().expect("a whole embedder");
    embedder.embed(texts).expect("vectors")
}

fn check(text: &str, expected: [f32; 2]) {
    let found = rows(&[text]).remove(0);
    let far = found
        .iter()
        .zip(expected)
        .any(|(found, expected)| (found - expected).abs() > 1e-6);
    assert!(!far, "{text:?}: {found:?}, expected {expected:?}");
}

#[test]
fn a_row_is_the_direction_of_the_sum_of_scaled_token_vectors() {
    check("north", [0.6, 0.8]);
    check("North", [0.6, 0.8]);
    check("east", [-1.0, 0.0]);
    // (1.5 - 2, 2)
    check("north east", [-0.242_535_6, 0.970_142_5]);
    // (3 - 2, 4)
    check("north east north", [0.242_535_6, 0.970_142_5]);
}

#[test]
fn tokens_of_scale_zero_do_not_count() {
    check("the north", [0.6, 0.8]);
    check("the", [0.0, 0.0]);
    check("unheard-of", [0.0, 0.0]);
    check("", [0.0, 0.0]);
}

#[test]
fn what_comes_after_the_last_token_read_does_not_count() {
    check("north north north east east east", [0.6, 0.8]);
    let long = format!("{} east", "north ".repeat(100_000));
    check(&long, [0.6, 0.8]);
    // Nothing to read within any first part of the text, however long it is.
    check(&format!("{}east", " ".repeat(100_000)), [-1.0, 0.0]);
}

#[test]
fn a_row_does_not_depend_on_its_neighbours_and_tokens_are_counted() {
    let embedder = fixture().open().expect("a whole embedder");
    let texts = ["north", "", "east the", "north east north east"];
    let embedded = embedder.embed_counted(&texts).expect("vectors");
    assert_eq!(embedded.tokens, 1 + 2 + 3);
    for (text, row) in texts.iter().zip(&embedded.rows) {
        assert_eq!(rows(&[text])[0], *row, "{text:?}");
    }
    assert!(embedder.embed(&[]).expect("nothing").is_empty());
}

#[test]
fn a_folder_and_memory_give_the_same_embedder() {
    let place = tempfile::tempdir().expect("a temporary folder");
    fixture().write(place.path());
    let embedder = Embedder::open(place.path()).expect("a whole embedder");
    assert_eq!(embedder.kind(), EmbedderKind::Static);
    assert_eq!(
        (embedder.name(), embedder.version()),
        ("compass", Some("1"))
    );
    assert_eq!((embedder.dimension(), embedder.max_tokens()), (2, 3));
    assert_eq!(embedder.bytes(), 8 + 16);
    let texts = ["north east", "the"];
    assert_eq!(embedder.embed(&texts).expect("vectors"), rows(&texts));
}

#[test]
fn what_is_missing_is_named() {
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        refused(
            &fixture().without(name),
            &[&format!("`fixture/{name}` is missing")],
        );
    }
    let place = tempfile::tempdir().expect("a temporary folder");
    let absent = place.path().join("absent");
    let error = Embedder::open(&absent).expect_err("no such folder");
    assert!(chain(&error).contains("config.json"), "{error}");
    std::fs::create_dir_all(absent.join("config.json")).expect("a folder");
    let error = Embedder::open(&absent).expect_err("a folder in place of a file");
    assert!(
        error
            .to_string()
            .contains("a folder, expected a regular file"),
        "{error}"
    );
}

#[test]
fn settings_that_cannot_be_are_refused() {
    for (field, value, expected) in [
        ("model_type", json!("xlnet"), "`r3mes_static` or `bert`"),
        ("model_type", json!(null), "`model_type`"),
        ("dimension", json!(0), "1 to 16384"),
        ("dimension", json!(1_000_000_000_000_u64), "1 to 16384"),
        ("dimension", json!(-1), "not the JSON expected here"),
        ("dimension", json!("2"), "not the JSON expected here"),
        (
            "dimension",
            json!(3),
            "tensor `vectors`: found shape [4, 2], expected shape [4, 3]",
        ),
        ("max_tokens", json!(0), "1 to 65536"),
        ("max_tokens", json!(u64::MAX), "1 to 65536"),
    ] {
        refused(
            &fixture().with_field("config.json", field, value),
            &["fixture/", expected],
        );
    }
    refused(
        &fixture().with("config.json", b"{".to_vec()),
        &["config.json", "EOF"],
    );
    refused(
        &fixture().with("config.json", b"[]".to_vec()),
        &["config.json", "`model_type`"],
    );
}

#[test]
fn tensors_that_do_not_fit_are_refused() {
    let with = |vectors: Tensor, scales: Tensor| fixture().with_tensors(&[vectors, scales]);
    let vectors = || Tensor::int8("vectors", &[4, 2], &VECTORS);
    let scales = |values: &[f32]| Tensor::float("scales", &[values.len()], values);
    let good = [0.0, 0.5, 2.0, 0.0];
    for (folder, expected) in [
        (
            with(Tensor::int8("vektors", &[4, 2], &VECTORS), scales(&good)),
            "`vectors`: found no such tensor",
        ),
        (
            with(vectors(), Tensor::float("scale", &[4], &good)),
            "`scales`: found no such tensor",
        ),
        (
            with(Tensor::int8("vectors", &[2, 4], &VECTORS), scales(&good)),
            "found shape [2, 4], expected shape [4, 2]",
        ),
        (
            with(Tensor::int8("vectors", &[8], &VECTORS), scales(&good)),
            "found shape [8]",
        ),
        (
            with(vectors(), scales(&[0.0; 5])),
            "found shape [4, 2], expected shape [5, 2]",
        ),
        (
            with(vectors(), Tensor::float("scales", &[4, 1], &good)),
            "found shape [4, 1], expected shape [4]",
        ),
        (
            with(vectors(), Tensor::float("scales", &[], &[1.0])),
            "found a single number",
        ),
        (
            with(vectors(), scales(&[0.0, f32::NAN, 1.0, 1.0])),
            "`scales`: found NaN at place 1",
        ),
        (
            with(vectors(), scales(&[0.0, 1.0, f32::INFINITY, 1.0])),
            "`scales`: found inf at place 2",
        ),
        (
            with(vectors(), scales(&[0.0, 1.0, 1.0, -1e30])),
            "at place 3, expected finite numbers up to",
        ),
        (
            with(
                Tensor {
                    dtype: Dtype::U8,
                    ..vectors()
                },
                scales(&good),
            ),
            "`vectors`: found U8, expected I8",
        ),
        (
            with(
                vectors(),
                Tensor {
                    dtype: Dtype::I32,
                    ..scales(&good)
                },
            ),
            "`scales`: found I32, expected F32",
        ),
        (
            with(
                Tensor::int8("vectors", &[3, 2], &VECTORS[..6]),
                scales(&good[..3]),
            ),
            "`scales`: found 3 rows, expected one for each of the tokenizer's 4 tokens",
        ),
    ] {
        refused(&folder, &["fixture/model.safetensors", expected]);
    }
}

#[test]
fn a_table_may_have_more_rows_than_the_tokenizer_has_tokens() {
    let folder = fixture().with("tokenizer.json", words(&WORDS[..3]));
    let embedder = folder.open().expect("a whole embedder");
    assert_eq!(embedder.embed(&["the"]).expect("vectors"), [[0.0, 0.0]]);
}

#[test]
fn a_tokenizer_that_cannot_be_is_refused() {
    let tokenizer = |model: serde_json::Value| {
        fixture().with(
            "tokenizer.json",
            json!({"model": model}).to_string().into_bytes(),
        )
    };
    refused(&tokenizer(json!(null)), &["tokenizer.json"]);
    refused(
        &tokenizer(
            json!({"type": "WordLevel", "vocab": {"a": 4_000_000_000_u32}, "unk_token": "a"}),
        ),
        &["tokenizer.json", "id 4000000000"],
    );
    let mut around: serde_json::Value = serde_json::from_slice(&words(&WORDS)).expect("JSON");
    around["post_processor"] = json!({"type": "BertProcessing", "cls": ["x", 99], "sep": ["y", 1]});
    refused(
        &fixture().with("tokenizer.json", around.to_string().into_bytes()),
        &["post_processor", "token 99", "one of 4 tokens"],
    );
}

#[test]
fn files_cut_anywhere_are_errors_that_name_the_file() {
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        let whole = fixture().get(name).to_vec();
        for length in 0..whole.len() {
            refused(&fixture().with(name, whole[..length].to_vec()), &[name]);
        }
    }
}

#[test]
fn a_flipped_bit_gives_an_embedder_or_one_error() {
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        let whole = fixture().get(name).to_vec();
        for bit in 0..whole.len() * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            if let Ok(embedder) = fixture().with(name, damaged).open() {
                let rows = embedder.embed(&["the north east", "?"]).unwrap_or_default();
                assert!(
                    rows.iter().flatten().all(|value| value.is_finite()),
                    "{name}, bit {bit}"
                );
            }
        }
    }
}
