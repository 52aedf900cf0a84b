//! Writes the fixture as a GGUF file, from parts that a test may spoil.

use std::path::Path;

use half::f16;

use super::fixture::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    I2s,
    Tq1,
    Tq2,
    F16,
}

/// One metadata entry: key, type id, encoded value.
pub type Entry = (String, u32, Vec<u8>);

/// One tensor: name, dimensions with the fastest first, type id, bytes.
#[derive(Clone)]
pub struct Tensor {
    pub name: String,
    pub shape: Vec<u64>,
    pub kind: u32,
    pub bytes: Vec<u8>,
}

pub struct Model {
    pub version: u32,
    pub metadata: Vec<Entry>,
    pub tensors: Vec<Tensor>,
    /// Offsets to write instead of the computed ones.
    pub offsets: Vec<(usize, u64)>,
}

pub fn string(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}

pub fn text_entry(key: &str, text: &str) -> Entry {
    (key.into(), 8, string(text))
}

pub fn u32_entry(key: &str, value: u32) -> Entry {
    (key.into(), 4, value.to_le_bytes().into())
}

pub fn f32_entry(key: &str, value: f32) -> Entry {
    (key.into(), 6, value.to_le_bytes().into())
}

impl Model {
    pub fn new(architecture: &str, format: Format) -> Self {
        let key = |suffix: &str| format!("{architecture}.{suffix}");
        let metadata = vec![
            text_entry("general.architecture", architecture),
            u32_entry(&key("block_count"), LAYERS as u32),
            u32_entry(&key("context_length"), 128),
            u32_entry(&key("embedding_length"), HIDDEN as u32),
            u32_entry(&key("feed_forward_length"), INTERMEDIATE as u32),
            u32_entry(&key("attention.head_count"), HEADS as u32),
            u32_entry(&key("attention.head_count_kv"), KV_HEADS as u32),
            f32_entry(&key("attention.layer_norm_rms_epsilon"), 1e-5),
            f32_entry(&key("rope.freq_base"), 500_000.0),
            u32_entry("tokenizer.ggml.bos_token_id", 1),
            u32_entry("tokenizer.ggml.eos_token_id", 2),
        ];
        let mut tensors = vec![
            f16_tensor(
                "token_embd.weight",
                &[HIDDEN, VOCAB],
                &floats(1, VOCAB * HIDDEN),
            ),
            f32_tensor("output_norm.weight", &floats(2, HIDDEN)),
        ];
        for layer in 0..LAYERS {
            let mut norm = |part: &str, length| {
                tensors.push(f32_tensor(
                    &format!("blk.{layer}.{part}.weight"),
                    &floats(10, length),
                ));
            };
            norm("attn_norm", HIDDEN);
            norm("ffn_norm", HIDDEN);
            if architecture != "llama" {
                norm("attn_sub_norm", HEADS * HEAD_DIM);
                norm("ffn_sub_norm", INTERMEDIATE);
            }
            for (index, (_, name, rows, cols)) in LINEARS.iter().enumerate() {
                let mut codes = codes(layer, index);
                if architecture == "llama" && index < 2 {
                    codes.codes = interleaved(&codes.codes, *cols);
                }
                tensors.push(Tensor {
                    name: format!("blk.{layer}.{name}.weight"),
                    shape: vec![*cols as u64, *rows as u64],
                    kind: kind(format),
                    bytes: encode(&codes, format),
                });
            }
        }
        Self {
            version: 3,
            metadata,
            tensors,
            offsets: Vec::new(),
        }
    }

    pub fn tensor(&mut self, name: &str) -> &mut Tensor {
        self.tensors
            .iter_mut()
            .find(|tensor| tensor.name == name)
            .expect("the fixture has it")
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut file = b"GGUF".to_vec();
        file.extend(self.version.to_le_bytes());
        file.extend((self.tensors.len() as u64).to_le_bytes());
        file.extend((self.metadata.len() as u64).to_le_bytes());
        for (key, kind, value) in &self.metadata {
            file.extend(string(key));
            file.extend(kind.to_le_bytes());
            file.extend(value);
        }
        let mut offset = 0u64;
        let mut data = Vec::new();
        for (index, tensor) in self.tensors.iter().enumerate() {
            file.extend(string(&tensor.name));
            file.extend((tensor.shape.len() as u32).to_le_bytes());
            tensor
                .shape
                .iter()
                .for_each(|length| file.extend(length.to_le_bytes()));
            file.extend(tensor.kind.to_le_bytes());
            let written = self.offsets.iter().find(|(other, _)| *other == index);
            file.extend(written.map_or(offset, |(_, offset)| *offset).to_le_bytes());
            data.extend(&tensor.bytes);
            data.resize(data.len().next_multiple_of(32), 0);
            offset = data.len() as u64;
        }
        file.resize(file.len().next_multiple_of(32), 0);
        file.extend(data);
        file
    }

    pub fn write(&self, path: &Path) {
        std::fs::write(path, self.bytes()).unwrap();
    }
}

pub fn f16_tensor(name: &str, shape: &[usize], values: &[f32]) -> Tensor {
    Tensor {
        name: name.into(),
        shape: shape.iter().map(|&length| length as u64).collect(),
        kind: 1,
        bytes: values
            .iter()
            .flat_map(|&value| f16::from_f32(value).to_le_bytes())
            .collect(),
    }
}

pub fn f32_tensor(name: &str, values: &[f32]) -> Tensor {
    Tensor {
        name: name.into(),
        shape: vec![values.len() as u64],
        kind: 0,
        bytes: f32_bytes(values),
    }
}

fn kind(format: Format) -> u32 {
    match format {
        Format::F16 => 1,
        Format::Tq1 => 34,
        Format::Tq2 => 35,
        Format::I2s => 36,
    }
}

/// What llama.cpp's converter does to q and k: row `j·half + i` of a head moves to `2i + j`.
fn interleaved(codes: &[i8], cols: usize) -> Vec<i8> {
    let mut out = vec![0; codes.len()];
    let half = HEAD_DIM / 2;
    for (row, codes) in codes.chunks_exact(cols).enumerate() {
        let (head, in_head) = (row / HEAD_DIM, row % HEAD_DIM);
        let moved = head * HEAD_DIM + 2 * (in_head % half) + in_head / half;
        out[moved * cols..][..cols].copy_from_slice(codes);
    }
    out
}

fn encode(codes: &Codes, format: Format) -> Vec<u8> {
    match format {
        Format::F16 => {
            let values = codes
                .codes
                .iter()
                .map(|&code| f16::from_f32(f32::from(code) * codes.scale));
            values.flat_map(f16::to_le_bytes).collect()
        }
        Format::I2s => {
            let mut bytes = Vec::new();
            for block in codes.codes.chunks_exact(128) {
                bytes.extend((0..32).map(|place| {
                    (0..4).fold(0u8, |byte, run| {
                        byte | ((block[32 * run + place] + 1) as u8) << (6 - 2 * run)
                    })
                }));
            }
            bytes.extend(codes.scale.to_le_bytes());
            bytes.resize(bytes.len() + 28, 0);
            bytes
        }
        Format::Tq2 => encode_blocks(codes, |block, bytes| {
            for half in block.chunks_exact(128) {
                bytes.extend((0..32).map(|place| {
                    (0..4).fold(0u8, |byte, run| {
                        byte | ((half[32 * run + place] + 1) as u8) << (2 * run)
                    })
                }));
            }
        }),
        Format::Tq1 => encode_blocks(codes, |block, bytes| {
            for (first, width, digits) in [(0, 32, 5), (160, 16, 5), (240, 4, 4)] {
                bytes.extend((0..width).map(|place| {
                    let number = (0..5u32).fold(0u32, |number, digit| {
                        let digit = digit as usize;
                        let value = if digit < digits {
                            block[first + digit * width + place] + 1
                        } else {
                            0
                        };
                        number * 3 + value as u32
                    });
                    (number * 256).div_ceil(243) as u8
                }));
            }
        }),
    }
}

fn encode_blocks(codes: &Codes, encode: impl Fn(&[i8], &mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    for block in codes.codes.chunks_exact(256) {
        encode(block, &mut bytes);
        bytes.extend(f16::from_f32(codes.scale).to_le_bytes());
    }
    bytes
}
