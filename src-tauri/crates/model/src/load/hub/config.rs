//! `config.json` and `generation_config.json` of a Hub folder.
//!
//! Defaults are those of transformers' configuration classes; what decides a shape has none.

use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::quantization::{Quantization, RawQuantization};
use crate::config::{Activation, Family, ModelConfig, Rope, RopeScaling};
use crate::load::LoadError;
use crate::load::source::Source;

/// Largest JSON file accepted beside the weights.
const MAX_JSON_BYTES: u64 = 64 << 20;
/// `config.json` as far as it concerns us.
#[derive(Debug, Deserialize)]
struct RawConfig {
    #[serde(default)]
    architectures: Option<Vec<String>>,
    #[serde(default)]
    model_type: Option<String>,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    intermediate_size: usize,
    vocab_size: usize,
    max_position_embeddings: Option<usize>,
    rms_norm_eps: Option<f32>,
    rope_theta: Option<f32>,
    rope_scaling: Option<RawRope>,
    rope_parameters: Option<RawRope>,
    partial_rotary_factor: Option<f32>,
    hidden_act: Option<String>,
    tie_word_embeddings: Option<bool>,
    bos_token_id: Option<u32>,
    eos_token_id: Option<Ids>,
    weight_bits: Option<u32>,
    quantization_config: Option<RawQuantization>,
    sliding_window: Option<usize>,
}

#[derive(Debug, Deserialize)]
struct RawRope {
    rope_theta: Option<f32>,
    rope_type: Option<String>,
    /// The older name of `rope_type`; some files have both.
    r#type: Option<String>,
    factor: Option<f32>,
    low_freq_factor: Option<f32>,
    high_freq_factor: Option<f32>,
    original_max_position_embeddings: Option<usize>,
    partial_rotary_factor: Option<f32>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Ids {
    One(u32),
    Many(Vec<u32>),
}

#[derive(Debug, Deserialize)]
struct RawGeneration {
    bos_token_id: Option<u32>,
    eos_token_id: Option<Ids>,
}

/// Reads both files of `folder`.
///
/// # Errors
/// If `config.json` is missing or does not describe a model of ours.
pub(crate) fn read(folder: &Path) -> Result<(ModelConfig, Option<Quantization>), LoadError> {
    let path = folder.join("config.json");
    let raw: RawConfig = read_json(&path)?;
    let one_bit_llm = raw.weight_bits == Some(1)
        && raw
            .architectures
            .as_deref()
            .is_some_and(|classes| classes == ["BitnetForCausalLM"]);
    let quantization = Quantization::read(raw.quantization_config.as_ref(), one_bit_llm, &path)?;
    let mut config = model_config(&raw, folder, &path)?;
    let generation_path = folder.join("generation_config.json");
    if generation_path.exists() {
        let generation: RawGeneration = read_json(&generation_path)?;
        config.bos = config.bos.or(generation.bos_token_id);
        for id in ids(&generation.eos_token_id) {
            if !config.eos.contains(&id) {
                config.eos.push(id);
            }
        }
    }
    config.validate().map_err(LoadError::config(&path))?;
    Ok((config, quantization))
}

/// Reads a JSON file of bounded size.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, LoadError> {
    let source = Source::open(path)?;
    if source.bytes() > MAX_JSON_BYTES {
        let found = format!("{} bytes", source.bytes());
        return Err(LoadError::malformed(
            path,
            "file size",
            found,
            format!("at most {MAX_JSON_BYTES}"),
        ));
    }
    let text = source.read_vec(0, source.bytes())?;
    serde_json::from_slice(&text).map_err(|source| LoadError::Json {
        path: path.to_owned(),
        source,
    })
}

fn ids(ids: &Option<Ids>) -> Vec<u32> {
    match ids {
        None => Vec::new(),
        Some(Ids::One(id)) => vec![*id],
        Some(Ids::Many(ids)) => ids.clone(),
    }
}

/// The published arrangements, by the class that computes them.
fn family(raw: &RawConfig, path: &Path) -> Result<Family, LoadError> {
    let class = raw
        .architectures
        .as_deref()
        .and_then(<[String]>::first)
        .map(String::as_str);
    let found = match (class, raw.model_type.as_deref()) {
        (Some("BitNetForCausalLM" | "BitnetForCausalLM"), _) | (None, Some("bitnet")) => {
            return Ok(Family::BitNet);
        }
        (Some("LlamaForCausalLM"), _) | (None, Some("llama")) => return Ok(Family::Llama),
        (class, model_type) => class.or(model_type).unwrap_or("nothing"),
    };
    Err(LoadError::Unsupported {
        path: path.to_owned(),
        place: "`architectures`".into(),
        found: format!("`{found}`"),
        supported: "`BitNetForCausalLM`, `BitnetForCausalLM` and `LlamaForCausalLM`",
    })
}

fn model_config(raw: &RawConfig, folder: &Path, path: &Path) -> Result<ModelConfig, LoadError> {
    let family = family(raw, path)?;
    let (default_eps, default_theta, default_act) = match family {
        Family::BitNet => (1e-5, 500_000.0, "relu2"),
        Family::Llama => (1e-6, 10_000.0, "silu"),
    };
    let activation = match raw.hidden_act.as_deref().unwrap_or(default_act) {
        "relu2" => Activation::Relu2,
        "silu" | "swish" => Activation::Silu,
        other => {
            return Err(LoadError::Unsupported {
                path: path.to_owned(),
                place: "`hidden_act`".into(),
                found: format!("`{other}`"),
                supported: "`relu2` and `silu`",
            });
        }
    };
    let context = raw.max_position_embeddings.unwrap_or(2048);
    if let Some(window) = raw.sliding_window
        && window < context
    {
        return Err(LoadError::Unsupported {
            path: path.to_owned(),
            place: "`sliding_window`".into(),
            found: format!("a window of {window} tokens"),
            supported: "full attention",
        });
    }
    let head_dim = match (raw.head_dim, raw.num_attention_heads) {
        (Some(head_dim), _) => head_dim,
        (None, 0) => 0,
        (None, heads) if raw.hidden_size.is_multiple_of(heads) => raw.hidden_size / heads,
        (None, heads) => {
            let found = format!("{heads} for a hidden size of {}", raw.hidden_size);
            return Err(LoadError::malformed(
                path,
                "`num_attention_heads`",
                found,
                "a divisor or `head_dim`",
            ));
        }
    };
    let name = folder.canonicalize().ok();
    let name = name.as_deref().unwrap_or(folder).file_name();
    Ok(ModelConfig {
        name: name.map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
        family,
        hidden: raw.hidden_size,
        layers: raw.num_hidden_layers,
        heads: raw.num_attention_heads,
        kv_heads: raw.num_key_value_heads.unwrap_or(raw.num_attention_heads),
        head_dim,
        intermediate: raw.intermediate_size,
        vocab: raw.vocab_size,
        context,
        rms_eps: raw.rms_norm_eps.unwrap_or(default_eps),
        rope: rope(raw, default_theta, context, path)?,
        activation,
        tied: raw.tie_word_embeddings.unwrap_or(false),
        sub_norms: family == Family::BitNet,
        bos: raw.bos_token_id,
        eos: ids(&raw.eos_token_id),
    })
}

fn rope(
    raw: &RawConfig,
    default_theta: f32,
    context: usize,
    path: &Path,
) -> Result<Rope, LoadError> {
    // `rope_parameters` is the newer spelling and holds theta too.
    let raw_rope = raw.rope_parameters.as_ref().or(raw.rope_scaling.as_ref());
    let theta = raw_rope
        .and_then(|rope| rope.rope_theta)
        .or(raw.rope_theta)
        .unwrap_or(default_theta);
    let unsupported = |found: String| LoadError::Unsupported {
        path: path.to_owned(),
        place: "rotary embedding".into(),
        found,
        supported: "`default`, `linear` and `llama3` over whole heads",
    };
    let partial = raw_rope
        .and_then(|rope| rope.partial_rotary_factor)
        .or(raw.partial_rotary_factor);
    if let Some(part) = partial
        && part != 1.0
    {
        return Err(unsupported(format!("`partial_rotary_factor` {part}")));
    }
    let Some(raw_rope) = raw_rope else {
        return Ok(Rope {
            theta,
            scaling: None,
        });
    };
    let field = |name: &str, value: Option<f32>| {
        value.ok_or_else(|| {
            LoadError::malformed(
                path,
                format!("rotary scaling `{name}`"),
                "nothing",
                "a number",
            )
        })
    };
    let scaling = match raw_rope
        .rope_type
        .as_deref()
        .or(raw_rope.r#type.as_deref())
        .unwrap_or("default")
    {
        "default" => None,
        "linear" => Some(RopeScaling::Linear {
            factor: field("factor", raw_rope.factor)?,
        }),
        "llama3" => Some(RopeScaling::Llama3 {
            factor: field("factor", raw_rope.factor)?,
            low_freq_factor: field("low_freq_factor", raw_rope.low_freq_factor)?,
            high_freq_factor: field("high_freq_factor", raw_rope.high_freq_factor)?,
            original_context: raw_rope.original_max_position_embeddings.unwrap_or(context),
        }),
        other => return Err(unsupported(format!("`{other}`"))),
    };
    Ok(Rope { theta, scaling })
}
