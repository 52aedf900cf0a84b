//! The BERT encoder: a tiny random one against transformers, and what is refused.

use crate::bars;
use crate::folder::{Folder, Tensor, refused, safetensors_of};
use r3mes_model::embedding::{Embedder, EmbedderKind};
use safetensors::SafeTensors;
use serde_json::json;

const FILES: [&str; 6] = [
    "config.json",
    "tokenizer.json",
    "model.safetensors",
    "sentence_bert_config.json",
    "modules.json",
    "1_Pooling/config.json",
];

fn tiny() -> Folder {
    let folder = bars::folder().join("tiny-bert");
    let read = |name: &str| std::fs::read(folder.join(name)).expect("a kept file");
    Folder(
        FILES
            .iter()
            .map(|name| ((*name).to_owned(), read(name)))
            .collect(),
    )
}

/// The tensors of the tiny encoder, each passed through `change`; those it drops are left out.
fn with_tensors(change: impl Fn(&mut Tensor) -> bool) -> Folder {
    let whole = tiny();
    let file = SafeTensors::deserialize(whole.get("model.safetensors")).expect("a whole file");
    let mut tensors: Vec<Tensor> = file
        .tensors()
        .into_iter()
        .map(|(name, view)| Tensor {
            name,
            dtype: view.dtype(),
            shape: view.shape().to_vec(),
            bytes: view.data().to_vec(),
        })
        .collect();
    tensors.retain_mut(|tensor| change(tensor));
    let bytes = safetensors_of(&tensors);
    whole.with("model.safetensors", bytes)
}

#[test]
fn a_tiny_encoder_gives_the_vectors_of_transformers() {
    let embedder =
        Embedder::open(&bars::folder().join("tiny-bert")).expect("the kept folder opens");
    assert_eq!(embedder.kind(), EmbedderKind::Bert);
    assert_eq!((embedder.dimension(), embedder.max_tokens()), (32, 40));
    bars::check(
        &embedder,
        &bars::published("tiny-bert/expected.safetensors"),
    );
}

#[test]
fn names_of_older_and_of_surrounding_models_are_read() {
    let embedder = with_tensors(|tensor| {
        let name = tensor.name.replace("LayerNorm.weight", "LayerNorm.gamma");
        tensor.name = format!("bert.{}", name.replace("LayerNorm.bias", "LayerNorm.beta"));
        true
    });
    let embedder = embedder.open().expect("a whole embedder");
    bars::check(
        &embedder,
        &bars::published("tiny-bert/expected.safetensors"),
    );
}

#[test]
fn a_plain_folder_reads_as_many_tokens_as_there_are_places() {
    let plain = FILES[3..]
        .iter()
        .fold(tiny(), |folder, name| folder.without(name));
    assert_eq!(plain.open().expect("a whole embedder").max_tokens(), 48);
}

#[test]
fn a_batch_of_many_texts_counts_and_places_every_one() {
    let embedder = tiny().open().expect("a whole embedder");
    let texts: Vec<String> = (0..300)
        .map(|i| format!("word {i} quick brown fox"))
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let embedded = embedder.embed_counted(&texts).expect("vectors");
    let mut tokens = 0;
    for (text, row) in texts.iter().zip(&embedded.rows) {
        let alone = embedder.embed_counted(&[text]).expect("a vector");
        tokens += alone.tokens;
        assert_eq!(alone.rows[0], *row, "{text}: other bits in a batch");
    }
    assert_eq!(embedded.tokens, tokens);
    assert!(tokens > 2 * 1024, "more than one batch");
}

#[test]
fn settings_that_this_build_does_not_compute_are_refused() {
    for (field, value, expected) in [
        (
            "hidden_act",
            json!("gelu_new"),
            "found `gelu_new`, expected `gelu`",
        ),
        (
            "position_embedding_type",
            json!("relative_key"),
            "`absolute`",
        ),
        ("is_decoder", json!(true), "an encoder"),
        (
            "num_attention_heads",
            json!(5),
            "a divisor of the hidden size 32",
        ),
        ("num_attention_heads", json!(0), "1 to"),
        ("hidden_size", json!(1_u64 << 40), "1 to 16384"),
        (
            "num_hidden_layers",
            json!(3),
            "`encoder.layer.2.attention.self.query.weight`: found no such tensor",
        ),
        ("num_hidden_layers", json!(100_000), "1 to 256"),
        ("intermediate_size", json!(65), "expected shape [65, 32]"),
        ("vocab_size", json!(1), "at least the tokenizer's"),
        ("vocab_size", json!(200_000), "expected shape [200000, 32]"),
        (
            "max_position_embeddings",
            json!(49),
            "expected shape [49, 32]",
        ),
        (
            "max_position_embeddings",
            json!(2),
            "fewer than the 2 tokens that are read",
        ),
        ("layer_norm_eps", json!(-1.0), "a positive number"),
        ("hidden_size", json!(null), "not the JSON expected here"),
    ] {
        refused(
            &tiny().with_field("config.json", field, value),
            &["fixture/", expected],
        );
    }
    for (file, field, value, expected) in [
        (
            "sentence_bert_config.json",
            "max_seq_length",
            json!(-3),
            "a number of tokens",
        ),
        (
            "sentence_bert_config.json",
            "max_seq_length",
            json!(0),
            "1 to 65536",
        ),
        (
            "1_Pooling/config.json",
            "pooling_mode_cls_token",
            json!(true),
            "the mean over tokens and nothing else",
        ),
        (
            "1_Pooling/config.json",
            "pooling_mode_mean_tokens",
            json!(false),
            "the mean over tokens",
        ),
        (
            "1_Pooling/config.json",
            "pooling_mode",
            json!("cls"),
            "the mean over tokens",
        ),
    ] {
        refused(
            &tiny().with_field(file, field, value),
            &[file, field, expected],
        );
    }
    let modules = json!([{"type": "sentence_transformers.models.Dense"}]);
    let dense = tiny().with("modules.json", modules.to_string().into_bytes());
    refused(&dense, &["modules.json", "Dense"]);
}

#[test]
fn tensors_that_do_not_fit_are_refused() {
    let value = "encoder.layer.1.attention.self.value.weight";
    refused(
        &with_tensors(|tensor| tensor.name != value),
        &["model.safetensors", value, "no such tensor"],
    );
    let misshapen = with_tensors(|tensor| {
        if tensor.name == value {
            tensor.shape = vec![16, 64];
        }
        true
    });
    refused(
        &misshapen,
        &[value, "found shape [16, 64], expected shape [32, 32]"],
    );
    let poisoned = with_tensors(|tensor| {
        if tensor.name == value {
            tensor.bytes[8..12].copy_from_slice(&f32::NAN.to_le_bytes());
        }
        true
    });
    refused(&poisoned, &[value, "NaN at place 2"]);
}

#[test]
fn numbers_that_run_over_are_an_error_and_not_a_vector() {
    let huge = with_tensors(|tensor| {
        if tensor.name.ends_with("intermediate.dense.weight") {
            for value in tensor.bytes.chunks_exact_mut(4) {
                value.copy_from_slice(&3e38_f32.to_le_bytes());
            }
        }
        true
    });
    let error = huge.open().expect("finite weights").embed(&["quick"]);
    let error = error.expect_err("no finite vector").to_string();
    assert!(error.contains("text 0 is not finite"), "{error}");
}
