//! The rows of one linear as ternary codes and a scale, whatever its encoding.

use std::sync::Mutex;

use r3mes_kernels::Pool;

use super::LoadError;
use super::batches::{Ask, in_batches};
use super::decode::{self, Refusal};
use super::plan::{Encoding, LinearPlan};
use super::source::Source;
use crate::element::Element;
use crate::gguf::I2S_BLOCK;

/// Rows that one work item of a pass over masters covers.
const ROWS_PER_ITEM: usize = 64;
/// Bytes that one work item reads of a packed tensor.
const BYTES_PER_ITEM: usize = 256 << 10;
/// Smallest mean magnitude that masters are scaled by; transformers' `clamp(min=1e-5)`.
const SMALLEST_MEAN: f64 = 1e-5;

/// Reads rows of one linear; cheap to share between threads.
pub(super) struct Rows<'a> {
    linear: &'a LinearPlan,
    source: &'a Source,
    state: State,
}

enum State {
    /// The whole tensor: each byte holds four far-apart rows.
    Packed { bytes: Vec<u8>, weight_scale: f32 },
    /// Masters with their common scale and its reciprocal.
    Masters {
        element: Element,
        weight_scale: f32,
        inv_scale: f32,
    },
    /// Everything else is decoded row by row.
    Stored,
}

/// Buffers of one thread.
#[derive(Default)]
pub(super) struct Scratch {
    bytes: Vec<u8>,
    values: Vec<f32>,
}

impl<'a> Rows<'a> {
    /// Prepares reading: loads a packed tensor, or finds the scale of masters.
    ///
    /// # Errors
    /// If the file cannot be read, masters are not finite, or `ask` says stop.
    pub(super) fn open(
        linear: &'a LinearPlan,
        source: &'a Source,
        pool: &Pool,
        ask: &mut Ask<'_>,
    ) -> Result<Self, LoadError> {
        let mut rows = Self {
            linear,
            source,
            state: State::Stored,
        };
        rows.state = match linear.encoding {
            Encoding::HubPacked { weight_scale } => {
                let bytes = rows.all_bytes(pool, ask)?;
                State::Packed {
                    bytes,
                    weight_scale,
                }
            }
            Encoding::Masters(element) => rows.masters(element, 1.0, false, pool, ask)?,
            Encoding::ScaledOrMasters {
                element,
                weight_scale,
            } => rows.masters(element, weight_scale, true, pool, ask)?,
            _ => State::Stored,
        };
        Ok(rows)
    }

    /// Writes the codes of output row `row` and answers its multiplier from code to value.
    ///
    /// # Errors
    /// If the file cannot be read or holds something that is not ternary.
    pub(super) fn read(
        &self,
        row: usize,
        codes: &mut [i8],
        scratch: &mut Scratch,
    ) -> Result<f32, LoadError> {
        let linear = self.linear;
        let stored = linear.order.stored(row);
        let refuse = |refusal| self.refuse(row, refusal);
        match (&self.state, linear.encoding) {
            (
                State::Packed {
                    bytes,
                    weight_scale,
                },
                _,
            ) => {
                let packed_rows = linear.out_features.div_ceil(4);
                let (lane, packed_row) = (stored / packed_rows, stored % packed_rows);
                let packed = &bytes[packed_row * linear.in_features..][..linear.in_features];
                decode::hub_row(packed, lane, codes).map_err(refuse)?;
                Ok(*weight_scale)
            }
            (
                State::Masters {
                    element,
                    weight_scale,
                    inv_scale,
                },
                _,
            ) => {
                self.values(stored, *element, scratch)?;
                decode::ternarise(&scratch.values, *inv_scale, codes).map_err(refuse)?;
                Ok(*weight_scale)
            }
            (
                State::Stored,
                Encoding::TernaryFloats {
                    element,
                    weight_scale,
                },
            ) => {
                self.values(stored, element, scratch)?;
                decode::ternary_floats(&scratch.values, codes).map_err(refuse)?;
                Ok(weight_scale)
            }
            (State::Stored, Encoding::Tq1 { weight_scale }) => {
                self.stored_bytes(stored, scratch)?;
                Ok(weight_scale * decode::tq1_row(&scratch.bytes, codes).map_err(refuse)?)
            }
            (State::Stored, Encoding::Tq2 { weight_scale }) => {
                self.stored_bytes(stored, scratch)?;
                Ok(weight_scale * decode::tq2_row(&scratch.bytes, codes).map_err(refuse)?)
            }
            (State::Stored, Encoding::I2s { weight_scale }) => {
                let first = stored * linear.in_features;
                let (start, end) = (
                    first / I2S_BLOCK,
                    (first + linear.in_features).div_ceil(I2S_BLOCK),
                );
                let block_bytes = I2S_BLOCK / 4;
                scratch.bytes.resize((end - start) * block_bytes, 0);
                let offset = linear.extent.offset + (start * block_bytes) as u64;
                self.source.read_at(offset, &mut scratch.bytes)?;
                decode::i2s_row(&scratch.bytes, first, codes).map_err(refuse)?;
                Ok(weight_scale)
            }
            (State::Stored, encoding) => {
                unreachable!("{encoding:?} has no ternary rows of its own")
            }
        }
    }

    fn refuse(&self, row: usize, refusal: Refusal) -> LoadError {
        let place = format!(
            "tensor `{}`, row {row}, column {}",
            self.linear.name, refusal.column
        );
        LoadError::malformed(self.source.path(), place, refusal.found, refusal.expected)
    }

    /// The whole tensor.
    fn all_bytes(&self, pool: &Pool, ask: &mut Ask<'_>) -> Result<Vec<u8>, LoadError> {
        let extent = &self.linear.extent;
        let mut bytes = vec![0; extent.bytes as usize];
        let pieces: Vec<_> = bytes.chunks_mut(BYTES_PER_ITEM).map(Mutex::new).collect();
        in_batches(pool, pieces.len(), 4 * BYTES_PER_ITEM, ask, &|item| {
            let mut piece = pieces[item].lock().expect("each piece is read once");
            let offset = extent.offset + (item * BYTES_PER_ITEM) as u64;
            self.source.read_at(offset, &mut piece)
        })?;
        drop(pieces);
        Ok(bytes)
    }

    fn stored_bytes(&self, stored: usize, scratch: &mut Scratch) -> Result<(), LoadError> {
        let row_bytes =
            decode::row_bytes(self.linear).expect("the encoding stores rows one by one");
        scratch.bytes.resize(row_bytes, 0);
        self.source.read_at(
            self.linear.extent.offset + (stored * row_bytes) as u64,
            &mut scratch.bytes,
        )
    }

    fn values(
        &self,
        stored: usize,
        element: Element,
        scratch: &mut Scratch,
    ) -> Result<(), LoadError> {
        self.stored_bytes(stored, scratch)?;
        scratch.values.resize(self.linear.in_features, 0.0);
        element.decode(&scratch.bytes, &mut scratch.values);
        Ok(())
    }

    /// The scale of masters: `max(mean|W|, 1e-5)`, with the two reciprocals transformers takes in f32.
    ///
    /// The mean is summed in f64, row by row in order: independent of threads, and nearer to the true mean than any f32 order.
    /// With `scaled_allowed`, weights that are all `−s`, `0` or `+s` keep their `s`.
    fn masters(
        &self,
        element: Element,
        extra_scale: f32,
        scaled_allowed: bool,
        pool: &Pool,
        ask: &mut Ask<'_>,
    ) -> Result<State, LoadError> {
        let rows = self.linear.out_features;
        let cols = self.linear.in_features;
        let mut statistics = vec![RowStatistics::default(); rows];
        let parts: Vec<_> = statistics
            .chunks_mut(ROWS_PER_ITEM)
            .map(Mutex::new)
            .collect();
        in_batches(pool, parts.len(), ROWS_PER_ITEM * cols, ask, &|item| {
            let mut part = parts[item].lock().expect("each part is filled once");
            let mut scratch = Scratch::default();
            for (row, found) in (item * ROWS_PER_ITEM..).zip(part.iter_mut()) {
                self.values(row, element, &mut scratch)?;
                *found = self.statistics(row, &scratch.values)?;
            }
            Ok(())
        })?;
        drop(parts);
        let magnitudes = || statistics.iter().filter(|row| row.largest > 0.0);
        let largest = magnitudes().map(|row| row.largest).fold(0.0, f32::max);
        let scaled = scaled_allowed
            && largest > 0.0
            && magnitudes().all(|row| row.smallest == largest && row.largest == largest);
        if scaled {
            return Ok(State::Masters {
                element,
                weight_scale: largest * extra_scale,
                inv_scale: 1.0 / largest,
            });
        }
        let sum: f64 = statistics.iter().map(|row| row.sum).sum();
        let mean = (sum / (rows * cols) as f64).max(SMALLEST_MEAN) as f32;
        let inv_scale = 1.0 / mean;
        Ok(State::Masters {
            element,
            weight_scale: 1.0 / inv_scale * extra_scale,
            inv_scale,
        })
    }

    fn statistics(&self, row: usize, values: &[f32]) -> Result<RowStatistics, LoadError> {
        let mut found = RowStatistics {
            smallest: f32::INFINITY,
            ..RowStatistics::default()
        };
        for (column, value) in values.iter().enumerate() {
            if !value.is_finite() {
                let found = value.to_string();
                return Err(self.refuse(
                    row,
                    Refusal {
                        column,
                        found,
                        expected: "a finite weight",
                    },
                ));
            }
            let magnitude = value.abs();
            found.sum += f64::from(magnitude);
            if magnitude > 0.0 {
                found.smallest = found.smallest.min(magnitude);
                found.largest = found.largest.max(magnitude);
            }
        }
        Ok(found)
    }
}

/// Of the magnitudes of one row; smallest and largest of those that are not zero.
#[derive(Debug, Clone, Copy, Default)]
struct RowStatistics {
    sum: f64,
    smallest: f32,
    largest: f32,
}
