//! The same weights in every layout load to the same matrices.

use std::path::Path;

use r3mes_model::weights::{Joined, Matrix, Weights};
use serde_json::json;

use super::fixture::*;
use super::gguf_file::{self, Format};

/// Codes and scales of every linear, in the order of the computation, however they were joined.
fn linears(weights: &Weights) -> Vec<Codes> {
    let mut found = Vec::new();
    for layer in &weights.layers {
        let mut take = |matrix: &Matrix, out_features: &[usize]| {
            let Matrix::Ternary { packed, row_scales } = matrix else {
                panic!("a dense linear")
            };
            let mut row = 0;
            for &rows in out_features {
                let cols = packed.cols();
                let mut codes = vec![0; rows * cols];
                for (index, codes) in codes.chunks_exact_mut(cols).enumerate() {
                    packed.unpack_row(row + index, codes);
                    assert_eq!(
                        row_scales[row + index],
                        row_scales[row],
                        "one scale per linear"
                    );
                }
                found.push(Codes {
                    rows,
                    cols,
                    codes,
                    scale: row_scales[row],
                });
                row += rows;
            }
            assert_eq!(row, packed.rows());
        };
        let parts = |joined: &Joined, take: &mut dyn FnMut(&Matrix, &[usize])| match joined
            .parts
            .as_slice()
        {
            [one] => take(&one.matrix, &joined.out_features),
            parts => {
                parts
                    .iter()
                    .zip(&joined.out_features)
                    .for_each(|(part, &rows)| take(&part.matrix, &[rows]));
            }
        };
        parts(&layer.qkv, &mut take);
        take(&layer.o.matrix, &[HIDDEN]);
        parts(&layer.gate_up, &mut take);
        take(&layer.down.matrix, &[HIDDEN]);
    }
    found
}

/// Loads `path` and compares codes, scales (through `scale`) and the embedding.
fn check(path: &Path, scale: impl Fn(&Codes) -> f32) -> Weights {
    let weights = load_model(path).unwrap_or_else(|error| panic!("{}", chain(&error)));
    let found = linears(&weights);
    assert_eq!(found.len(), LAYERS * LINEARS.len());
    for (place, found) in found.iter().enumerate() {
        let expected = codes(place / LINEARS.len(), place % LINEARS.len());
        let name = LINEARS[place % LINEARS.len()].0;
        assert!(found.codes == expected.codes, "codes of {name}");
        assert_eq!(found.scale, scale(&expected), "scale of {name}");
    }
    let mut row = vec![0.0; HIDDEN];
    weights.embedding.row(VOCAB as u32 - 1, &mut row).unwrap();
    assert_eq!(row, floats(1, VOCAB * HIDDEN)[(VOCAB - 1) * HIDDEN..]);
    weights
}

#[test]
fn packed_with_multiplying_and_dividing_scales() {
    let folder = tempfile::tempdir().unwrap();
    let multiply = folder.path().join("multiply");
    write_hub(&multiply, &config(), &packed_tensors(true, false));
    let weights = check(&multiply, |codes| codes.scale);
    assert!(weights.config.tied && weights.layers[0].attn_sub_norm.is_some());
    assert_eq!(
        weights.layers[0].qkv.parts.len(),
        1,
        "q, k and v are one product"
    );

    let divide = folder.path().join("divide");
    let mut llama = config();
    llama["architectures"] = json!(["LlamaForCausalLM"]);
    llama["model_type"] = json!("llama");
    llama["hidden_act"] = json!("silu");
    llama["quantization_config"] =
        json!({"quant_method": "bitnet", "modules_to_not_convert": null});
    write_hub(&divide, &llama, &packed_tensors(false, true));
    let weights = check(&divide, |codes| codes.scale);
    assert!(weights.layers[0].attn_sub_norm.is_none());
}

#[test]
fn shards_are_found_through_their_index() {
    let folder = tempfile::tempdir().unwrap();
    let tensors = packed_tensors(true, false);
    let (first, second) = tensors.split_at(tensors.len() / 2);
    std::fs::write(folder.path().join("config.json"), config().to_string()).unwrap();
    let mut map = serde_json::Map::new();
    for (name, shard) in [("a.safetensors", first), ("b.safetensors", second)] {
        std::fs::write(folder.path().join(name), safetensors(shard)).unwrap();
        shard
            .iter()
            .for_each(|tensor| drop(map.insert(tensor.name.clone(), json!(name))));
    }
    let index = json!({"metadata": {"total_size": 1}, "weight_map": map});
    std::fs::write(
        folder.path().join("model.safetensors.index.json"),
        index.to_string(),
    )
    .unwrap();
    check(folder.path(), |codes| codes.scale);
}

/// Masters that ternarise to the fixture's codes: magnitudes of the ones lie above half the mean, of the zeros below.
fn masters(codes: &Codes) -> Vec<f32> {
    let values = codes
        .codes
        .iter()
        .enumerate()
        .map(|(index, &code)| match code {
            0 => [0.01, -0.02][index % 2],
            code => f32::from(code) * codes.scale * [1.0, 0.75, 1.5][index % 3],
        });
    values
        .map(|value| half::bf16::from_f32(value).to_f32())
        .collect()
}

/// The published rule, in f64 up to the last step: `m = max(mean|W|, 1e-5)`, value `1 / (1 / m)` in f32.
fn mean_scale(codes: &Codes) -> f32 {
    let values = masters(codes);
    let mean = values
        .iter()
        .map(|value| f64::from(value.abs()))
        .sum::<f64>()
        / values.len() as f64;
    1.0 / (1.0 / mean as f32)
}

#[test]
fn masters_are_ternarised_by_their_mean() {
    let folder = tempfile::tempdir().unwrap();
    let online = folder.path().join("online");
    let mut online_config = config();
    online_config["quantization_config"]["quantization_mode"] = json!("online");
    let mut tensors = common_tensors(Some(SUB_NORMS));
    for_each_linear(|module, codes| {
        tensors.push(bf16_tensor(
            &format!("{module}.weight"),
            &[codes.rows, codes.cols],
            &masters(codes),
        ));
    });
    write_hub(&online, &online_config, &tensors);
    check(&online, mean_scale);

    let one_bit = folder.path().join("1bitLLM");
    let mut one_bit_config = config();
    one_bit_config["architectures"] = json!(["BitnetForCausalLM"]);
    one_bit_config["model_type"] = json!("llama");
    one_bit_config["hidden_act"] = json!("silu");
    one_bit_config["weight_bits"] = json!(1);
    one_bit_config
        .as_object_mut()
        .unwrap()
        .remove("quantization_config");
    let mut tensors = common_tensors(Some(["self_attn.inner_attn_ln", "mlp.ffn_layernorm"]));
    for_each_linear(|module, codes| {
        tensors.push(Stored {
            name: format!("{module}.weight"),
            dtype: "F32",
            shape: vec![codes.rows, codes.cols],
            bytes: f32_bytes(&masters(codes)),
        });
    });
    write_hub(&one_bit, &one_bit_config, &tensors);
    let weights = check(&one_bit, mean_scale);
    assert!(weights.layers[0].ffn_sub_norm.is_some());
}

#[test]
fn inner_norms_keep_linears_apart_and_exclusions_stay_dense() {
    let folder = tempfile::tempdir().unwrap();
    let mut llama = config();
    llama["architectures"] = json!(["LlamaForCausalLM"]);
    llama["hidden_act"] = json!("silu");
    llama["quantization_config"] = json!({
        "quant_method": "bitnet", "use_rms_norm": true, "rms_norm_eps": 1e-6,
        "modules_to_not_convert": ["lm_head", "model.layers.1.mlp.down_proj"],
    });
    let mut tensors = packed_tensors(false, true);
    for_each_linear(|module, codes| {
        if module == "model.layers.1.mlp.down_proj" {
            let values: Vec<f32> = codes
                .codes
                .iter()
                .map(|&code| f32::from(code) * 0.3)
                .collect();
            let dense = bf16_tensor(
                &format!("{module}.weight"),
                &[codes.rows, codes.cols],
                &values,
            );
            let place = tensors
                .iter()
                .position(|tensor| tensor.name == dense.name)
                .unwrap();
            tensors[place] = dense;
        } else {
            let name = format!("{module}.rms_norm.weight");
            tensors.push(bf16_tensor(&name, &[codes.cols], &floats(7, codes.cols)));
        }
    });
    write_hub(folder.path(), &llama, &tensors);
    let weights = load_model(folder.path()).unwrap_or_else(|error| panic!("{}", chain(&error)));
    let qkv = &weights.layers[0].qkv;
    assert_eq!(qkv.parts.len(), 3);
    assert!(qkv.parts.iter().all(|part| {
        part.inner_norm
            .as_ref()
            .is_some_and(|norm| norm.eps == 1e-6)
    }));
    assert!(matches!(weights.layers[1].down.matrix, Matrix::Dense(_)));
    assert!(weights.layers[1].down.inner_norm.is_none());
    assert!(matches!(
        weights.layers[0].down.matrix,
        Matrix::Ternary { .. }
    ));
}

#[test]
fn gguf_ternary_types_of_every_architecture() {
    let folder = tempfile::tempdir().unwrap();
    for format in [Format::I2s, Format::Tq1, Format::Tq2, Format::F16] {
        for architecture in ["bitnet-b1.58", "bitnet-25", "bitnet", "llama"] {
            if format == Format::F16 && architecture == "llama" {
                continue; // float linears of a Llama are dense
            }
            let path = folder
                .path()
                .join(format!("{architecture}-{format:?}.gguf"));
            gguf_file::Model::new(architecture, format).write(&path);
            let weights = check(&path, |codes| codes.scale);
            assert_eq!(weights.config.sub_norms, architecture != "llama");
            assert_eq!(weights.config.eos, [2]);
        }
    }
}

#[test]
fn dense_llama_rows_of_gguf_are_unpermuted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dense.gguf");
    gguf_file::Model::new("llama", Format::F16).write(&path);
    let weights = load_model(&path).unwrap_or_else(|error| panic!("{}", chain(&error)));
    let Matrix::Dense(query) = &weights.layers[1].qkv.parts[0].matrix else {
        panic!("a ternary linear")
    };
    let expected = codes(1, 0);
    let mut row = vec![0.0; HIDDEN];
    for index in [0, 1, 33, HEAD_DIM, HEADS * HEAD_DIM - 1] {
        query.row(index, &mut row);
        let codes = &expected.codes[index * HIDDEN..][..HIDDEN];
        assert!(
            row.iter()
                .zip(codes)
                .all(|(value, &code)| *value == f32::from(code) * expected.scale)
        );
    }
}

#[test]
fn unpacked_ternary_floats_keep_their_scale() {
    let folder = tempfile::tempdir().unwrap();
    let mut tensors = packed_tensors(true, false);
    for_each_linear(|module, codes| {
        let name = format!("{module}.weight");
        let values: Vec<f32> = codes.codes.iter().map(|&code| f32::from(code)).collect();
        let place = tensors.iter().position(|tensor| tensor.name == name);
        tensors[place.unwrap()] = bf16_tensor(&name, &[codes.rows, codes.cols], &values);
    });
    write_hub(folder.path(), &config(), &tensors);
    check(folder.path(), |codes| codes.scale);
}

#[test]
fn a_list_of_exclusions_without_the_head_makes_it_a_bit_linear() {
    let folder = tempfile::tempdir().unwrap();
    let mut untied = config();
    untied["tie_word_embeddings"] = json!(false);
    untied["quantization_config"]["modules_to_not_convert"] = json!(["nothing"]);
    let head = Codes {
        rows: VOCAB,
        cols: HIDDEN,
        codes: codes(0, 0).codes[..VOCAB * HIDDEN].to_vec(),
        scale: 0.5,
    };
    let mut tensors = packed_tensors(true, false);
    tensors.push(Stored {
        name: "lm_head.weight".into(),
        dtype: "U8",
        shape: vec![VOCAB / 4, HIDDEN],
        bytes: hub_packed(&head),
    });
    tensors.push(bf16_tensor("lm_head.weight_scale", &[1], &[head.scale]));
    write_hub(folder.path(), &untied, &tensors);
    let weights = check(folder.path(), |codes| codes.scale);
    let linear = weights.head.bit_linear.expect("a ternary head");
    let Matrix::Ternary { packed, row_scales } = &linear.matrix else {
        panic!("a dense head")
    };
    let mut row = vec![0; HIDDEN];
    packed.unpack_row(VOCAB - 1, &mut row);
    assert_eq!(row, head.codes[(VOCAB - 1) * HIDDEN..]);
    assert_eq!(row_scales[VOCAB - 1], 0.5);
}

#[test]
fn block_quantised_embeddings_are_read_row_by_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q8.gguf");
    let mut model = gguf_file::Model::new("bitnet-b1.58", Format::I2s);
    let embedding = model.tensor("token_embd.weight");
    embedding.kind = 8;
    // The fixture's values are whole 32nds, so Q8_0 blocks of that scale hold them exactly.
    embedding.bytes = floats(1, VOCAB * HIDDEN)
        .chunks_exact(32)
        .flat_map(|block| {
            let codes = block.iter().map(|value| (value * 32.0) as i8 as u8);
            half::f16::from_f32(1.0 / 32.0)
                .to_le_bytes()
                .into_iter()
                .chain(codes)
        })
        .collect();
    model.write(&path);
    check(&path, |codes| codes.scale);
}
