//! The tensors of a BERT checkpoint, brought into the form that the forward pass reads.

use candle_core::{Device, Tensor};

use super::layer::{Layer, Linear};
use super::operations::Norm;
use super::table::InputTable;
use crate::embedding::EmbeddingError;
use crate::embedding::files::Files;
use crate::embedding::settings::BertSettings;
use crate::embedding::tensors::{TensorFile, Tensors};

const WORDS: &str = "embeddings.word_embeddings.weight";

/// Reads the weights of the input table and of all layers.
///
/// # Errors
/// If a tensor is missing, of another shape or type, or not finite.
pub(super) fn read(
    files: &Files<'_>,
    settings: &BertSettings,
) -> Result<(InputTable, Vec<Layer>), EmbeddingError> {
    let file = TensorFile::read(files)?;
    let tensors = file.tensors()?;
    // A checkpoint of a model around the encoder names everything in it so.
    let prefix = match tensors.has(WORDS) {
        true => "",
        false if tensors.has(&format!("bert.{WORDS}")) => "bert.",
        false => "",
    };
    let reader = Reader {
        tensors: &tensors,
        settings,
        prefix,
    };
    let layers = (0..settings.layers).map(|layer| reader.layer(layer));
    Ok((reader.input()?, layers.collect::<Result<_, _>>()?))
}

struct Reader<'a> {
    tensors: &'a Tensors<'a>,
    settings: &'a BertSettings,
    prefix: &'static str,
}

impl Reader<'_> {
    fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, EmbeddingError> {
        let name = format!("{}{name}", self.prefix);
        self.tensors.floats(&name, shape, f32::MAX)
    }

    fn input(&self) -> Result<InputTable, EmbeddingError> {
        let BertSettings {
            hidden,
            vocabulary,
            positions,
            types,
            ..
        } = *self.settings;
        let table = |name: &str, rows| {
            self.floats(
                &format!("embeddings.{name}_embeddings.weight"),
                &[rows, hidden],
            )
        };
        let kinds = table("token_type", types)?;
        let mut places = table("position", positions)?;
        for place in places.chunks_exact_mut(hidden) {
            for (place, kind) in place.iter_mut().zip(&kinds) {
                *place += kind;
            }
        }
        Ok(InputTable {
            hidden,
            words: self.floats(WORDS, &[vocabulary, hidden])?,
            places,
            norm: self.norm("embeddings.LayerNorm")?,
        })
    }

    fn layer(&self, layer: usize) -> Result<Layer, EmbeddingError> {
        let BertSettings {
            hidden,
            intermediate,
            heads,
            ..
        } = *self.settings;
        let name = |part: &str| format!("encoder.layer.{layer}.{part}");
        let scale = 1.0 / ((hidden / heads) as f32).sqrt();
        let mut query = self.rows(&name("attention.self.query"), hidden, hidden)?;
        query.scale(scale);
        let key = self.rows(&name("attention.self.key"), hidden, hidden)?;
        let value = self.rows(&name("attention.self.value"), hidden, hidden)?;
        let linear = |part: &str, input, output| -> Result<Linear, EmbeddingError> {
            let rows = self.rows(&name(part), input, output)?;
            self.linear(&name(part), vec![rows], input)
        };
        Ok(Layer {
            heads,
            query_key_value: self.linear(
                &name("attention.self"),
                vec![query, key, value],
                hidden,
            )?,
            output: linear("attention.output.dense", hidden, hidden)?,
            attention_norm: self.norm(&name("attention.output.LayerNorm"))?,
            up: linear("intermediate.dense", hidden, intermediate)?,
            down: linear("output.dense", intermediate, hidden)?,
            norm: self.norm(&name("output.LayerNorm"))?,
        })
    }

    fn rows(&self, name: &str, input: usize, output: usize) -> Result<Rows, EmbeddingError> {
        Ok(Rows {
            weight: self.floats(&format!("{name}.weight"), &[output, input])?,
            bias: self.floats(&format!("{name}.bias"), &[output])?,
        })
    }

    /// The linears as one, their outputs side by side.
    fn linear(&self, name: &str, parts: Vec<Rows>, input: usize) -> Result<Linear, EmbeddingError> {
        let bias: Vec<f32> = parts.iter().flat_map(|part| &part.bias).copied().collect();
        let mut matrix = vec![0.0; input * bias.len()];
        let rows = parts
            .iter()
            .flat_map(|part| part.weight.chunks_exact(input));
        for (output, row) in rows.enumerate() {
            for (value, line) in row.iter().zip(matrix.chunks_exact_mut(bias.len())) {
                line[output] = *value;
            }
        }
        let shape = (input, bias.len());
        let matrix = Tensor::from_vec(matrix, shape, &Device::Cpu).map_err(|source| {
            EmbeddingError::Tensor {
                name: name.to_owned(),
                action: "hold its weights",
                source,
            }
        })?;
        Ok(Linear { matrix, bias })
    }

    /// A norm under its newer names, or under those of checkpoints converted from TensorFlow.
    fn norm(&self, name: &str) -> Result<Norm, EmbeddingError> {
        let old = self.tensors.has(&format!("{}{name}.gamma", self.prefix));
        let (weight, shift) = if old {
            ("gamma", "beta")
        } else {
            ("weight", "bias")
        };
        let vector = |part: &str| self.floats(&format!("{name}.{part}"), &[self.settings.hidden]);
        Ok(Norm {
            weight: vector(weight)?,
            shift: vector(shift)?,
            eps: self.settings.eps,
        })
    }
}

/// A linear as checkpoints hold it: a row of `weight` for each output.
struct Rows {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Rows {
    fn scale(&mut self, factor: f32) {
        for value in self.weight.iter_mut().chain(&mut self.bias) {
            *value *= factor;
        }
    }
}
