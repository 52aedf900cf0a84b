//! Hub folders: `config.json` beside safetensors files, in the layouts that transformers and the published
//! checkpoints use.

mod config;
mod linear;
mod quantization;
mod shards;

use std::path::Path;

use safetensors::Dtype;

pub(crate) use config::read_json;

use super::LoadError;
use super::plan::{LayerPlan, NormPlan, Plan, TablePlan, VectorPlan};
use crate::config::ModelConfig;
use crate::element::Element;
use linear::Linears;
use shards::{Shards, StoredTensor};

/// Reads configuration and headers of the folder.
///
/// # Errors
/// If a file is missing or malformed, or a tensor is missing or does not have the configured shape.
pub(crate) fn plan(folder: &Path) -> Result<Plan, LoadError> {
    let (config, quantization) = config::read(folder)?;
    let shards = Shards::open(folder)?;
    let reader = Reader {
        config: &config,
        shards: &shards,
    };
    reader.refuse_foreign_sub_norms()?;
    let linears = Linears {
        reader: &reader,
        quantization: quantization.as_ref(),
    };
    let layers = (0..config.layers)
        .map(|layer| linears.layer(layer))
        .collect::<Result<Vec<_>, _>>()?;
    let embedding = reader.table("model.embed_tokens.weight")?;
    let (head, bit_linear_head) = match config.tied {
        true => (None, None),
        false => match linears.head()? {
            Some(bit_linear) => (None, Some(bit_linear)),
            None => (Some(reader.table("lm_head.weight")?), None),
        },
    };
    let final_norm = reader.norm("model.norm.weight", config.hidden, config.rms_eps)?;
    let layout = linears.layout(&layers);
    Ok(Plan {
        files: shards.files,
        config,
        layout,
        embedding,
        head,
        bit_linear_head,
        final_norm,
        layers,
    })
}

/// Looks tensors up by name and checks their shape and type.
struct Reader<'a> {
    config: &'a ModelConfig,
    shards: &'a Shards,
}

impl<'a> Reader<'a> {
    fn get(&self, name: &str) -> Option<&'a StoredTensor> {
        self.shards.tensors.get(name)
    }

    fn require(&self, name: &str) -> Result<&'a StoredTensor, LoadError> {
        self.get(name)
            .ok_or_else(|| self.refuse(name, "no such tensor", "it in the checkpoint"))
    }

    fn refuse(
        &self,
        name: &str,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> LoadError {
        // A missing tensor belongs to no file in particular; the first one stands for the model.
        let file = self.get(name).map_or(0, |stored| stored.extent.file);
        LoadError::malformed(
            self.shards.files[file].path(),
            format!("tensor `{name}`"),
            found,
            expected,
        )
    }

    fn element(&self, name: &str, stored: &StoredTensor) -> Result<Element, LoadError> {
        match stored.dtype {
            Dtype::F32 => Ok(Element::F32),
            Dtype::F16 => Ok(Element::F16),
            Dtype::BF16 => Ok(Element::Bf16),
            other => Err(self.refuse(name, format!("{other:?}"), "F32, F16 or BF16")),
        }
    }

    fn shape(
        &self,
        name: &str,
        stored: &StoredTensor,
        expected: &[usize],
    ) -> Result<(), LoadError> {
        match stored.shape == expected {
            true => Ok(()),
            false => Err(self.refuse(
                name,
                format!("shape {:?}", stored.shape),
                format!("shape {expected:?}"),
            )),
        }
    }

    fn table(&self, name: &str) -> Result<TablePlan, LoadError> {
        let (rows, cols) = (self.config.vocab, self.config.hidden);
        let stored = self.require(name)?;
        self.shape(name, stored, &[rows, cols])?;
        let element = self.element(name, stored)?;
        Ok(TablePlan {
            name: name.into(),
            extent: stored.extent.clone(),
            element,
            rows,
            cols,
        })
    }

    fn vector(&self, name: &str, length: usize) -> Result<VectorPlan, LoadError> {
        let stored = self.require(name)?;
        self.shape(name, stored, &[length])?;
        let element = self.element(name, stored)?;
        Ok(VectorPlan {
            name: name.into(),
            extent: stored.extent.clone(),
            element,
            length,
        })
    }

    fn norm(&self, name: &str, length: usize, eps: f32) -> Result<NormPlan, LoadError> {
        Ok(NormPlan {
            weight: self.vector(name, length)?,
            eps,
        })
    }

    /// The sub-norms of a layer under their two published names.
    fn sub_norm(&self, names: [String; 2], length: usize) -> Result<Option<NormPlan>, LoadError> {
        if !self.config.sub_norms {
            return Ok(None);
        }
        let [first, second] = names;
        let name = if self.get(&first).is_none() && self.get(&second).is_some() {
            second
        } else {
            first
        };
        self.norm(&name, length, self.config.rms_eps).map(Some)
    }

    /// Leaving a norm out turns a model into noise; an architecture without sub-norms must not carry any.
    fn refuse_foreign_sub_norms(&self) -> Result<(), LoadError> {
        if self.config.sub_norms {
            return Ok(());
        }
        let names = sub_norm_names(0);
        match names.iter().flatten().find(|name| self.get(name).is_some()) {
            None => Ok(()),
            Some(name) => Err(self.refuse(name, "a sub-norm", "none in a `LlamaForCausalLM`")),
        }
    }
}

/// Names of the norms before the output and before the down projection: transformers', then 1bitLLM's.
fn sub_norm_names(layer: usize) -> [[String; 2]; 2] {
    let name = |suffix: &str| format!("model.layers.{layer}.{suffix}.weight");
    [
        [
            name("self_attn.attn_sub_norm"),
            name("self_attn.inner_attn_ln"),
        ],
        [name("mlp.ffn_sub_norm"), name("mlp.ffn_layernorm")],
    ]
}

impl Linears<'_> {
    fn layer(&self, layer: usize) -> Result<LayerPlan, LoadError> {
        let (reader, config) = (self.reader, self.reader.config);
        let name = |suffix: &str| format!("model.layers.{layer}.{suffix}");
        let norm = |suffix: &str| reader.norm(&name(suffix), config.hidden, config.rms_eps);
        let [attn, ffn] = sub_norm_names(layer);
        let (hidden, attention, kv) = (config.hidden, config.attention_width(), config.kv_width());
        let linear = |suffix: &str, out, input| self.linear(&name(suffix), out, input);
        Ok(LayerPlan {
            input_norm: norm("input_layernorm.weight")?,
            qkv: vec![
                linear("self_attn.q_proj", attention, hidden)?,
                linear("self_attn.k_proj", kv, hidden)?,
                linear("self_attn.v_proj", kv, hidden)?,
            ],
            attn_sub_norm: reader.sub_norm(attn, attention)?,
            o: linear("self_attn.o_proj", hidden, attention)?,
            post_attention_norm: norm("post_attention_layernorm.weight")?,
            gate_up: vec![
                linear("mlp.gate_proj", config.intermediate, hidden)?,
                linear("mlp.up_proj", config.intermediate, hidden)?,
            ],
            ffn_sub_norm: reader.sub_norm(ffn, config.intermediate)?,
            down: linear("mlp.down_proj", hidden, config.intermediate)?,
        })
    }
}
