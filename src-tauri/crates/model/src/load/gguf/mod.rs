//! GGUF models: bitnet.cpp's and llama.cpp's ternary files of the architectures `bitnet-b1.58`, `bitnet-25`, `bitnet` and
//! `llama`.

mod config;

use std::path::Path;

use super::LoadError;
use super::plan::{
    Encoding, Extent, LayerPlan, LinearPlan, NormPlan, Plan, RowOrder, TablePlan, VectorPlan,
};
use crate::config::{Family, ModelConfig, RopeScaling};
use crate::element::Element;
use crate::gguf::{Gguf, Kind, TensorInfo};

/// Reads the header of the file and places every part of the model.
///
/// # Errors
/// If the file is malformed, its architecture is not one of ours, or a tensor is missing or has another shape.
pub(crate) fn plan(path: &Path) -> Result<Plan, LoadError> {
    let file = Gguf::open(path)?;
    let mut config = config::read(&file)?;
    let reader = Reader { file: &file };
    if let Some(divisors) = reader.optional("rope_freqs.weight") {
        let vector = reader.vector(&divisors.name, config.head_dim / 2)?;
        config.rope.scaling = Some(RopeScaling::PerFrequency(reader.values(&vector)?));
    }
    config.validate().map_err(LoadError::config(path))?;
    let embedding = reader.table("token_embd.weight", &config)?;
    let head = match config.tied {
        true => None,
        false => Some(reader.table("output.weight", &config)?),
    };
    let final_norm = reader.norm("output_norm.weight", config.hidden, &config)?;
    let layers = (0..config.layers)
        .map(|layer| reader.layer(layer, &config))
        .collect::<Result<Vec<_>, _>>()?;
    let layout = layout(&layers);
    Ok(Plan {
        files: vec![file.source.clone()],
        config,
        layout,
        embedding,
        head,
        bit_linear_head: None,
        final_norm,
        layers,
    })
}

fn layout(layers: &[LayerPlan]) -> &'static str {
    match layers.first().map(|layer| layer.down.encoding) {
        Some(Encoding::I2s { .. }) => "GGUF I2_S",
        Some(Encoding::Tq1 { .. }) => "GGUF TQ1_0",
        Some(Encoding::Tq2 { .. }) => "GGUF TQ2_0",
        Some(Encoding::ScaledOrMasters { .. }) => "GGUF floats, ternarised on load",
        _ => "GGUF, dense",
    }
}

struct Reader<'a> {
    file: &'a Gguf,
}

impl<'a> Reader<'a> {
    fn optional(&self, name: &str) -> Option<&'a TensorInfo> {
        self.file.tensor(name)
    }

    fn require(&self, name: &str) -> Result<&'a TensorInfo, LoadError> {
        self.optional(name)
            .ok_or_else(|| self.refuse(name, "no such tensor", "it in the file"))
    }

    fn refuse(
        &self,
        name: &str,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> LoadError {
        LoadError::malformed(
            self.file.path(),
            format!("tensor `{name}`"),
            found,
            expected,
        )
    }

    fn shape(&self, tensor: &TensorInfo, rows: usize, cols: usize) -> Result<(), LoadError> {
        match (tensor.rows, tensor.cols) == (rows, cols) {
            true => Ok(()),
            false => {
                let found = format!("{} rows of {}", tensor.rows, tensor.cols);
                Err(self.refuse(&tensor.name, found, format!("{rows} rows of {cols}")))
            }
        }
    }

    fn extent(tensor: &TensorInfo) -> Extent {
        Extent {
            file: 0,
            offset: tensor.offset,
            bytes: tensor.bytes,
        }
    }

    fn element(&self, tensor: &TensorInfo) -> Result<Element, LoadError> {
        match tensor.kind {
            Kind::Float(element) => Ok(element),
            other => Err(self.refuse(&tensor.name, format!("type {other:?}"), "a float type")),
        }
    }

    fn table(&self, name: &str, config: &ModelConfig) -> Result<TablePlan, LoadError> {
        let tensor = self.require(name)?;
        self.shape(tensor, config.vocab, config.hidden)?;
        Ok(TablePlan {
            name: name.into(),
            extent: Self::extent(tensor),
            element: self.element(tensor)?,
            rows: tensor.rows,
            cols: tensor.cols,
        })
    }

    fn vector(&self, name: &str, length: usize) -> Result<VectorPlan, LoadError> {
        let tensor = self.require(name)?;
        self.shape(tensor, 1, length)?;
        let element = self.element(tensor)?;
        Ok(VectorPlan {
            name: name.into(),
            extent: Self::extent(tensor),
            element,
            length,
        })
    }

    /// The values of a vector, which is small.
    fn values(&self, vector: &VectorPlan) -> Result<Vec<f32>, LoadError> {
        let bytes = self
            .file
            .source
            .read_vec(vector.extent.offset, vector.extent.bytes)?;
        let mut values = vec![0.0; vector.length];
        vector.element.decode(&bytes, &mut values);
        Ok(values)
    }

    fn norm(&self, name: &str, length: usize, config: &ModelConfig) -> Result<NormPlan, LoadError> {
        Ok(NormPlan {
            weight: self.vector(name, length)?,
            eps: config.rms_eps,
        })
    }

    fn layer(&self, layer: usize, config: &ModelConfig) -> Result<LayerPlan, LoadError> {
        let name = |part: &str| format!("blk.{layer}.{part}");
        let (hidden, attention, kv) = (config.hidden, config.attention_width(), config.kv_width());
        let linear = |part: &str, out, input| {
            self.linear(&name(part), out, input, RowOrder::AsStored, config)
        };
        let rotated = |part: &str, out, input| {
            let order = match config.family {
                Family::BitNet => RowOrder::AsStored,
                Family::Llama => RowOrder::Interleaved {
                    head_dim: config.head_dim,
                },
            };
            self.linear(&name(part), out, input, order, config)
        };
        let norm = |part: &str, length| self.norm(&name(part), length, config);
        let sub_norm = |part: &str, length| match config.sub_norms {
            true => norm(part, length).map(Some),
            false => match self.optional(&name(part)) {
                None => Ok(None),
                Some(tensor) => {
                    Err(self.refuse(&tensor.name, "a sub-norm", "none in this architecture"))
                }
            },
        };
        Ok(LayerPlan {
            input_norm: norm("attn_norm.weight", hidden)?,
            qkv: vec![
                rotated("attn_q", attention, hidden)?,
                rotated("attn_k", kv, hidden)?,
                linear("attn_v", kv, hidden)?,
            ],
            attn_sub_norm: sub_norm("attn_sub_norm.weight", attention)?,
            o: linear("attn_output", hidden, attention)?,
            post_attention_norm: norm("ffn_norm.weight", hidden)?,
            gate_up: vec![
                linear("ffn_gate", config.intermediate, hidden)?,
                linear("ffn_up", config.intermediate, hidden)?,
            ],
            ffn_sub_norm: sub_norm("ffn_sub_norm.weight", config.intermediate)?,
            down: linear("ffn_down", hidden, config.intermediate)?,
        })
    }

    fn linear(
        &self,
        module: &str,
        out_features: usize,
        in_features: usize,
        order: RowOrder,
        config: &ModelConfig,
    ) -> Result<LinearPlan, LoadError> {
        let name = format!("{module}.weight");
        let tensor = self.require(&name)?;
        self.shape(tensor, out_features, in_features)?;
        let bias_name = format!("{module}.bias");
        let bias = match self.optional(&bias_name) {
            None => None,
            Some(_) if order != RowOrder::AsStored => {
                return Err(self.refuse(
                    &bias_name,
                    "a bias of permuted rows",
                    "no bias on q and k",
                ));
            }
            Some(_) => Some(self.vector(&bias_name, out_features)?),
        };
        let weight_scale = self.weight_scale(module)?;
        let encoding = match (tensor.kind, config.family) {
            (Kind::I2s, _) => Encoding::I2s {
                weight_scale: weight_scale * self.i2s_scale(tensor)?,
            },
            (Kind::Tq1, _) => Encoding::Tq1 { weight_scale },
            (Kind::Tq2, _) => Encoding::Tq2 { weight_scale },
            (
                Kind::Float(element @ (Element::F32 | Element::F16 | Element::Bf16)),
                Family::BitNet,
            ) => Encoding::ScaledOrMasters {
                element,
                weight_scale,
            },
            (Kind::Float(element), Family::Llama) => Encoding::Dense(element),
            (Kind::Float(element), Family::BitNet) => {
                let expected = "I2_S, TQ1_0, TQ2_0, F32, F16 or BF16 for a BitNet linear";
                return Err(self.refuse(&name, format!("{element:?}"), expected));
            }
        };
        let extent = Self::extent(tensor);
        Ok(LinearPlan {
            name,
            out_features,
            in_features,
            extent,
            encoding,
            order,
            inner_norm: None,
            bias,
        })
    }

    /// The scale that some converters write as a tensor of its own; 1 where there is none.
    fn weight_scale(&self, module: &str) -> Result<f32, LoadError> {
        let name = format!("{module}.scale");
        if self.optional(&name).is_none() {
            return Ok(1.0);
        }
        let [scale] = self.values(&self.vector(&name, 1)?)?[..] else {
            unreachable!("the vector has one value");
        };
        self.positive(&name, scale)
    }

    /// The f32 behind the blocks of an `I2_S` tensor.
    fn i2s_scale(&self, tensor: &TensorInfo) -> Result<f32, LoadError> {
        let mut bytes = [0; 4];
        let blocks = (tensor.rows * tensor.cols / 4) as u64;
        self.file
            .source
            .read_at(tensor.offset + blocks, &mut bytes)?;
        self.positive(&tensor.name, f32::from_le_bytes(bytes))
    }

    fn positive(&self, name: &str, scale: f32) -> Result<f32, LoadError> {
        match scale.is_normal() && scale > 0.0 {
            true => Ok(scale),
            false => Err(self.refuse(name, format!("scale {scale}"), "a positive number")),
        }
    }
}
