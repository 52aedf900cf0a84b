//! What a model is, without loading it: for lists and for `model info`.

use std::path::Path;

use serde::Serialize;

use crate::config::{Activation, Family, ModelConfig};
use crate::gguf::Gguf;
use crate::load::{LoadError, packed_copy_bytes, read_plan};

/// Largest README looked at for a licence.
const MAX_README_BYTES: usize = 1 << 20;

/// A model as its headers describe it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelSummary {
    /// What the model calls itself.
    pub name: String,
    /// The layout of its files, for people.
    pub layout: String,
    /// `BitNet` or `Llama`.
    pub family: String,
    /// Elements of all tensors; a tied head counts once.
    pub parameters: u64,
    /// Of those, in ternary linears.
    pub ternary_parameters: u64,
    /// Transformer blocks.
    pub layers: usize,
    /// Width of the residual stream.
    pub hidden: usize,
    /// Query heads.
    pub heads: usize,
    /// Key/value heads.
    pub kv_heads: usize,
    /// Elements in a head.
    pub head_dim: usize,
    /// Width of the feed-forward block.
    pub intermediate: usize,
    /// Rows of the embedding.
    pub vocab: usize,
    /// Longest sequence, in tokens.
    pub context: usize,
    /// `relu2` or `silu`.
    pub activation: String,
    /// Whether the head is the embedding.
    pub tied: bool,
    /// Bytes of the weight files.
    pub file_bytes: u64,
    /// Bytes of the packed copy beside the model, 0 if there is none.
    pub packed_copy_bytes: u64,
    /// Licence as the model's README or metadata states it.
    pub licence: Option<String>,
}

/// The dimensions of a model, from its headers.
///
/// # Errors
/// As [`inspect`].
pub fn config(path: &Path) -> Result<ModelConfig, LoadError> {
    Ok(read_plan(path)?.config)
}

/// Reads headers only; a model that is listed here may still hold bad weights.
///
/// # Errors
/// If there is no model at `path` or its headers are malformed.
pub fn inspect(path: &Path) -> Result<ModelSummary, LoadError> {
    let plan = read_plan(path)?;
    let config = &plan.config;
    let ternary = plan.linears().filter(|linear| linear.encoding.is_ternary());
    Ok(ModelSummary {
        name: config.name.clone(),
        layout: plan.layout.to_owned(),
        family: match config.family {
            Family::BitNet => "BitNet".into(),
            Family::Llama => "Llama".into(),
        },
        parameters: plan.parameters(),
        ternary_parameters: ternary
            .map(|linear| linear.out_features as u64 * linear.in_features as u64)
            .sum(),
        layers: config.layers,
        hidden: config.hidden,
        heads: config.heads,
        kv_heads: config.kv_heads,
        head_dim: config.head_dim,
        intermediate: config.intermediate,
        vocab: config.vocab,
        context: config.context,
        activation: match config.activation {
            Activation::Relu2 => "relu2".into(),
            Activation::Silu => "silu".into(),
        },
        tied: config.tied,
        file_bytes: plan.files.iter().map(|file| file.bytes()).sum(),
        packed_copy_bytes: packed_copy_bytes(&plan),
        licence: licence(plan.files[0].path()),
    })
}

/// The licence from GGUF metadata or from the front matter of the README beside the weights.
fn licence(weights: &Path) -> Option<String> {
    if weights
        .extension()
        .is_some_and(|extension| extension == "gguf")
    {
        let file = Gguf::open(weights).ok()?;
        return file
            .metadata
            .string("general.license")
            .ok()?
            .map(str::to_owned);
    }
    let readme = std::fs::read(weights.parent()?.join("README.md")).ok()?;
    let text = String::from_utf8_lossy(&readme[..readme.len().min(MAX_README_BYTES)]);
    let front = text.strip_prefix("---")?.split("\n---").next()?;
    let named = front
        .lines()
        .find_map(|line| line.strip_prefix("license:"))?;
    let name = named.trim().trim_matches(['"', '\'']);
    (!name.is_empty()).then(|| name.to_owned())
}
