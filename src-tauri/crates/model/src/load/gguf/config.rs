//! From GGUF metadata to a [`ModelConfig`].

use crate::config::{Activation, Family, ModelConfig, Rope, RopeScaling};
use crate::gguf::{Gguf, MetadataError};
use crate::load::LoadError;

/// Reads the configuration; a `rope_freqs` tensor and the validation of bounds are the caller's.
///
/// # Errors
/// If the architecture is not one of ours or an entry is missing or of another type.
pub(super) fn read(file: &Gguf) -> Result<ModelConfig, LoadError> {
    let fields = Fields::new(file)?;
    let (family, activation) = match fields.architecture {
        "bitnet-b1.58" | "bitnet-25" => (Family::BitNet, Activation::Relu2),
        "bitnet" => (Family::BitNet, Activation::Silu),
        "llama" => (Family::Llama, Activation::Silu),
        other => {
            return Err(LoadError::Unsupported {
                path: file.path().to_owned(),
                place: "`general.architecture`".into(),
                found: format!("`{other}`"),
                supported: "`bitnet-b1.58`, `bitnet-25`, `bitnet` and `llama`",
            });
        }
    };
    fields.refuse_experts()?;
    let hidden = fields.size("embedding_length")?;
    let heads = fields.size("attention.head_count")?;
    let derived = hidden.checked_div(heads).unwrap_or(0);
    let head_dim = fields.size_or("attention.key_length", derived)?;
    for key in ["attention.value_length", "rope.dimension_count"] {
        let found = fields.size_or(key, head_dim)?;
        if found != head_dim {
            let place = format!("metadata `{}`", fields.key(key));
            let expected = format!("the head's {head_dim}");
            return Err(LoadError::malformed(
                file.path(),
                place,
                found.to_string(),
                expected,
            ));
        }
    }
    let Some(embedding) = file.tensor("token_embd.weight") else {
        return Err(LoadError::malformed(
            file.path(),
            "tensor `token_embd.weight`",
            "no such tensor",
            "it in the file",
        ));
    };
    let mut eos = Vec::new();
    for key in ["tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id"] {
        let id = fields.at(file.metadata.id(key))?;
        if let Some(id) = id.filter(|id| !eos.contains(id)) {
            eos.push(id);
        }
    }
    let stem = file
        .path()
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned());
    let name = fields
        .at(file.metadata.string("general.name"))?
        .map(str::to_owned);
    Ok(ModelConfig {
        name: name.or(stem).unwrap_or_default(),
        family,
        hidden,
        layers: fields.size("block_count")?,
        heads,
        kv_heads: fields.size_or("attention.head_count_kv", heads)?,
        head_dim,
        intermediate: fields.size("feed_forward_length")?,
        vocab: embedding.rows,
        context: fields.size("context_length")?,
        rms_eps: fields
            .float("attention.layer_norm_rms_epsilon")?
            .unwrap_or(1e-5),
        rope: fields.rope()?,
        activation,
        tied: file.tensor("output.weight").is_none(),
        sub_norms: family == Family::BitNet,
        bos: fields.at(file.metadata.id("tokenizer.ggml.bos_token_id"))?,
        eos,
    })
}

/// Entries below the architecture's prefix.
struct Fields<'a> {
    file: &'a Gguf,
    architecture: &'a str,
}

impl<'a> Fields<'a> {
    fn new(file: &'a Gguf) -> Result<Self, LoadError> {
        let architecture = match file.metadata.string("general.architecture") {
            Ok(Some(architecture)) => architecture,
            Ok(None) => {
                let place = "metadata `general.architecture`";
                return Err(LoadError::malformed(
                    file.path(),
                    place,
                    "nothing",
                    "an architecture",
                ));
            }
            Err(error) => return Err(error.at(file.path())),
        };
        Ok(Self { file, architecture })
    }

    fn at<T>(&self, result: Result<T, MetadataError>) -> Result<T, LoadError> {
        result.map_err(|error| error.at(self.file.path()))
    }

    fn key(&self, suffix: &str) -> String {
        format!("{}.{suffix}", self.architecture)
    }

    /// A dimension; per-layer lists are accepted when all layers agree.
    fn optional_size(&self, suffix: &str) -> Result<Option<usize>, LoadError> {
        let key = self.key(suffix);
        if let Ok(Some([first, rest @ ..])) = self.file.metadata.integers(&key)
            && rest.iter().all(|value| value == first)
        {
            return Ok(usize::try_from(*first).ok());
        }
        // A u64 that does not fit is clamped and refused by the bounds of the configuration.
        let value = self.at(self.file.metadata.unsigned(&key))?;
        Ok(value.map(|value| usize::try_from(value).unwrap_or(usize::MAX)))
    }

    fn size(&self, suffix: &str) -> Result<usize, LoadError> {
        self.optional_size(suffix)?.ok_or_else(|| {
            let place = format!("metadata `{}`", self.key(suffix));
            LoadError::malformed(self.file.path(), place, "nothing", "an integer")
        })
    }

    fn size_or(&self, suffix: &str, default: usize) -> Result<usize, LoadError> {
        Ok(self.optional_size(suffix)?.unwrap_or(default))
    }

    fn float(&self, suffix: &str) -> Result<Option<f32>, LoadError> {
        Ok(self
            .at(self.file.metadata.float(&self.key(suffix)))?
            .map(|value| value as f32))
    }

    fn rope(&self) -> Result<Rope, LoadError> {
        let theta = self.float("rope.freq_base")?.unwrap_or(10_000.0);
        let kind = self.at(self.file.metadata.string(&self.key("rope.scaling.type")))?;
        // Converters of the first BitNet models write a linear scaling of factor 1.
        let factor = self
            .float("rope.scaling.factor")?
            .filter(|&factor| factor != 1.0);
        let scaling = match (kind.unwrap_or("none"), factor) {
            ("none", _) | ("linear", None) => None,
            ("linear", Some(factor)) => Some(RopeScaling::Linear { factor }),
            (other, _) => {
                return Err(LoadError::Unsupported {
                    path: self.file.path().to_owned(),
                    place: format!("metadata `{}`", self.key("rope.scaling.type")),
                    found: format!("`{other}`"),
                    supported: "`none`, `linear` and a `rope_freqs` tensor",
                });
            }
        };
        Ok(Rope { theta, scaling })
    }

    fn refuse_experts(&self) -> Result<(), LoadError> {
        match self.optional_size("expert_count")? {
            None | Some(0) => Ok(()),
            Some(count) => Err(LoadError::Unsupported {
                path: self.file.path().to_owned(),
                place: format!("metadata `{}`", self.key("expert_count")),
                found: format!("{count} experts"),
                supported: "models without experts",
            }),
        }
    }
}
