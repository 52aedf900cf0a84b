//! How one linear of a Hub folder is written: packed, masters, ternary floats or dense.

use safetensors::Dtype;

use super::quantization::Quantization;
use super::{Reader, StoredTensor};
use crate::load::LoadError;
use crate::load::plan::{Encoding, LayerPlan, LinearPlan, NormPlan, RowOrder};

/// Rows packed into one byte.
const ROWS_PER_BYTE: usize = 4;

/// Decides the encoding of each linear.
pub(super) struct Linears<'a> {
    pub reader: &'a Reader<'a>,
    pub quantization: Option<&'a Quantization>,
}

impl Linears<'_> {
    /// The linear called `module`, its shape checked.
    ///
    /// # Errors
    /// If a tensor is missing, or its type or shape is not one that this linear can have.
    pub(super) fn linear(
        &self,
        module: &str,
        out_features: usize,
        in_features: usize,
    ) -> Result<LinearPlan, LoadError> {
        let name = format!("{module}.weight");
        let stored = self.reader.require(&name)?;
        let converted = self
            .quantization
            .filter(|quantization| !quantization.excluded.contains(module));
        let encoding = match (stored.dtype, converted) {
            (Dtype::U8, Some(quantization)) => {
                let packed_rows = out_features.div_ceil(ROWS_PER_BYTE);
                self.reader
                    .shape(&name, stored, &[packed_rows, in_features])?;
                let weight_scale = self.weight_scale(module, quantization)?;
                Encoding::HubPacked { weight_scale }
            }
            (Dtype::U8, None) => {
                let expected = "floats, or a `quantization_config` that converts this module";
                return Err(self.reader.refuse(&name, "U8", expected));
            }
            (_, converted) => {
                self.reader
                    .shape(&name, stored, &[out_features, in_features])?;
                self.float_encoding(module, &name, stored, converted)?
            }
        };
        let bias_name = format!("{module}.bias");
        let bias = match self.reader.get(&bias_name) {
            Some(_) => Some(self.reader.vector(&bias_name, out_features)?),
            None => None,
        };
        Ok(LinearPlan {
            name,
            out_features,
            in_features,
            extent: stored.extent.clone(),
            encoding,
            order: RowOrder::AsStored,
            inner_norm: self.inner_norm(module, in_features, converted)?,
            bias,
        })
    }

    /// The head if the checkpoint makes it a BitLinear: a list of exclusions that leaves it out does.
    ///
    /// # Errors
    /// As [`Linears::linear`].
    pub(super) fn head(&self) -> Result<Option<LinearPlan>, LoadError> {
        if self
            .quantization
            .is_none_or(|quantization| quantization.excluded.contains("lm_head"))
        {
            return Ok(None);
        }
        let config = self.reader.config;
        let linear = self.linear("lm_head", config.vocab, config.hidden)?;
        Ok(linear.encoding.is_ternary().then_some(linear))
    }

    fn float_encoding(
        &self,
        module: &str,
        name: &str,
        stored: &StoredTensor,
        converted: Option<&Quantization>,
    ) -> Result<Encoding, LoadError> {
        let element = self.reader.element(name, stored)?;
        let Some(quantization) = converted else {
            return Ok(Encoding::Dense(element));
        };
        if quantization.masters {
            return Ok(Encoding::Masters(element));
        }
        match self.reader.get(&format!("{module}.weight_scale")) {
            Some(_) => {
                let weight_scale = self.weight_scale(module, quantization)?;
                Ok(Encoding::TernaryFloats {
                    element,
                    weight_scale,
                })
            }
            None => Ok(Encoding::Dense(element)),
        }
    }

    /// The multiplier from code to value, whichever way the checkpoint writes it.
    fn weight_scale(&self, module: &str, quantization: &Quantization) -> Result<f32, LoadError> {
        let name = format!("{module}.weight_scale");
        let stored = self.reader.require(&name)?;
        if !matches!(stored.shape.as_slice(), [] | [1]) {
            let found = format!("shape {:?}", stored.shape);
            return Err(self.reader.refuse(&name, found, "one value"));
        }
        let element = self.reader.element(&name, stored)?;
        let bytes = self.reader.shards.files[stored.extent.file]
            .read_vec(stored.extent.offset, stored.extent.bytes)?;
        let mut value = [0.0f32];
        element.decode(&bytes, &mut value);
        let [value] = value;
        let scale = if quantization.scale_multiplies {
            value
        } else {
            1.0 / value
        };
        match value.is_normal() && scale.is_normal() && scale > 0.0 {
            true => Ok(scale),
            false => Err(self
                .reader
                .refuse(&name, value.to_string(), "a positive number")),
        }
    }

    fn inner_norm(
        &self,
        module: &str,
        in_features: usize,
        converted: Option<&Quantization>,
    ) -> Result<Option<NormPlan>, LoadError> {
        let name = format!("{module}.rms_norm.weight");
        match converted.and_then(|quantization| quantization.inner_norm_eps) {
            Some(eps) => self.reader.norm(&name, in_features, eps).map(Some),
            None => match self.reader.get(&name) {
                None => Ok(None),
                Some(_) => Err(self.reader.refuse(
                    &name,
                    "an inner norm",
                    "`use_rms_norm` in `quantization_config`, or no such tensor",
                )),
            },
        }
    }

    /// What to call the layout, from what the linears turned out to be.
    pub(super) fn layout(&self, layers: &[LayerPlan]) -> &'static str {
        let encodings = || {
            layers.iter().flat_map(|layer| {
                let single = [&layer.o, &layer.down];
                layer
                    .qkv
                    .iter()
                    .chain(&layer.gate_up)
                    .chain(single)
                    .map(|linear| linear.encoding)
            })
        };
        let packed = encodings().any(|encoding| matches!(encoding, Encoding::HubPacked { .. }));
        let multiplies = self
            .quantization
            .is_some_and(|quantization| quantization.scale_multiplies);
        if packed && multiplies {
            "safetensors, packed ternary (scale multiplies)"
        } else if packed {
            "safetensors, packed ternary (scale divides)"
        } else if encodings().any(Encoding::is_ternary) {
            "safetensors, master weights ternarised on load"
        } else {
            "safetensors, dense"
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::quantization::Exclusions;

    #[test]
    fn modules_are_left_alone_as_transformers_matches_them() {
        let cases = [
            ("lm_head", "model.layers.0.mlp.gate_proj", true),
            ("model.layers.1", "model.layers.1.mlp.gate_proj", false),
            ("model.layers.1", "model.layers.11.mlp.gate_proj", true),
            ("down_proj", "model.layers.3.mlp.down_proj", false),
            (
                "model.layers.0.self_attn.o_proj",
                "model.layers.0.self_attn.o_proj",
                false,
            ),
            (
                "model.layers.*.self_attn",
                "model.layers.7.self_attn.q_proj",
                false,
            ),
            (
                "model.layers.*.self_attn",
                "model.layers.7.mlp.up_proj",
                true,
            ),
            ("mlp.gate", "model.layers.0.mlp.gate_proj", true),
        ];
        for (pattern, module, converts) in cases {
            let excluded =
                Exclusions::compile(Some(&[pattern.into()]), Path::new("config.json")).unwrap();
            assert_eq!(
                !excluded.contains(module),
                converts,
                "{pattern} on {module}"
            );
        }
    }
}
