//! One linear's part of an adapter, in memory that it shares with the adapter's other linears.

use std::sync::Arc;

use super::shape::{LowRankError, LowRankPrecision, LowRankShape, Pieces};
use super::{BLOCK, quantize};
use crate::AlignedBytes;
use crate::float::lanes::LANES;

/// `x ↦ c ⊙ B(A·x)` with an optional gain, ready for [`super::adapt`].
#[derive(Debug, Clone)]
pub struct LowRank {
    memory: Arc<AlignedBytes>,
    offset: usize,
    shape: LowRankShape,
}

/// The numbers of a change before they are laid out.
#[derive(Clone, Copy)]
pub(super) struct Numbers<'a> {
    pub(super) a: &'a [f32],
    pub(super) b: &'a [f32],
    pub(super) scales: &'a [f32],
    pub(super) gain: Option<&'a [f32]>,
}

impl LowRank {
    /// Writes the numbers of one linear into `memory` from `offset`, as [`LowRank::new`] reads them.
    ///
    /// # Shapes
    /// - `a`: `[rank, in_features]` · `b`: `[out_features, rank]` · `scales`, `gain`: `[out_features]`, `y += scales ⊙ B(A·x)`
    ///
    /// # Errors
    /// If a slice has another length, a number is not finite, or the shape makes no product.
    ///
    /// # Panics
    /// If `memory` has no `shape.bytes()` from `offset`, a multiple of 64.
    pub fn write(
        shape: &LowRankShape,
        a: &[f32],
        b: &[f32],
        scales: &[f32],
        gain: Option<&[f32]>,
        memory: &mut AlignedBytes,
        offset: usize,
    ) -> Result<(), LowRankError> {
        shape.check()?;
        check_place(shape, memory, offset);
        let numbers = Numbers { a, b, scales, gain };
        numbers.check(shape)?;
        let pieces = shape.pieces();
        match shape.precision {
            LowRankPrecision::F32 => numbers.write_f32(shape, &pieces, memory, offset),
            LowRankPrecision::Int8 => numbers.write_int8(shape, &pieces, memory, offset),
        }
        if let Some(gain) = gain {
            floats_mut(memory, offset + pieces.gain, gain.len()).copy_from_slice(gain);
        }
        Ok(())
    }

    /// Takes what [`LowRank::write`] wrote, perhaps long ago and through a file.
    ///
    /// # Errors
    /// If the shape makes no product, or a scale or a gain is not finite.
    ///
    /// # Panics
    /// If `memory` has no `shape.bytes()` from `offset`, a multiple of 64.
    pub fn new(
        memory: Arc<AlignedBytes>,
        offset: usize,
        shape: LowRankShape,
    ) -> Result<LowRank, LowRankError> {
        shape.check()?;
        check_place(&shape, &memory, offset);
        let change = LowRank {
            memory,
            offset,
            shape,
        };
        finite("scales", change.up_scales())?;
        if let Some(gain) = change.gain() {
            finite("gain", gain)?;
        }
        let infinite = |bits: &u16| bits & 0x7f80 == 0x7f80;
        if let Some(index) = change.down_scales().iter().position(infinite) {
            return Err(LowRankError::NotFinite {
                name: "scales of A",
                index,
                value: f32::from_bits(u32::from(change.down_scales()[index]) << 16),
            });
        }
        Ok(change)
    }

    /// Its dimensions.
    pub fn shape(&self) -> &LowRankShape {
        &self.shape
    }

    /// The gain of each output feature, where it has one: `[out_features]`.
    pub fn gain(&self) -> Option<&[f32]> {
        let start = (self.offset + self.shape.pieces().gain) / 4;
        self.shape
            .has_gain
            .then(|| &self.memory.as_f32()[start..][..self.shape.out_features])
    }

    pub(super) fn down_f32(&self) -> &[f32] {
        let start = (self.offset + self.shape.pieces().down) / 4;
        &self.memory.as_f32()[start..][..self.shape.rank * self.shape.padded_in()]
    }

    pub(super) fn down_i8(&self) -> &[i8] {
        let start = self.offset + self.shape.pieces().down;
        &self.memory.as_i8()[start..][..self.shape.rank * self.shape.padded_in()]
    }

    /// bf16 bits, one for each block of a row; empty in f32.
    pub(super) fn down_scales(&self) -> &[u16] {
        let start = (self.offset + self.shape.pieces().down_scales) / 2;
        let count = match self.shape.precision {
            LowRankPrecision::F32 => 0,
            LowRankPrecision::Int8 => self.shape.rank * self.shape.padded_in() / BLOCK,
        };
        &self.memory.as_u16()[start..][..count]
    }

    pub(super) fn up_f32(&self) -> &[f32] {
        let start = (self.offset + self.shape.pieces().up) / 4;
        &self.memory.as_f32()[start..][..self.shape.tiles() * LANES * self.shape.rank]
    }

    pub(super) fn up_i8(&self) -> &[i8] {
        let start = self.offset + self.shape.pieces().up;
        &self.memory.as_i8()[start..][..self.shape.tiles() * LANES * self.shape.rank]
    }

    /// One for each output feature, padded to whole tiles.
    pub(super) fn up_scales(&self) -> &[f32] {
        let start = (self.offset + self.shape.pieces().up_scales) / 4;
        &self.memory.as_f32()[start..][..self.shape.tiles() * LANES]
    }
}

impl Numbers<'_> {
    fn check(&self, shape: &LowRankShape) -> Result<(), LowRankError> {
        let (rank, out) = (shape.rank, shape.out_features);
        let gain = self.gain.unwrap_or(&[]);
        let gains = if shape.has_gain { out } else { 0 };
        for (name, values, expected) in [
            ("A", self.a, rank * shape.in_features),
            ("B", self.b, out * rank),
            ("scales", self.scales, out),
            ("gain", gain, gains),
        ] {
            if values.len() != expected {
                return Err(LowRankError::Length {
                    name,
                    found: values.len(),
                    expected,
                });
            }
            finite(name, values)?;
        }
        Ok(())
    }

    fn write_f32(
        &self,
        shape: &LowRankShape,
        pieces: &Pieces,
        memory: &mut AlignedBytes,
        offset: usize,
    ) {
        let (rank, columns, padded) = (shape.rank, shape.in_features, shape.padded_in());
        let down = floats_mut(memory, offset + pieces.down, rank * padded);
        for (row, a) in down
            .chunks_exact_mut(padded)
            .zip(self.a.chunks_exact(columns))
        {
            row[..columns].copy_from_slice(a);
            row[columns..].fill(0.0);
        }
        let up = floats_mut(memory, offset + pieces.up, shape.tiles() * rank * LANES);
        up.fill(0.0);
        for (feature, b) in self.b.chunks_exact(rank).enumerate() {
            for (place, value) in places(feature, rank).zip(b) {
                up[place] = *value;
            }
        }
        let scales = floats_mut(memory, offset + pieces.up_scales, shape.tiles() * LANES);
        scales.fill(0.0);
        scales[..self.scales.len()].copy_from_slice(self.scales);
    }

    fn write_int8(
        &self,
        shape: &LowRankShape,
        pieces: &Pieces,
        memory: &mut AlignedBytes,
        offset: usize,
    ) {
        let (rank, columns, padded) = (shape.rank, shape.in_features, shape.padded_in());
        let mut bits = Vec::with_capacity(rank * padded / BLOCK);
        let down = &mut memory.as_i8_mut()[offset + pieces.down..][..rank * padded];
        down.fill(0);
        for (row, a) in down
            .chunks_exact_mut(padded)
            .zip(self.a.chunks_exact(columns))
        {
            for (codes, values) in row.chunks_exact_mut(BLOCK).zip(a.chunks(BLOCK)) {
                bits.push(quantize::block(values, codes).to_bits());
            }
        }
        memory.as_u16_mut()[(offset + pieces.down_scales) / 2..][..bits.len()]
            .copy_from_slice(&bits);
        let mut scales = vec![0.0; shape.tiles() * LANES];
        let up = &mut memory.as_i8_mut()[offset + pieces.up..][..shape.tiles() * rank * LANES];
        up.fill(0);
        for (feature, b) in self.b.chunks_exact(rank).enumerate() {
            let scale = quantize::scale_of(b.iter().copied());
            for (place, value) in places(feature, rank).zip(b) {
                up[place] = quantize::code(*value, scale);
            }
            scales[feature] = scale * self.scales[feature];
        }
        floats_mut(memory, offset + pieces.up_scales, scales.len()).copy_from_slice(&scales);
    }
}

/// Where the ranks of an output feature lie in `B`.
fn places(feature: usize, rank: usize) -> impl Iterator<Item = usize> {
    let start = feature / LANES * rank * LANES + feature % LANES;
    (0..rank).map(move |r| start + r * LANES)
}

fn floats_mut(memory: &mut AlignedBytes, offset: usize, count: usize) -> &mut [f32] {
    &mut memory.as_f32_mut()[offset / 4..][..count]
}

fn check_place(shape: &LowRankShape, memory: &AlignedBytes, offset: usize) {
    let end = offset.checked_add(shape.bytes());
    assert!(
        offset.is_multiple_of(64) && end.is_some_and(|end| end <= memory.len()),
        "low-rank change of {} bytes at {offset} of {}",
        shape.bytes(),
        memory.len()
    );
}

fn finite(name: &'static str, values: &[f32]) -> Result<(), LowRankError> {
    // One pass that vectorises; the search only where there is something to find.
    let all = values
        .iter()
        .fold(true, |all, value| all & value.is_finite());
    if all {
        return Ok(());
    }
    let index = values.iter().position(|value| !value.is_finite());
    let index = index.expect("one of them is not finite");
    Err(LowRankError::NotFinite {
        name,
        index,
        value: values[index],
    })
}
