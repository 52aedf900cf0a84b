//! Float pieces of a forward pass whose result bits do not depend on the CPU.
//!
//! Every reduction runs over sixteen virtual lanes: element `i` is added to lane `i mod 16` with a fused multiply-add,
//! elements past the last full sixteen go to their own lane, and the lanes are then added as a fixed tree: `j` and
//! `j + 8`, then `+4`, `+2`, `+1`. The functions here are written once over [`lanes::Lanes`]; an instruction set only
//! says how sixteen floats are added, multiplied or converted, so the order cannot differ between them.
//!
//! Invariants: the same bits on every ISA for inputs without NaN; a NaN never panics, it gives a NaN somewhere below.

pub(crate) mod dense;
pub(crate) mod disjoint;
pub(crate) mod dot;
mod exp;
mod gate;
pub(crate) mod lanes;
mod norm;
mod rope;

pub use dense::{DenseMatrix, DenseRows, DenseShapeError, dense_matmul};
pub use dot::{dot, dot_bf16, dot_f16};
pub use exp::exp_in_place;
pub(crate) use exp::exp_lanes;
pub use gate::{add_assign, gate_relu2, gate_silu};
pub use norm::rms_norm;
pub use rope::rope;
