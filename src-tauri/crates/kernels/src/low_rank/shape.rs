//! Sizes of one linear's part of an adapter, and where its pieces lie.

use super::BLOCK;
use crate::AllocError;
use crate::float::lanes::LANES;

/// Every piece begins at a multiple of this.
const ALIGNMENT: usize = 64;
/// Beyond this a product of dimensions could not be addressed.
const LARGEST_DIMENSION: usize = 1 << 24;

/// How the numbers of `A` and `B` are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LowRankPrecision {
    /// As they came: 4 bytes a number.
    F32,
    /// int8 codes: a bf16 scale for 64 columns of a row of `A`, an f32 scale for each output feature of `B`. About 1.03 bytes a
    /// number; a number is off by at most half a code of the largest beside it.
    Int8,
}

impl LowRankPrecision {
    fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::Int8 => 1,
        }
    }
}

/// Dimensions of one linear's part of an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LowRankShape {
    /// Columns of the linear.
    pub in_features: usize,
    /// Rows of the linear.
    pub out_features: usize,
    /// Rows of `A`, columns of `B`.
    pub rank: usize,
    /// Whether a gain for each output feature belongs to it.
    pub has_gain: bool,
    /// How the numbers are kept.
    pub precision: LowRankPrecision,
}

impl LowRankShape {
    /// Refuses dimensions that make no product.
    ///
    /// # Errors
    /// If one is 0 or absurdly large.
    pub fn check(&self) -> Result<(), LowRankError> {
        for (name, value) in [
            ("in_features", self.in_features),
            ("out_features", self.out_features),
            ("rank", self.rank),
        ] {
            if value == 0 || value > LARGEST_DIMENSION {
                return Err(LowRankError::Dimension { name, value });
            }
        }
        let product = |a: usize, b: usize| (a as u128 * b as u128) < 1 << 40;
        match product(self.rank, self.in_features) && product(self.rank, self.out_features) {
            true => Ok(()),
            false => Err(LowRankError::Dimension {
                name: "rank",
                value: self.rank,
            }),
        }
    }

    /// Bytes of its memory: a multiple of 64.
    pub fn bytes(&self) -> usize {
        self.pieces().end
    }

    /// Bytes a decoded token reads.
    pub fn traffic(&self) -> u64 {
        self.bytes() as u64
    }

    /// Columns with padding.
    pub(super) fn padded_in(&self) -> usize {
        self.in_features.next_multiple_of(BLOCK)
    }

    /// Tiles of 16 output features.
    pub(super) fn tiles(&self) -> usize {
        self.out_features.div_ceil(LANES)
    }

    /// Where the pieces lie.
    pub(super) fn pieces(&self) -> Pieces {
        let mut end = 0usize;
        let mut take = |bytes: usize| {
            let start = end;
            end = (start + bytes).next_multiple_of(ALIGNMENT);
            start
        };
        let blocks = self.padded_in() / BLOCK;
        let padded_out = self.tiles() * LANES;
        let down = take(self.rank * self.padded_in() * self.precision.bytes());
        let down_scales = take(match self.precision {
            LowRankPrecision::F32 => 0,
            LowRankPrecision::Int8 => self.rank * blocks * 2,
        });
        let up = take(self.rank * padded_out * self.precision.bytes());
        let up_scales = take(padded_out * 4);
        let gain = take(if self.has_gain { padded_out * 4 } else { 0 });
        Pieces {
            down,
            down_scales,
            up,
            up_scales,
            gain,
            end,
        }
    }
}

/// Byte offsets within the memory of one linear.
pub(super) struct Pieces {
    /// `A`: `[rank, padded in]`.
    pub down: usize,
    /// bf16: `[rank, padded in / 64]`; empty in f32.
    pub down_scales: usize,
    /// `B`: `[tiles, rank, 16]`.
    pub up: usize,
    /// f32: `[padded out]`.
    pub up_scales: usize,
    /// f32: `[padded out]`; empty without gain.
    pub gain: usize,
    /// One past the last byte.
    pub end: usize,
}

/// Why numbers or memory make no low-rank change.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LowRankError {
    /// A dimension that makes no product.
    #[error("{name}: {value}, expected 1 to 16777216")]
    Dimension {
        /// Which.
        name: &'static str,
        /// What it was.
        value: usize,
    },
    /// A slice of another length.
    #[error("{name}: {found} values, expected {expected}")]
    Length {
        /// Which.
        name: &'static str,
        /// Values given.
        found: usize,
        /// Values the shape needs.
        expected: usize,
    },
    /// A number that is none.
    #[error("{name}, value {index}: {value}, expected a finite number")]
    NotFinite {
        /// Which.
        name: &'static str,
        /// Its place.
        index: usize,
        /// What it was.
        value: f32,
    },
    /// No memory.
    #[error(transparent)]
    Alloc(#[from] AllocError),
}
