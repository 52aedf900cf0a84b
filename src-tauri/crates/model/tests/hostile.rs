//! Whole models, damaged as downloads and disks damage them: opening one gives the model or one error, soon.
//!
//! What each reader says to each lie is tested beside the readers (`loading`, `text`); here every file of a model is cut,
//! flipped, swapped or mislabelled, and both halves of opening it (weights and text) are run.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use r3mes_kernels::Pool;
use r3mes_model::load::{CacheUse, LoadOptions, load};
use r3mes_model::text::{Message, Text};

const BITNET: &[u8] = include_bytes!("../fuzz/seeds/gguf/bitnet_gpt2");
const LLAMA: &[u8] = include_bytes!("../fuzz/seeds/gguf/llama_llama");
const CONFIG: &[u8] = include_bytes!("../fuzz/seeds/config/bitnet");
const TENSORS: &[u8] = include_bytes!("../fuzz/seeds/safetensors/packed");
const TOKENIZER: &[u8] = br#"{"added_tokens": [{"id": 1, "content": "<s>", "single_word": false, "lstrip": false,
    "rstrip": false, "normalized": false, "special": true}], "decoder": {"type": "ByteLevel", "add_prefix_space": false,
    "trim_offsets": false}, "model": {"type": "BPE", "vocab": {"!": 0, "<s>": 1, "a": 2, "b": 3, "ab": 4},
    "merges": ["a b"]}}"#;
const LARGE_TOKENIZER: &[u8] = include_bytes!("text/byte_level.json");

/// Opens a model as the engine does; the whole chain of the first error.
fn open(path: &Path, pool: &Pool) -> Result<(), String> {
    let started = Instant::now();
    let options = LoadOptions::new(pool, CacheUse::Off);
    let opened = match load(path, &options, &mut |_| ControlFlow::Continue(())) {
        Err(error) => Err(chain(&error)),
        Ok(weights) => Text::load(path)
            .and_then(|text| {
                text.check_fits(weights.config.vocab)?;
                text.encode_chat(&[Message::new("user", "ab")]).map(drop)
            })
            .map_err(|error| chain(&error)),
    };
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
    opened
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// A folder with these files, opened at `name` or as a whole.
fn opened(files: &[(&str, &[u8])], name: &str, pool: &Pool) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    open(&folder.path().join(name), pool)
}

/// Files by name.
type Files = Vec<(&'static str, &'static [u8])>;

/// Every file of the two forms of a model, with the files it needs beside it and the path to open.
fn models() -> Vec<(Files, &'static str)> {
    let hub = vec![
        ("config.json", CONFIG),
        ("model.safetensors", TENSORS),
        ("tokenizer.json", TOKENIZER),
    ];
    vec![
        (hub, ""),
        (vec![("m.gguf", BITNET)], "m.gguf"),
        (vec![("m.gguf", LLAMA)], "m.gguf"),
    ]
}

#[test]
fn undamaged_models_open() {
    let pool = Pool::new(1);
    for (files, name) in models() {
        assert_eq!(opened(&files, name, &pool), Ok(()), "{name}");
    }
}

#[test]
fn a_file_cut_at_any_sixteenth_is_an_error_that_names_it() {
    let pool = Pool::new(1);
    for (files, name) in models() {
        for at in 0..files.len() {
            for sixteenth in 0..16 {
                let mut damaged = files.clone();
                let (file, bytes) = damaged[at];
                damaged[at].1 = &bytes[..bytes.len() * sixteenth / 16];
                let error = opened(&damaged, name, &pool).expect_err(file);
                assert!(error.contains(file), "{file}, {sixteenth}/16: {error}");
            }
        }
    }
}

#[test]
fn a_flipped_bit_gives_a_model_or_one_error() {
    let pool = Pool::new(1);
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let started = Instant::now();
    for (files, name) in models() {
        for at in 0..files.len() {
            let folder = tempfile::tempdir().unwrap();
            for (name, bytes) in &files {
                std::fs::write(folder.path().join(name), bytes).unwrap();
            }
            let (file, bytes) = files[at];
            // The structure of these files is in their first 2 KiB.
            let header = bytes.len().min(2048) as u64;
            for _ in 0..1000 {
                let mut damaged = bytes.to_vec();
                damaged[(next() % header) as usize] ^= 1 << (next() % 8);
                std::fs::write(folder.path().join(file), damaged).unwrap();
                if let Err(error) = open(&folder.path().join(name), &pool) {
                    assert!(!error.is_empty() && error.len() < 4000, "{error}");
                }
            }
        }
    }
    assert!(
        started.elapsed() < Duration::from_secs(300),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn a_file_that_is_something_else_is_an_error_that_names_it() {
    let pool = Pool::new(1);
    let png: &[u8] =
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";
    let zip: &[u8] = b"PK\x03\x04\x14\0\0\0\x08\0\0\0!\0model.safetensors";
    let page: &[u8] =
        b"<!DOCTYPE html><html><head><title>429 Too Many Requests</title></head></html>\n";
    let pointer: &[u8] =
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4221b252fdd5fd25\nsize 1187801280\n";
    let zeros: &[u8] = &[0; 4096];
    let ones: &[u8] = &[0xff; 4096];
    for content in [
        b"", png, zip, page, pointer, zeros, ones, TENSORS, BITNET, CONFIG, TOKENIZER,
    ] {
        for (files, name) in models() {
            for at in 0..files.len() {
                if files[at].1 == content {
                    continue;
                }
                let mut swapped = files.clone();
                swapped[at].1 = content;
                match opened(&swapped, name, &pool) {
                    Err(error) => assert!(error.contains(files[at].0), "{error}"),
                    Ok(()) => assert_eq!(
                        content, BITNET,
                        "only one GGUF model may stand in for another"
                    ),
                }
            }
        }
    }
}

#[test]
fn a_tokenizer_larger_than_the_vocabulary_is_refused_with_both_numbers() {
    let files = [
        ("config.json", CONFIG),
        ("model.safetensors", TENSORS),
        ("tokenizer.json", LARGE_TOKENIZER),
    ];
    let error = opened(&files, "", &Pool::new(1)).unwrap_err();
    assert!(
        error.contains("highest token id 404 (`<|eot_id|>`), the embedding has 8 rows"),
        "{error}"
    );
}

#[test]
fn a_missing_file_is_named() {
    let pool = Pool::new(1);
    let (files, _) = models().remove(0);
    for at in 0..files.len() {
        let mut rest = files.clone();
        let (file, _) = rest.remove(at);
        let error = opened(&rest, "", &pool).expect_err(file);
        assert!(
            error.contains(file) || error.contains("no model"),
            "{file}: {error}"
        );
    }
    assert!(open(Path::new("/nowhere/model.gguf"), &pool).is_err());
}
