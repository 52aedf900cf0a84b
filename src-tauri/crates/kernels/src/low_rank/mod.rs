//! Low-rank changes beside a matrix: `y ← γ ⊙ y + Σᵢ wᵢ · cᵢ ⊙ Bᵢ(Aᵢ·x)`, with `y = W·x` computed before.
//!
//! A [`LowRank`] is one adapter's part in one linear: `A` in rows, `B` in tiles of 16 output features, both either in f32 or as int8
//! codes with scales ([`LowRankPrecision`]). All linears of an adapter lie in one piece of aligned memory, in the order in which they
//! are used, so that a token streams through it. Inputs are the unquantised activations.
//!
//! Every sum has a fixed order (see [`crate::float`]): blocks of 64 columns in `A`, ranks one after the other in `B`. So the result of
//! a token does not depend on its neighbours, on threads or on the instruction set.

mod adapt;
mod down;
mod memory;
mod quantize;
mod shape;
mod up;

pub use adapt::{Adapted, Gain, Part, adapt, matmul_adapted};
pub use memory::LowRank;
pub use shape::{LowRankError, LowRankPrecision, LowRankShape};

/// Columns of `A` that share a scale.
const BLOCK: usize = 64;
