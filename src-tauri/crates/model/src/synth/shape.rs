//! The shapes on offer.

use std::fmt;
use std::str::FromStr;

/// A published shape, or a tiny one for tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// microsoft/bitnet-b1.58-2B-4T: about 1.2 GB.
    TwoB4T,
    /// 1bitLLM's 0.7 B: about 260 MB.
    SevenHundredM,
    /// A few MB.
    Tiny,
}

/// A shape name that is none of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("shape `{0}` does not exist, expected `2b4t`, `700m` or `tiny`")]
pub struct UnknownShape(String);

impl FromStr for Shape {
    type Err = UnknownShape;

    fn from_str(name: &str) -> Result<Self, UnknownShape> {
        match name {
            "2b4t" => Ok(Self::TwoB4T),
            "700m" => Ok(Self::SevenHundredM),
            "tiny" => Ok(Self::Tiny),
            other => Err(UnknownShape(other.to_owned())),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TwoB4T => "2b4t",
            Self::SevenHundredM => "700m",
            Self::Tiny => "tiny",
        })
    }
}

/// What the generators need to know.
#[derive(Debug, Clone)]
pub(super) struct Dimensions {
    pub hidden: usize,
    pub layers: usize,
    pub heads: usize,
    pub kv_heads: usize,
    pub head_dim: usize,
    pub intermediate: usize,
    pub vocab: usize,
    pub context: usize,
    pub rope_theta: f64,
    /// Tokens at the end of the vocabulary that no merge makes: begin, end, …, end of turn.
    pub special_tokens: usize,
}

/// Places of the named special tokens among them, as in Llama 3 where there are enough.
impl Dimensions {
    pub(super) fn ordinary_tokens(&self) -> usize {
        self.vocab - self.special_tokens
    }

    pub(super) fn bos(&self) -> usize {
        self.ordinary_tokens()
    }

    pub(super) fn eos(&self) -> usize {
        self.ordinary_tokens() + 1
    }

    /// End of turn.
    pub(super) fn eot(&self) -> usize {
        self.ordinary_tokens() + if self.special_tokens > 9 { 9 } else { 2 }
    }
}

impl Shape {
    pub(super) fn dimensions(self) -> Dimensions {
        match self {
            Self::TwoB4T => Dimensions {
                hidden: 2560,
                layers: 30,
                heads: 20,
                kv_heads: 5,
                head_dim: 128,
                intermediate: 6912,
                vocab: 128_256,
                context: 4096,
                rope_theta: 500_000.0,
                special_tokens: 256,
            },
            Self::SevenHundredM => Dimensions {
                hidden: 1536,
                layers: 24,
                heads: 16,
                kv_heads: 16,
                head_dim: 96,
                intermediate: 4096,
                vocab: 32_002,
                context: 2048,
                rope_theta: 10_000.0,
                special_tokens: 3,
            },
            Self::Tiny => Dimensions {
                hidden: 256,
                layers: 4,
                heads: 4,
                kv_heads: 2,
                head_dim: 64,
                intermediate: 768,
                vocab: 4096,
                context: 1024,
                rope_theta: 10_000.0,
                special_tokens: 3,
            },
        }
    }
}
