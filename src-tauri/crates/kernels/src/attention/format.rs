//! The formats keys and values can be stored in.

use std::fmt;
use std::str::FromStr;

use half::f16;

use super::layout::PageLayout;
use super::store::Stored;

/// How keys and values are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KvFormat {
    /// 32-bit floats: exact.
    F32,
    /// Half floats, rounded to even, clamped to ±65504.
    F16,
    /// 8-bit codes with one f32 scale per position and head (absmax / 127), for keys and for values.
    Int8,
}

impl KvFormat {
    /// The page layout of this format.
    pub(super) fn layout(self, kv_heads: usize, head_dim: usize) -> PageLayout {
        match self {
            Self::F32 => PageLayout::new(kv_heads, head_dim, size_of::<f32>(), f32::SCALED),
            Self::F16 => PageLayout::new(kv_heads, head_dim, size_of::<f16>(), f16::SCALED),
            Self::Int8 => PageLayout::new(kv_heads, head_dim, size_of::<i8>(), i8::SCALED),
        }
    }
}

impl fmt::Display for KvFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Int8 => "int8",
        })
    }
}

/// A name that is no [`KvFormat`].
#[derive(Debug, thiserror::Error)]
#[error("kv format `{0}`, expected `f32`, `f16` or `int8`")]
pub struct KvFormatError(String);

impl FromStr for KvFormat {
    type Err = KvFormatError;

    fn from_str(name: &str) -> Result<Self, KvFormatError> {
        match name {
            "f32" => Ok(Self::F32),
            "f16" => Ok(Self::F16),
            "int8" => Ok(Self::Int8),
            _ => Err(KvFormatError(name.to_owned())),
        }
    }
}
