//! The tensors of a random model: names, shapes and generated content.

use half::bf16;
use serde_json::{Map, Value, json};

use super::SynthError;
use super::random::Random;
use super::shape::Dimensions;

/// Bytes handed out at once.
const CHUNK_BYTES: usize = 1 << 18;
/// Deviation of embedding weights; logits then deviate by about `EMBEDDING · √hidden`, some 2 for 2560.
const EMBEDDING: f32 = 0.04;
/// Deviation of norm weights around 1.
const NORM: f32 = 0.1;
/// What a block's last linear contributes to the residual stream, relative to its normalised input.
const RESIDUAL: f64 = 0.3;
/// Mean square of a weight drawn evenly from −1, 0, +1.
const TERNARY_VARIANCE: f64 = 2.0 / 3.0;

/// Makes bytes of content from 64 random bits.
type Expand = dyn Fn(u64, &mut Vec<u8>);

/// One tensor of the file.
pub(super) struct Tensor {
    name: String,
    shape: Vec<usize>,
    content: Content,
}

enum Content {
    /// bf16, normal around `mean`.
    Normal { mean: f32, deviation: f32 },
    /// One bf16.
    Scale(f32),
    /// uint8, four random ternary codes a byte.
    Packed,
}

impl Tensor {
    pub(super) fn bytes(&self) -> u64 {
        let elements = self.shape.iter().product::<usize>() as u64;
        match self.content {
            Content::Packed => elements,
            Content::Normal { .. } | Content::Scale(_) => 2 * elements,
        }
    }

    /// Hands the content out in pieces.
    pub(super) fn generate(
        &self,
        seed: u64,
        stream: u64,
        take: &mut dyn FnMut(&[u8]) -> Result<(), SynthError>,
    ) -> Result<(), SynthError> {
        let mut random = Random::new(seed, stream);
        let expand: Box<Expand> = match self.content {
            Content::Scale(value) => return take(&bf16::from_f32(value).to_le_bytes()),
            Content::Packed => {
                let codes = packed_bytes();
                Box::new(move |word, out| {
                    out.extend(word.to_le_bytes().map(|byte| codes[byte as usize]))
                })
            }
            Content::Normal { mean, deviation } => {
                // Drawing from a table of normal values costs one load per element instead of three random numbers.
                let mut draw = Random::new(seed, !stream);
                let values: Vec<[u8; 2]> = (0..1 << 16)
                    .map(|_| bf16::from_f32(mean + deviation * draw.normal()).to_le_bytes())
                    .collect();
                Box::new(move |word, out| {
                    for part in 0..4 {
                        out.extend(values[(word >> (16 * part)) as usize & 0xFFFF]);
                    }
                })
            }
        };
        let mut left = self.bytes() as usize;
        let mut chunk = Vec::with_capacity(CHUNK_BYTES + 8);
        while left > 0 {
            chunk.clear();
            let wanted = left.min(CHUNK_BYTES);
            while chunk.len() < wanted {
                expand(random.next(), &mut chunk);
            }
            take(&chunk[..wanted])?;
            left -= wanted;
        }
        Ok(())
    }
}

/// For each random byte four codes 0, 1, 2; all 81 combinations nearly equally often.
fn packed_bytes() -> [u8; 256] {
    std::array::from_fn(|byte| {
        let combination = byte * 81 / 256;
        [1, 3, 9, 27]
            .iter()
            .enumerate()
            .fold(0, |packed, (lane, power)| {
                packed | ((combination / power % 3) << (2 * lane)) as u8
            })
    })
}

/// Every tensor, in the order of the file.
pub(super) fn all(dimensions: &Dimensions) -> Vec<Tensor> {
    let (hidden, intermediate) = (dimensions.hidden, dimensions.intermediate);
    let attention = dimensions.heads * dimensions.head_dim;
    let kv = dimensions.kv_heads * dimensions.head_dim;
    let embedding = Content::Normal {
        mean: 0.0,
        deviation: EMBEDDING,
    };
    let mut tensors = vec![
        Tensor {
            name: "model.embed_tokens.weight".into(),
            shape: vec![dimensions.vocab, hidden],
            content: embedding,
        },
        norm("model.norm".into(), hidden),
    ];
    for layer in 0..dimensions.layers {
        let name = |suffix: &str| format!("model.layers.{layer}.{suffix}");
        tensors.push(norm(name("input_layernorm"), hidden));
        tensors.push(norm(name("post_attention_layernorm"), hidden));
        tensors.push(norm(name("self_attn.attn_sub_norm"), attention));
        tensors.push(norm(name("mlp.ffn_sub_norm"), intermediate));
        for (suffix, out, input, gain) in [
            ("self_attn.q_proj", attention, hidden, 1.0),
            ("self_attn.k_proj", kv, hidden, 1.0),
            ("self_attn.v_proj", kv, hidden, 1.0),
            ("self_attn.o_proj", hidden, attention, RESIDUAL),
            ("mlp.gate_proj", intermediate, hidden, 1.0),
            ("mlp.up_proj", intermediate, hidden, 1.0),
            ("mlp.down_proj", hidden, intermediate, RESIDUAL),
        ] {
            // Inputs are normalised, so each output is a sum of `input` products of this variance.
            let scale = gain / (input as f64 * TERNARY_VARIANCE).sqrt();
            tensors.push(Tensor {
                name: name(&format!("{suffix}.weight")),
                shape: vec![out.div_ceil(4), input],
                content: Content::Packed,
            });
            tensors.push(Tensor {
                name: name(&format!("{suffix}.weight_scale")),
                shape: vec![1],
                content: Content::Scale(scale as f32),
            });
        }
    }
    tensors
}

fn norm(module: String, length: usize) -> Tensor {
    Tensor {
        name: format!("{module}.weight"),
        shape: vec![length],
        content: Content::Normal {
            mean: 1.0,
            deviation: NORM,
        },
    }
}

/// Length prefix and header of the safetensors file, padded to eight bytes.
pub(super) fn header(tensors: &[Tensor]) -> Vec<u8> {
    let mut entries = Map::new();
    entries.insert("__metadata__".into(), json!({"format": "pt"}));
    let mut offset = 0;
    for tensor in tensors {
        let dtype = match tensor.content {
            Content::Packed => "U8",
            Content::Normal { .. } | Content::Scale(_) => "BF16",
        };
        let end = offset + tensor.bytes();
        let entry = json!({"dtype": dtype, "shape": tensor.shape, "data_offsets": [offset, end]});
        entries.insert(tensor.name.clone(), entry);
        offset = end;
    }
    let mut text = serde_json::to_vec(&Value::Object(entries)).expect("a JSON value prints");
    text.resize(text.len().next_multiple_of(8), b' ');
    let mut out = (text.len() as u64).to_le_bytes().to_vec();
    out.extend(text);
    out
}
