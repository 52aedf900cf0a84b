//! Installed models as hosts see them.

use serde::Serialize;
use std::path::PathBuf;

/// Whether an installed model can be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub enum ModelState {
    /// Every file is there with its recorded size.
    Ready,
    /// It is listed so that it can be removed or fetched again.
    Broken {
        /// What is wrong.
        reason: String,
    },
}

/// One installed model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ModelEntry {
    /// The name by which `--model` finds it.
    pub name: String,
    /// Whether it can be used.
    #[serde(flatten)]
    pub state: ModelState,
    /// Whether it answers when no model is named.
    pub active: bool,
    /// Whether it comes with the program.
    pub built_in: bool,
    /// Where it came from.
    pub source: String,
    /// The version at the source.
    pub revision: Option<String>,
    /// The licence its source states.
    pub licence: Option<String>,
    /// Bytes on disk.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub size_bytes: u64,
    /// Its folder.
    pub path: PathBuf,
}

/// A download that was interrupted and can go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Unfinished {
    /// The name it will have.
    pub name: String,
    /// The repository it comes from.
    pub source: String,
    /// Bytes on disk.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub done_bytes: u64,
    /// Bytes in all.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub total_bytes: u64,
}

/// The shape of a model, as its headers tell it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelShape {
    /// `BitNet` or `Llama`.
    pub architecture: String,
    /// How the files hold the weights.
    pub layout: String,
    /// Of the feed-forward part: `relu2` or `silu`.
    pub activation: String,
    /// Width of the residual stream.
    pub hidden: usize,
    /// Number of layers.
    pub layers: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads.
    pub kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Width of the feed-forward part.
    pub intermediate: usize,
    /// Rows of the embedding.
    pub vocab_size: usize,
    /// The longest conversation, in tokens.
    pub context_tokens: usize,
    /// Whether the head is the embedding.
    pub tied_head: bool,
    /// All weights; a tied head counts once.
    pub parameters: u64,
    /// Of those, ternary ones.
    pub ternary_parameters: u64,
    /// Bytes of the packed copy kept for faster loading; 0 if there is none.
    pub packed_copy_bytes: u64,
    /// As the files state it.
    pub licence: Option<String>,
}

/// What `model info` tells.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelReport {
    /// The installed model, or the path that was named.
    #[serde(flatten)]
    pub entry: ModelEntry,
    /// Its shape, when its files can be read.
    pub shape: Option<ModelShape>,
    /// Its files.
    pub files: Vec<FileRecord>,
}

/// One file of an installed model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct FileRecord {
    /// Path inside the model's folder, with `/`.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Lower-case hexadecimal.
    pub sha256: String,
}

/// What `model verify` found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// The model.
    pub name: String,
    /// Whether every file is as recorded and the model can be read.
    pub ok: bool,
    /// Each file, with what is wrong with it.
    pub files: Vec<FileCheck>,
    /// What the reader of models says, when it refuses.
    pub error: Option<String>,
}

/// One verified file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileCheck {
    /// Path inside the model's folder.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// What is wrong, or nothing.
    pub problem: Option<String>,
}
