//! Storage types of GGUF tensors that this build can size; what may be computed with them is decided by the loader.

use candle_core::quantized::GgmlDType;

use crate::element::Element;

/// Values in a block of the ternary types `TQ1_0` and `TQ2_0`.
pub const TQ_BLOCK: usize = 256;
/// Bytes of a `TQ1_0` block: 240 values five to a byte, 16 four to a byte, an f16 scale.
pub const TQ1_BYTES: usize = 48 + 4 + 2;
/// Bytes of a `TQ2_0` block: 64 bytes of four codes, an f16 scale.
pub const TQ2_BYTES: usize = 64 + 2;
/// Values in a block of `I2_S`.
pub const I2S_BLOCK: usize = 128;
/// Bytes after the blocks of an `I2_S` tensor; the first four are its f32 scale.
pub const I2S_TAIL: usize = 32;

/// How a tensor is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Floats, plain or in blocks.
    Float(Element),
    /// Ternary, 1.6875 bits a value, a scale per 256.
    Tq1,
    /// Ternary, 2.0625 bits a value, a scale per 256.
    Tq2,
    /// Ternary, 2 bits a value, one scale (bitnet.cpp).
    I2s,
}

impl Kind {
    /// The type with this id, if it is one of ours.
    pub fn from_id(id: u32) -> Option<Self> {
        Some(match id {
            0 => Self::Float(Element::F32),
            1 => Self::Float(Element::F16),
            30 => Self::Float(Element::Bf16),
            2 => Self::block(GgmlDType::Q4_0),
            3 => Self::block(GgmlDType::Q4_1),
            6 => Self::block(GgmlDType::Q5_0),
            7 => Self::block(GgmlDType::Q5_1),
            8 => Self::block(GgmlDType::Q8_0),
            10 => Self::block(GgmlDType::Q2K),
            11 => Self::block(GgmlDType::Q3K),
            12 => Self::block(GgmlDType::Q4K),
            13 => Self::block(GgmlDType::Q5K),
            14 => Self::block(GgmlDType::Q6K),
            34 => Self::Tq1,
            35 => Self::Tq2,
            36 => Self::I2s,
            _ => return None,
        })
    }

    fn block(dtype: GgmlDType) -> Self {
        Self::Float(Element::Block(dtype))
    }

    /// Bytes of a tensor of `rows` rows of `cols` values, `None` if rows are not whole blocks or the size overflows.
    pub fn bytes(self, rows: usize, cols: usize) -> Option<usize> {
        match self {
            Self::Float(element) => element.row_bytes(cols)?.checked_mul(rows),
            Self::Tq1 => blocks(cols)?.checked_mul(TQ1_BYTES)?.checked_mul(rows),
            Self::Tq2 => blocks(cols)?.checked_mul(TQ2_BYTES)?.checked_mul(rows),
            Self::I2s => {
                let values = rows.checked_mul(cols)?;
                values
                    .is_multiple_of(I2S_BLOCK)
                    .then_some(values / 4 + I2S_TAIL)
            }
        }
    }
}

fn blocks(cols: usize) -> Option<usize> {
    cols.is_multiple_of(TQ_BLOCK).then_some(cols / TQ_BLOCK)
}
