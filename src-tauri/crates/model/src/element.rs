//! How one number of a float tensor is stored, and its reading as f32.
//!
//! f32, f16 and bf16 are read here; the block formats of GGUF (`Q8_0`, `Q4_0`, `Q6_K`, …) are dequantised by candle.

use candle_core::Device;
use candle_core::quantized::GgmlDType;
use candle_core::quantized::ggml_file::qtensor_from_ggml;
use half::{bf16, f16};
use r3mes_kernels::AlignedBytes;

/// Storage of a float tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Element {
    /// 4 bytes, little-endian.
    F32,
    /// IEEE half precision, 2 bytes.
    F16,
    /// The upper half of an f32, 2 bytes.
    Bf16,
    /// A block format of GGUF; a row is a whole number of blocks.
    Block(GgmlDType),
}

impl Element {
    /// Bytes of a row of `cols` elements, or `None` when a row is not a whole number of blocks.
    pub fn row_bytes(self, cols: usize) -> Option<usize> {
        match self {
            Self::F32 => cols.checked_mul(4),
            Self::F16 | Self::Bf16 => cols.checked_mul(2),
            Self::Block(dtype) => match cols.is_multiple_of(dtype.block_size()) {
                true => (cols / dtype.block_size()).checked_mul(dtype.type_size()),
                false => None,
            },
        }
    }

    /// Reads `out.len()` elements from `bytes`, whose length is [`Element::row_bytes`] of it.
    ///
    /// # Panics
    /// If the lengths disagree.
    pub fn decode(self, bytes: &[u8], out: &mut [f32]) {
        assert_eq!(
            Some(bytes.len()),
            self.row_bytes(out.len()),
            "bytes of a row of {} elements",
            out.len()
        );
        match self {
            Self::F32 => {
                for (value, chunk) in out.iter_mut().zip(bytes.as_chunks::<4>().0) {
                    *value = f32::from_le_bytes(*chunk);
                }
            }
            Self::F16 => {
                for (value, chunk) in out.iter_mut().zip(bytes.as_chunks::<2>().0) {
                    *value = f16::from_le_bytes(*chunk).to_f32();
                }
            }
            Self::Bf16 => {
                for (value, chunk) in out.iter_mut().zip(bytes.as_chunks::<2>().0) {
                    *value = bf16::from_le_bytes(*chunk).to_f32();
                }
            }
            Self::Block(dtype) => decode_blocks(dtype, bytes, out),
        }
    }
}

/// A row whose blocks cannot be dequantised reads as NaN, which every consumer of a weight refuses.
fn decode_blocks(dtype: GgmlDType, bytes: &[u8], out: &mut [f32]) {
    let decoded = (|| {
        // candle reads blocks in place and wants them aligned; a byte slice of a file is not.
        let mut aligned = AlignedBytes::zeroed(bytes.len()).ok()?;
        aligned.copy_from_slice(bytes);
        let blocks = qtensor_from_ggml(dtype, &aligned, vec![out.len()], &Device::Cpu).ok()?;
        blocks.dequantize(&Device::Cpu).ok()?.to_vec1::<f32>().ok()
    })();
    match decoded {
        Some(values) => out.copy_from_slice(&values),
        None => out.fill(f32::NAN),
    }
}
