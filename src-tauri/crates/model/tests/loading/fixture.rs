//! A tiny model with known ternary weights, written in any layout.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use half::bf16;
use r3mes_kernels::Pool;
use r3mes_model::load::{CacheUse, LoadError, LoadOptions, load};
use r3mes_model::weights::Weights;
use serde_json::{Map, Value, json};

pub const HIDDEN: usize = 256;
pub const LAYERS: usize = 2;
pub const HEADS: usize = 4;
pub const KV_HEADS: usize = 2;
pub const HEAD_DIM: usize = 64;
pub const INTERMEDIATE: usize = 512;
pub const VOCAB: usize = 48;

/// Ternary codes of a linear, row-major, with its scale.
#[derive(Clone)]
pub struct Codes {
    pub rows: usize,
    pub cols: usize,
    pub codes: Vec<i8>,
    pub scale: f32,
}

/// Name in a Hub checkpoint, in GGUF, rows, columns; in the order of the computation.
pub const LINEARS: [(&str, &str, usize, usize); 7] = [
    ("self_attn.q_proj", "attn_q", HEADS * HEAD_DIM, HIDDEN),
    ("self_attn.k_proj", "attn_k", KV_HEADS * HEAD_DIM, HIDDEN),
    ("self_attn.v_proj", "attn_v", KV_HEADS * HEAD_DIM, HIDDEN),
    ("self_attn.o_proj", "attn_output", HIDDEN, HEADS * HEAD_DIM),
    ("mlp.gate_proj", "ffn_gate", INTERMEDIATE, HIDDEN),
    ("mlp.up_proj", "ffn_up", INTERMEDIATE, HIDDEN),
    ("mlp.down_proj", "ffn_down", HIDDEN, INTERMEDIATE),
];

/// A repeatable stream of numbers.
pub fn numbers(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

/// The weights of linear `index` of `layer`; the scale is a power of two, exact in every format.
pub fn codes(layer: usize, index: usize) -> Codes {
    let (_, _, rows, cols) = LINEARS[index];
    let mut next = numbers((layer * 7 + index + 1) as u64);
    let codes = (0..rows * cols).map(|_| (next() % 3) as i8 - 1).collect();
    Codes {
        rows,
        cols,
        codes,
        scale: 0.25 / (1 << (index % 3)) as f32,
    }
}

/// Values of a norm or of the embedding, exact in bf16.
pub fn floats(seed: u64, count: usize) -> Vec<f32> {
    let mut next = numbers(seed + 1000);
    (0..count)
        .map(|_| bf16::from_f32((next() % 64) as f32 / 32.0 - 1.0).to_f32())
        .collect()
}

pub fn config() -> Value {
    json!({
        "architectures": ["BitNetForCausalLM"], "model_type": "bitnet", "hidden_act": "relu2",
        "hidden_size": HIDDEN, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS, "intermediate_size": INTERMEDIATE, "vocab_size": VOCAB,
        "max_position_embeddings": 128, "rms_norm_eps": 1e-5, "rope_theta": 500000.0,
        "tie_word_embeddings": true, "bos_token_id": 1, "eos_token_id": 2,
        "quantization_config": {
            "quant_method": "bitnet", "linear_class": "autobitlinear", "quantization_mode": "offline",
        },
    })
}

/// A tensor of a safetensors file.
#[derive(Clone)]
pub struct Stored {
    pub name: String,
    pub dtype: &'static str,
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

pub fn bf16_bytes(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|&value| bf16::from_f32(value).to_le_bytes())
        .collect()
}

pub fn f32_bytes(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

pub fn bf16_tensor(name: &str, shape: &[usize], values: &[f32]) -> Stored {
    Stored {
        name: name.into(),
        dtype: "BF16",
        shape: shape.into(),
        bytes: bf16_bytes(values),
    }
}

/// uint8 `[⌈rows/4⌉, cols]`, lane `i` of packed row `r` holding row `i·⌈rows/4⌉ + r`.
pub fn hub_packed(codes: &Codes) -> Vec<u8> {
    let packed_rows = codes.rows.div_ceil(4);
    let mut bytes = vec![0u8; packed_rows * codes.cols];
    for row in 0..codes.rows {
        for col in 0..codes.cols {
            let code = (codes.codes[row * codes.cols + col] + 1) as u8;
            bytes[row % packed_rows * codes.cols + col] |= code << (2 * (row / packed_rows));
        }
    }
    bytes
}

/// Embedding and norms, which all Hub layouts share.
pub fn common_tensors(sub_norms: Option<[&str; 2]>) -> Vec<Stored> {
    let mut tensors = vec![
        bf16_tensor(
            "model.embed_tokens.weight",
            &[VOCAB, HIDDEN],
            &floats(1, VOCAB * HIDDEN),
        ),
        bf16_tensor("model.norm.weight", &[HIDDEN], &floats(2, HIDDEN)),
    ];
    for layer in 0..LAYERS {
        let mut norm = |suffix: &str, length| {
            let name = format!("model.layers.{layer}.{suffix}.weight");
            tensors.push(bf16_tensor(
                &name,
                &[length],
                &floats(10 + layer as u64, length),
            ));
        };
        norm("input_layernorm", HIDDEN);
        norm("post_attention_layernorm", HIDDEN);
        if let Some([attention, ffn]) = sub_norms {
            norm(attention, HEADS * HEAD_DIM);
            norm(ffn, INTERMEDIATE);
        }
    }
    tensors
}

pub const SUB_NORMS: [&str; 2] = ["self_attn.attn_sub_norm", "mlp.ffn_sub_norm"];

/// All tensors of the packed layout; `divides` writes the reciprocal scale.
pub fn packed_tensors(sub_norms: bool, divides: bool) -> Vec<Stored> {
    let mut tensors = common_tensors(sub_norms.then_some(SUB_NORMS));
    for_each_linear(|module, codes| {
        let scale = if divides {
            1.0 / codes.scale
        } else {
            codes.scale
        };
        tensors.push(Stored {
            name: format!("{module}.weight"),
            dtype: "U8",
            shape: vec![codes.rows.div_ceil(4), codes.cols],
            bytes: hub_packed(codes),
        });
        tensors.push(bf16_tensor(
            &format!("{module}.weight_scale"),
            &[1],
            &[scale],
        ));
    });
    tensors
}

pub fn for_each_linear(mut visit: impl FnMut(&str, &Codes)) {
    for layer in 0..LAYERS {
        for (index, (name, ..)) in LINEARS.iter().enumerate() {
            visit(
                &format!("model.layers.{layer}.{name}"),
                &codes(layer, index),
            );
        }
    }
}

/// A safetensors file of these tensors.
pub fn safetensors(tensors: &[Stored]) -> Vec<u8> {
    let mut header = Map::new();
    let mut data = Vec::new();
    for tensor in tensors {
        let start = data.len();
        data.extend(&tensor.bytes);
        let entry = json!({"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": [start, data.len()]});
        header.insert(tensor.name.clone(), entry);
    }
    with_header(&Value::Object(header).to_string(), &data)
}

pub fn with_header(header: &str, data: &[u8]) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.extend(data);
    file
}

pub fn write_hub(folder: &Path, config: &Value, tensors: &[Stored]) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
    fs::write(folder.join("model.safetensors"), safetensors(tensors)).unwrap();
}

pub fn load_model(path: &Path) -> Result<Weights, LoadError> {
    let pool = Pool::new(2);
    let options = LoadOptions::new(&pool, CacheUse::Off);
    load(path, &options, &mut |_| ControlFlow::Continue(()))
}

/// The error of a load that must fail, as a person reads it.
pub fn refusal(path: &Path) -> String {
    match load_model(path) {
        Ok(_) => panic!("`{}` loaded", path.display()),
        Err(error) => chain(&error),
    }
}

pub fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}
