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
mod attention;
mod bandwidth;
mod buffer;
mod float;
mod head;
mod isa;
pub mod low_rank;
mod pool;
pub mod ternary;

pub use activations::{Activations, quantize, quantize_on};
pub use attention::{KvCache, KvError, KvFormat, KvFormatError, PAGE, Queries, attend};
pub use bandwidth::measure as measure_bandwidth;
pub use buffer::{AlignedBytes, AllocError};
pub use float::{
    DenseMatrix, DenseRows, DenseShapeError, add_assign, dense_matmul, dot, dot_bf16, dot_f16,
    exp_in_place, gate_relu2, gate_silu, rms_norm, rope,
};
pub use head::{
    FetchRow, ScreenError, ScreenPanel, ScreenedHead, ScreenedHeadPacker, TopK, exact_logits,
};
pub use isa::{Isa, IsaError};
pub use pool::Pool;
pub use ternary::{LayoutError, TernaryMatrix, TernaryPacker, matmul, matmul_i32};
