//! Bad Hub folders: each is refused with the place and what was expected.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::fixture::*;

/// Spoils a good folder and expects every fragment in the message.
fn check(name: &str, spoil: impl FnOnce(&Path), fragments: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    write_hub(folder.path(), &config(), &packed_tensors(true, false));
    spoil(folder.path());
    let message = refusal(folder.path());
    for fragment in fragments {
        assert!(
            message.contains(fragment),
            "{name}: {message:?} lacks {fragment:?}"
        );
    }
}

fn with_config(change: impl FnOnce(&mut Value)) -> impl FnOnce(&Path) {
    |folder| {
        let mut changed = config();
        change(&mut changed);
        fs::write(folder.join("config.json"), changed.to_string()).unwrap();
    }
}

fn with_tensors(change: impl FnOnce(&mut Vec<Stored>)) -> impl FnOnce(&Path) {
    |folder| {
        let mut tensors = packed_tensors(true, false);
        change(&mut tensors);
        fs::write(folder.join("model.safetensors"), safetensors(&tensors)).unwrap();
    }
}

fn with_tensor(name: &str, change: impl FnOnce(&mut Stored)) -> impl FnOnce(&Path) {
    with_tensors(move |tensors| {
        change(
            tensors
                .iter_mut()
                .find(|tensor| tensor.name == name)
                .expect("the fixture has it"),
        );
    })
}

fn with_weights(bytes: Vec<u8>) -> impl FnOnce(&Path) {
    move |folder| fs::write(folder.join("model.safetensors"), bytes).unwrap()
}

#[test]
fn configurations_that_no_model_has() {
    let numbers: [(&str, Value, &[&str]); 15] = [
        ("hidden_size", json!(0), &["`hidden` is 0"]),
        ("hidden_size", json!(-1), &["config.json", "invalid value"]),
        (
            "hidden_size",
            json!(1u64 << 40),
            &["`hidden` is 1099511627776", "expected 1 to"],
        ),
        (
            "num_hidden_layers",
            json!(u32::MAX),
            &["`layers` is 4294967295"],
        ),
        (
            "num_hidden_layers",
            json!(3),
            &["model.layers.2.", "no such tensor"],
        ),
        (
            "num_key_value_heads",
            json!(3),
            &["`kv_heads` is 3", "a divisor of the 4 heads"],
        ),
        ("num_attention_heads", json!(0), &["`heads` is 0"]),
        ("head_dim", json!(63), &["`head_dim` is 63", "even"]),
        (
            "vocab_size",
            json!(u64::MAX),
            &["`vocab` is 18446744073709551615"],
        ),
        (
            "vocab_size",
            json!(49),
            &[
                "model.embed_tokens.weight",
                "shape [48, 256]",
                "shape [49, 256]",
            ],
        ),
        ("rms_norm_eps", json!(0), &["`rms_eps` is 0"]),
        ("rope_theta", json!(-5), &["`rope theta` is -5"]),
        (
            "eos_token_id",
            json!(48),
            &["48", "below the vocabulary of 48"],
        ),
        (
            "hidden_act",
            json!("gelu"),
            &["`hidden_act`", "`gelu`", "`relu2` and `silu`"],
        ),
        (
            "architectures",
            json!(["GPT2LMHeadModel"]),
            &["`GPT2LMHeadModel`", "`LlamaForCausalLM`"],
        ),
    ];
    for (field, value, fragments) in numbers {
        check(
            field,
            with_config(|config| config[field] = value),
            fragments,
        );
    }
    let quantization: [(&str, Value, &str); 4] = [
        ("quant_method", json!("gptq"), "`gptq`"),
        ("linear_class", json!("other"), "`other`"),
        ("quantization_mode", json!("sideways"), "`sideways`"),
        (
            "modules_to_not_convert",
            json!(["("]),
            "a regular expression",
        ),
    ];
    for (field, value, fragment) in quantization {
        check(
            field,
            with_config(|config| config["quantization_config"][field] = value),
            &[fragment],
        );
    }
    let rope = json!({"rope_type": "yarn", "factor": 2.0});
    check(
        "yarn",
        with_config(|config| config["rope_scaling"] = rope),
        &["`yarn`", "`llama3`"],
    );
    let rope = json!({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 4.0, "high_freq_factor": 4.0});
    check(
        "ramp",
        with_config(|config| config["rope_scaling"] = rope),
        &["high_freq_factor"],
    );
    check(
        "not converted",
        with_config(|config| config["quantization_config"] = Value::Null),
        &["U8", "quantization_config"],
    );
    check(
        "untied",
        with_config(|config| config["tie_word_embeddings"] = json!(false)),
        &["lm_head.weight", "no such tensor"],
    );
    check(
        "no JSON",
        |folder| fs::write(folder.join("config.json"), "{").unwrap(),
        &["config.json", "EOF"],
    );
    let deep = "[".repeat(100_000);
    check(
        "deep JSON",
        |folder| fs::write(folder.join("config.json"), deep).unwrap(),
        &["config.json"],
    );
    check(
        "generation",
        |folder| fs::write(folder.join("generation_config.json"), "[]").unwrap(),
        &["generation_config.json"],
    );
}

#[test]
fn weight_files_that_break_the_format() {
    let good = safetensors(&packed_tensors(true, false));
    let cut = |bytes: usize| good[..bytes].to_vec();
    let huge = |length: u64| {
        let mut file = length.to_le_bytes().to_vec();
        file.extend(b"{}");
        file
    };
    let header = |text: &str| with_header(text, &[0; 64]);
    let one = |dtype: &str, shape: &str, offsets: &str| {
        header(&format!(
            r#"{{"x":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}}}"#
        ))
    };
    let cases: Vec<(&str, Vec<u8>, &[&str])> = vec![
        ("empty", Vec::new(), &["byte 0", "end of the file"]),
        ("seven bytes", cut(7), &["byte 0", "8 bytes"]),
        ("cut header", cut(100), &["header length"]),
        (
            "cut data",
            cut(good.len() - 1),
            &["file length", "as the header says"],
        ),
        (
            "surplus",
            [good.clone(), vec![0]].concat(),
            &["file length"],
        ),
        (
            "huge header",
            huge(u64::MAX),
            &["header length", "18446744073709551615"],
        ),
        (
            "header past the end",
            huge(3),
            &["header length", "3 bytes"],
        ),
        ("no JSON", header("nonsense"), &["model.safetensors"]),
        (
            "overlap",
            header(
                r#"{"a":{"dtype":"U8","shape":[40],"data_offsets":[0,40]},"b":{"dtype":"U8","shape":[40],"data_offsets":[24,64]}}"#,
            ),
            &["offset"],
        ),
        ("gap", one("U8", "[32]", "[32,64]"), &["offset"]),
        (
            "end before start",
            one("U8", "[32]", "[64,0]"),
            &["model.safetensors"],
        ),
        (
            "overflowing shape",
            one("F32", "[4294967296,4294967296,16]", "[0,64]"),
            &["model.safetensors"],
        ),
        (
            "wrong size",
            one("F32", "[17]", "[0,64]"),
            &["model.safetensors"],
        ),
        ("unknown dtype", one("F7", "[64]", "[0,64]"), &["F7"]),
        (
            "negative shape",
            one("U8", "[-64]", "[0,64]"),
            &["model.safetensors"],
        ),
        ("no tensors", with_header("{}", &[]), &["no such tensor"]),
    ];
    for (name, bytes, fragments) in cases {
        check(name, with_weights(bytes), fragments);
    }
    check(
        "no weights",
        |folder| fs::remove_file(folder.join("model.safetensors")).unwrap(),
        &["cannot open", "model.safetensors"],
    );
    check(
        "a folder",
        |folder| {
            fs::remove_file(folder.join("model.safetensors")).unwrap();
            fs::create_dir(folder.join("model.safetensors")).unwrap();
        },
        &["a folder", "a regular file"],
    );
}

#[test]
fn tensors_that_contradict_the_configuration() {
    let query = "model.layers.0.self_attn.q_proj.weight";
    let scale = "model.layers.0.self_attn.q_proj.weight_scale";
    let set_scale =
        |value: f32| with_tensor(scale, move |tensor| tensor.bytes = bf16_bytes(&[value]));
    for value in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        check("scale", set_scale(value), &[scale, "a positive number"]);
    }
    check(
        "two scales",
        with_tensor(scale, |tensor| {
            tensor.shape = vec![2];
            tensor.bytes.extend([0, 0]);
        }),
        &[scale, "one value"],
    );
    check(
        "integer scale",
        with_tensor(scale, |tensor| tensor.dtype = "I16"),
        &[scale, "I16"],
    );
    check(
        "missing scale",
        with_tensors(|tensors| tensors.retain(|tensor| tensor.name != scale)),
        &[scale, "no such tensor"],
    );
    check(
        "missing weight",
        with_tensors(|tensors| tensors.retain(|tensor| tensor.name != query)),
        &[query, "no such tensor"],
    );
    check(
        "code 3",
        with_tensor(query, |tensor| tensor.bytes[5 * HIDDEN + 7] |= 0b1100),
        &[query, "row 69, column 7", "code 3"],
    );
    check(
        "transposed",
        with_tensor(query, |tensor| tensor.shape = vec![HIDDEN, 64]),
        &[query, "shape [256, 64]", "shape [64, 256]"],
    );
    check(
        "signed",
        with_tensor(query, |tensor| tensor.dtype = "I8"),
        &[query],
    );
    let norm = "model.layers.1.mlp.ffn_sub_norm.weight";
    check(
        "short norm",
        with_tensor(norm, |tensor| {
            tensor.shape = vec![10];
            tensor.bytes.truncate(20);
        }),
        &[norm, "shape [10]", "shape [512]"],
    );
    check(
        "NaN norm",
        with_tensor(norm, |tensor| {
            tensor.bytes[6..8].copy_from_slice(&[0xC0, 0x7F])
        }),
        &[norm, "value 3", "NaN"],
    );
    check(
        "NaN embedding",
        with_tensor("model.embed_tokens.weight", |tensor| {
            tensor.bytes[2 * HIDDEN..2 * HIDDEN + 2].copy_from_slice(&[0x80, 0x7F]);
        }),
        &["model.embed_tokens.weight", "row 1, column 0", "inf"],
    );
    check(
        "foreign sub-norms",
        with_config(|config| {
            config["architectures"] = json!(["LlamaForCausalLM"]);
        }),
        &["attn_sub_norm", "a sub-norm"],
    );
    check(
        "inner norm unannounced",
        with_tensors(|tensors| {
            tensors.push(bf16_tensor(
                "model.layers.0.self_attn.q_proj.rms_norm.weight",
                &[HIDDEN],
                &floats(1, HIDDEN),
            ));
        }),
        &["rms_norm", "`use_rms_norm`"],
    );
    check(
        "inner norm missing",
        with_config(|config| {
            config["quantization_config"]["use_rms_norm"] = json!(true);
        }),
        &["q_proj.rms_norm.weight", "no such tensor"],
    );
}

#[test]
fn masters_that_are_not_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let mut online = config();
    online["quantization_config"]["quantization_mode"] = json!("online");
    let mut tensors = common_tensors(Some(SUB_NORMS));
    for_each_linear(|module, codes| {
        let mut values: Vec<f32> = codes.codes.iter().map(|&code| f32::from(code)).collect();
        if module == "model.layers.1.mlp.up_proj" {
            values[3 * HIDDEN + 2] = f32::NAN;
        }
        tensors.push(bf16_tensor(
            &format!("{module}.weight"),
            &[codes.rows, codes.cols],
            &values,
        ));
    });
    write_hub(folder.path(), &online, &tensors);
    let message = refusal(folder.path());
    assert!(
        message.contains("up_proj.weight`, row 3, column 2: found NaN"),
        "{message}"
    );
}

#[test]
fn shards_that_lead_astray() {
    let index = |map: Value| {
        move |folder: &Path| {
            fs::remove_file(folder.join("model.safetensors")).unwrap();
            fs::write(
                folder.join("good.safetensors"),
                safetensors(&packed_tensors(true, false)),
            )
            .unwrap();
            let text = json!({"weight_map": map}).to_string();
            fs::write(folder.join("model.safetensors.index.json"), text).unwrap();
        }
    };
    let embedding = "model.embed_tokens.weight";
    for shard in [
        "../good.safetensors",
        "/etc/passwd",
        "a/../good.safetensors",
        "sub/x.safetensors",
        "..",
        "",
        ".",
        "C:\\x.safetensors",
        "..\\x.safetensors",
        "x\0.safetensors",
        "model.safetensors.index.json",
        "config.json",
    ] {
        check(
            shard,
            index(json!({embedding: shard})),
            &["`weight_map`", "in the same folder"],
        );
    }
    check("no shards", index(json!({})), &["0 shards"]);
    check("not a map", index(json!([1])), &["index.json"]);
    check(
        "missing shard",
        index(json!({embedding: "gone.safetensors"})),
        &["cannot open", "gone.safetensors"],
    );
    check(
        "not in that shard",
        index(json!({"nowhere": "good.safetensors"})),
        &["tensor `nowhere`", "no such tensor"],
    );
    check(
        "twice",
        |folder| {
            index(json!({embedding: "good.safetensors", "model.norm.weight": "more.safetensors"}))(
                folder,
            );
            let extra = [bf16_tensor(
                "model.norm.weight",
                &[HIDDEN],
                &floats(2, HIDDEN),
            )];
            fs::write(folder.join("more.safetensors"), safetensors(&extra)).unwrap();
        },
        &["model.norm.weight", "a second one"],
    );
    let many: serde_json::Map<_, _> = (0..2000)
        .map(|i| (format!("t{i}"), json!(format!("{i}.safetensors"))))
        .collect();
    check("many shards", index(Value::Object(many)), &["2000 shards"]);
}

#[cfg(unix)]
#[test]
fn shards_that_are_links() {
    use std::os::unix::fs::symlink;
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().join("weights.safetensors");
    fs::write(&target, safetensors(&packed_tensors(true, false))).unwrap();
    let linked = |folder: &Path, target: &Path| {
        fs::remove_file(folder.join("model.safetensors")).unwrap();
        symlink(target, folder.join("a.safetensors")).unwrap();
        let text = json!({"weight_map": {"model.norm.weight": "a.safetensors"}}).to_string();
        fs::write(folder.join("model.safetensors.index.json"), text).unwrap();
    };
    check(
        "link outside",
        |folder| linked(folder, &target),
        &["a link to", "inside the model's folder"],
    );
    check(
        "link to itself",
        |folder| linked(folder, Path::new("a.safetensors")),
        &["cannot open", "a.safetensors"],
    );

    // A hub cache keeps its files as links from `snapshots/<commit>` to `blobs`.
    let snapshot = outside.path().join("snapshots/abc");
    write_hub(&snapshot, &config(), &packed_tensors(true, false));
    fs::create_dir(outside.path().join("blobs")).unwrap();
    fs::rename(&target, outside.path().join("blobs/123")).unwrap();
    linked(&snapshot, Path::new("../../blobs/123"));
    assert!(load_model(&snapshot).is_ok());
}
