//! From stored bytes to ternary codes, one row at a time.
//!
//! Each function writes −1, 0 or +1 per column and answers the row's scale where the layout has one per row. What no ternary
//! weight can be is refused with its place.

use half::f16;

use super::plan::{Encoding, LinearPlan};
use crate::gguf::{I2S_BLOCK, TQ_BLOCK, TQ1_BYTES, TQ2_BYTES};

/// Something in a row that is not ternary: found, expected.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub column: usize,
    pub found: String,
    pub expected: &'static str,
}

const CODES: &str = "ternary codes 0, 1 and 2";

/// One lane of a packed row: code `value + 1` in bits `2·lane, 2·lane + 1`.
pub(crate) fn hub_row(packed: &[u8], lane: usize, codes: &mut [i8]) -> Result<(), Refusal> {
    let mut seen = 0u8;
    for (code, byte) in codes.iter_mut().zip(packed) {
        let bits = (byte >> (2 * lane)) & 3;
        seen |= u8::from(bits == 3);
        *code = bits as i8 - 1;
    }
    refuse_code_three(seen, codes)
}

fn refuse_code_three(seen: u8, codes: &[i8]) -> Result<(), Refusal> {
    if seen == 0 {
        return Ok(());
    }
    let column = codes.iter().position(|&code| code == 2).unwrap_or(0);
    Err(Refusal {
        column,
        found: "code 3".into(),
        expected: CODES,
    })
}

/// A row of an `I2_S` tensor that begins at value `first` of the flattened tensor.
///
/// `blocks` holds whole blocks of 32 bytes from the one that contains `first`; byte `p` of a block holds the values
/// `p, 32 + p, 64 + p, 96 + p` in its bits 7:6, 5:4, 3:2, 1:0.
pub(crate) fn i2s_row(blocks: &[u8], first: usize, codes: &mut [i8]) -> Result<(), Refusal> {
    let skip = first % I2S_BLOCK;
    let mut seen = 0u8;
    for (index, code) in codes.iter_mut().enumerate() {
        let value = skip + index;
        let (block, place) = (value / I2S_BLOCK, value % I2S_BLOCK);
        let bits = (blocks[block * (I2S_BLOCK / 4) + place % 32] >> (6 - 2 * (place / 32))) & 3;
        seen |= u8::from(bits == 3);
        *code = bits as i8 - 1;
    }
    refuse_code_three(seen, codes)
}

/// A row of `TQ2_0` blocks: byte `32j + m` of a block holds the values `128j + 32l + m` in bits `2l, 2l + 1`.
pub(crate) fn tq2_row(bytes: &[u8], codes: &mut [i8]) -> Result<f32, Refusal> {
    let blocks = bytes.as_chunks::<TQ2_BYTES>().0;
    scaled_blocks(
        blocks.iter().map(|block| block.split_at(TQ2_BYTES - 2)),
        codes,
        |packed, codes| {
            let mut seen = 0u8;
            for (half, packed) in packed.chunks_exact(32).enumerate() {
                for lane in 0..4 {
                    let codes = &mut codes[128 * half + 32 * lane..][..32];
                    for (code, byte) in codes.iter_mut().zip(packed) {
                        let bits = (byte >> (2 * lane)) & 3;
                        seen |= u8::from(bits == 3);
                        *code = bits as i8 - 1;
                    }
                }
            }
            refuse_code_three(seen, codes)
        },
    )
}

/// A row of `TQ1_0` blocks: bytes 0..32 hold values 0..160, 32..48 values 160..240, five base-3 digits each, and 48..52 the last
/// 16 values, four each. Digit `n` of a byte, highest first, is `⌊3 · (byte · 3ⁿ mod 256) / 256⌋`; it belongs to the
/// `n`-th run of the group. Source: `dequantize_row_tq1_0` of llama.cpp's ggml-quants.c.
pub(crate) fn tq1_row(bytes: &[u8], codes: &mut [i8]) -> Result<f32, Refusal> {
    /// First byte, bytes, digits per byte, first value of each group of a block.
    const GROUPS: [(usize, usize, usize, usize); 3] =
        [(0, 32, 5, 0), (32, 16, 5, 160), (48, 4, 4, 240)];
    let blocks = bytes.as_chunks::<TQ1_BYTES>().0;
    scaled_blocks(
        blocks.iter().map(|block| block.split_at(TQ1_BYTES - 2)),
        codes,
        |packed, codes| {
            for (byte, bytes, digits, value) in GROUPS {
                let mut power = 1u8;
                for digit in 0..digits {
                    let codes = &mut codes[value + digit * bytes..][..bytes];
                    for (code, byte) in codes.iter_mut().zip(&packed[byte..byte + bytes]) {
                        *code = ((u16::from(byte.wrapping_mul(power)) * 3) >> 8) as i8 - 1;
                    }
                    power = power.wrapping_mul(3);
                }
            }
            Ok(())
        },
    )
}

/// Decodes blocks of 256 that each carry an f16 scale; a row has one scale, and blocks of scale 0 are zeros.
fn scaled_blocks<'a>(
    blocks: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    codes: &mut [i8],
    decode: impl Fn(&[u8], &mut [i8]) -> Result<(), Refusal>,
) -> Result<f32, Refusal> {
    let mut row_scale = None;
    for (index, ((packed, scale), codes)) in
        blocks.zip(codes.chunks_exact_mut(TQ_BLOCK)).enumerate()
    {
        let refuse = |found: String, expected| {
            Err(Refusal {
                column: index * TQ_BLOCK,
                found,
                expected,
            })
        };
        let scale = f16::from_le_bytes([scale[0], scale[1]]).to_f32();
        if scale == 0.0 {
            codes.fill(0);
            continue;
        }
        if !scale.is_finite() || scale < 0.0 {
            return refuse(format!("block scale {scale}"), "a positive number");
        }
        if *row_scale.get_or_insert(scale) != scale {
            let found = format!("block scales {} and {scale}", row_scale.unwrap_or(0.0));
            return refuse(found, "one scale per row, as ternary weights have");
        }
        decode(packed, codes).map_err(|refusal| Refusal {
            column: refusal.column + index * TQ_BLOCK,
            ..refusal
        })?;
    }
    Ok(row_scale.unwrap_or(1.0))
}

/// Floats that must be −1, 0 or +1.
pub(crate) fn ternary_floats(values: &[f32], codes: &mut [i8]) -> Result<(), Refusal> {
    for (column, (code, &value)) in codes.iter_mut().zip(values).enumerate() {
        *code = match value {
            1.0 => 1,
            0.0 => 0,
            -1.0 => -1,
            other => {
                return Err(Refusal {
                    column,
                    found: other.to_string(),
                    expected: "-1, 0 or 1 beside a `weight_scale`",
                });
            }
        };
    }
    Ok(())
}

/// Masters: `clamp(round_half_even(w · inv_scale), −1, 1)`.
///
/// transformers multiplies by `1 / mean|W|` rather than dividing by the mean; the last bit of the product decides ties.
pub(crate) fn ternarise(values: &[f32], inv_scale: f32, codes: &mut [i8]) -> Result<(), Refusal> {
    let mut finite = true;
    for (code, &value) in codes.iter_mut().zip(values) {
        finite &= value.is_finite();
        *code = (value * inv_scale).round_ties_even().clamp(-1.0, 1.0) as i8;
    }
    match finite {
        true => Ok(()),
        false => {
            let column = values
                .iter()
                .position(|value| !value.is_finite())
                .unwrap_or(0);
            Err(Refusal {
                column,
                found: values[column].to_string(),
                expected: "a finite weight",
            })
        }
    }
}

/// Bytes of the stored row of a row-wise encoding, `None` for those whose rows are not separate.
pub(crate) fn row_bytes(linear: &LinearPlan) -> Option<usize> {
    let cols = linear.in_features;
    match linear.encoding {
        Encoding::HubPacked { .. } | Encoding::I2s { .. } => None,
        Encoding::Tq1 { .. } => Some(cols / TQ_BLOCK * TQ1_BYTES),
        Encoding::Tq2 { .. } => Some(cols / TQ_BLOCK * TQ2_BYTES),
        Encoding::Masters(element)
        | Encoding::Dense(element)
        | Encoding::TernaryFloats { element, .. }
        | Encoding::ScaledOrMasters { element, .. } => element.row_bytes(cols),
    }
}
