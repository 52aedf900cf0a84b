//! Why packed bytes are no screened head.

use crate::buffer::AllocError;

/// Largest row and column count accepted; 15 · 128 · 2²⁰ still fits an i32 sum.
pub(super) const MAX_DIMENSION: usize = 1 << 20;

/// Why packed bytes are no screened head.
#[derive(Debug, thiserror::Error)]
pub enum ScreenError {
    /// A dimension is zero or absurd.
    #[error("screened head: {rows} rows of {cols}, each must be 1 to {MAX_DIMENSION}")]
    Shape {
        /// Rows asked for.
        rows: usize,
        /// Columns asked for.
        cols: usize,
    },
    /// The length does not fit the shape.
    #[error("screened head of {rows} rows of {cols}: {found} bytes, expected {expected}")]
    Length {
        /// Rows asked for.
        rows: usize,
        /// Columns asked for.
        cols: usize,
        /// Bytes given.
        found: usize,
        /// Bytes such a head has.
        expected: usize,
    },
    /// A step is not a positive number.
    #[error("screened head, row {row}: step {step}, expected 0 or more")]
    Step {
        /// The row.
        row: usize,
        /// Its step.
        step: f32,
    },
    /// Memory is short.
    #[error("screened head of {rows} rows of {cols}")]
    Alloc {
        /// Rows asked for.
        rows: usize,
        /// Columns asked for.
        cols: usize,
        /// What the allocator said.
        #[source]
        source: AllocError,
    },
}
