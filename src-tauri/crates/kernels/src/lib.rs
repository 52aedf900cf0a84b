//! Packed ternary products and the other hot pieces of a BitNet forward pass.
//!
//! The idea: weights stay packed (1.667 bits each) and stream past int8 activations; every integer is exact, so every
//! instruction set gives the same numbers. The instruction set is chosen once, at run time.
//!
//! This crate does not know of models, files, tokens or tensors: it sees flat buffers and shapes.
//! It holds the only `unsafe` of the workspace.
//!
//! Invariants: a scalar function *is* the definition of each kernel, the others equal it bit for bit; the packed layout does
//! not depend on the CPU that wrote it; results do not depend on the number of threads.

mod activations;
mod bandwidth;
mod buffer;
mod isa;
mod pool;
pub mod ternary;

pub use activations::{Activations, quantize, quantize_on};
pub use bandwidth::measure as measure_bandwidth;
pub use buffer::{AlignedBytes, AllocError};
pub use isa::{Isa, IsaError};
pub use pool::Pool;
pub use ternary::{LayoutError, TernaryMatrix, TernaryPacker, matmul, matmul_i32};
