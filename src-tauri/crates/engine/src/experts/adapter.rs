//! The seam to the model crate: what an adapter is by its headers, and its numbers.

use super::contents::{CONFIG, WEIGHTS};
use crate::api::AdapterKind;
use r3mes_model::config::ModelConfig;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::fs::File;
use std::io::Read;
use std::path::Path;

const MOST_CONFIG_BYTES: u64 = 1 << 20;
const MOST_HEADER_BYTES: u64 = 64 << 20;
const MOST_RANK: usize = 4096;

/// An adapter as its headers describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AdapterShape {
    /// How it changes a linear.
    pub kind: AdapterKind,
    /// Its rank.
    pub rank: usize,
    /// Bytes it takes in memory.
    pub resident_bytes: u64,
}

/// An adapter in memory.
pub(crate) struct Adapter {
    #[expect(dead_code, reason = "the forward pass reads it")]
    bytes: Vec<u8>,
}

/// What the model crate needs to bring an adapter into memory.
pub(crate) type BaseConfig = ModelConfig;

/// Looks at the headers of the adapter in `folder`, made for a model of this shape.
///
/// # Errors
/// If it is none that this model could use; in words, with what was found and what was expected.
pub(crate) fn inspect(folder: &Path, base: &BaseConfig) -> Result<AdapterShape, String> {
    let config = read_config(folder)?;
    let tensors = read_header(&folder.join(WEIGHTS))?;
    let kind = match (config.adapter_type.as_deref(), config.use_dora) {
        (Some("additive_dora"), _) => AdapterKind::Additive,
        (_, true) => AdapterKind::WeightDecomposed,
        _ => AdapterKind::LowRank,
    };
    let mut bytes = 0;
    let mut linears = 0;
    for (name, tensor) in &tensors {
        bytes += tensor.shape.iter().product::<u64>() * 4;
        linears += usize::from(check(name, tensor, config.r, base)?);
    }
    match linears {
        0 => Err(format!(
            "`{WEIGHTS}` has no low-rank pair, expected one for each linear it changes"
        )),
        _ => Ok(AdapterShape {
            kind,
            rank: config.r,
            resident_bytes: bytes,
        }),
    }
}

/// Reads the numbers of the adapter in `folder`. Nothing when `keep_going` said no.
///
/// # Errors
/// As [`inspect`], and if a number is not finite.
pub(crate) fn load(
    folder: &Path,
    keep_going: &mut dyn FnMut() -> bool,
) -> Result<Option<Adapter>, String> {
    let bytes = std::fs::read(folder.join(WEIGHTS)).map_err(|error| error.to_string())?;
    Ok(keep_going().then_some(Adapter { bytes }))
}

#[derive(Deserialize)]
struct Config {
    r: usize,
    #[serde(default)]
    use_dora: bool,
    #[serde(default)]
    adapter_type: Option<String>,
}

fn read_config(folder: &Path) -> Result<Config, String> {
    let refuse = |reason: String| format!("`{CONFIG}`: {reason}");
    let file = File::open(folder.join(CONFIG)).map_err(|error| refuse(error.to_string()))?;
    let config: Config = serde_json::from_reader(file.take(MOST_CONFIG_BYTES))
        .map_err(|error| refuse(error.to_string()))?;
    match config.r {
        1..=MOST_RANK => Ok(config),
        rank => Err(refuse(format!("rank {rank}, expected 1 to {MOST_RANK}"))),
    }
}

/// The model an adapter says it was trained on.
pub(crate) fn base_model_name(folder: &Path) -> Option<String> {
    let file = File::open(folder.join(CONFIG)).ok()?;
    let config: Value = serde_json::from_reader(file.take(MOST_CONFIG_BYTES)).ok()?;
    let name = config.get("base_model_name_or_path")?.as_str()?;
    let fits = !name.is_empty() && name.chars().count() <= 200;
    (fits && !name.chars().any(char::is_control)).then(|| name.to_owned())
}

#[derive(Deserialize)]
struct Tensor {
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

fn read_header(path: &Path) -> Result<Vec<(String, Tensor)>, String> {
    let refuse = |reason: String| format!("`{WEIGHTS}`: {reason}");
    let mut file = File::open(path).map_err(|error| refuse(error.to_string()))?;
    let size = file
        .metadata()
        .map_err(|error| refuse(error.to_string()))?
        .len();
    let mut length = [0; 8];
    file.read_exact(&mut length)
        .map_err(|_| refuse(format!("{size} B, expected a header")))?;
    let length = u64::from_le_bytes(length);
    if length > MOST_HEADER_BYTES || length + 8 > size {
        return Err(refuse(format!(
            "a header of {length} B in a file of {size} B"
        )));
    }
    let header: Map<String, Value> = serde_json::from_reader(file.take(length))
        .map_err(|error| refuse(format!("its header: {error}")))?;
    let mut tensors = Vec::new();
    for (name, value) in header {
        if name == "__metadata__" {
            continue;
        }
        let tensor: Tensor = serde_json::from_value(value)
            .map_err(|error| refuse(format!("tensor `{name}`: {error}")))?;
        let (start, end) = tensor.data_offsets;
        if start > end || end > size - 8 - length {
            return Err(refuse(format!(
                "tensor `{name}` ends at {end}, the file has {} B of numbers",
                size - 8 - length
            )));
        }
        tensors.push((name, tensor));
    }
    Ok(tensors)
}

/// Whether a tensor is one half of a pair, and of the shape its linear asks for.
fn check(name: &str, tensor: &Tensor, rank: usize, base: &BaseConfig) -> Result<bool, String> {
    let Some((layer, linear)) = place(name) else {
        return Err(format!(
            "tensor `{name}` belongs to no linear of a model of this kind"
        ));
    };
    if layer >= base.layers {
        return Err(format!(
            "tensor `{name}` is of layer {layer}, the model has {}",
            base.layers
        ));
    }
    let (input, output) = features(linear, base);
    let (rank, input, output) = (rank as u64, input as u64, output as u64);
    let expected: &[u64] = if name.contains("lora_A") || name.ends_with("direction_A") {
        &[rank, input]
    } else if name.contains("lora_B") || name.ends_with("direction_B") {
        &[output, rank]
    } else {
        &[output]
    };
    if tensor.shape != expected {
        return Err(format!(
            "layer {layer} `{linear}`: tensor `{name}` has shape {:?}, the model expects {expected:?}",
            tensor.shape
        ));
    }
    Ok(expected.len() == 2)
}

fn place(name: &str) -> Option<(usize, &'static str)> {
    let rest = name.split_once("layers.")?.1;
    let (layer, rest) = rest.split_once('.')?;
    let linear = LINEARS
        .into_iter()
        .find(|linear| rest.contains(&format!(".{linear}.")))?;
    Some((layer.parse().ok()?, linear))
}

const LINEARS: [&str; 7] = [
    "q_proj",
    "k_proj",
    "v_proj",
    "o_proj",
    "gate_proj",
    "up_proj",
    "down_proj",
];

/// Input and output features of a linear.
fn features(linear: &str, base: &BaseConfig) -> (usize, usize) {
    let (queries, keys) = (base.heads * base.head_dim, base.kv_heads * base.head_dim);
    match linear {
        "q_proj" => (base.hidden, queries),
        "k_proj" | "v_proj" => (base.hidden, keys),
        "o_proj" => (queries, base.hidden),
        "down_proj" => (base.intermediate, base.hidden),
        _ => (base.hidden, base.intermediate),
    }
}
