//! Adapters: DoRA and LoRA as PEFT stores them, and the additive form of R3MES, in one resident form.
//!
//! - weight-decomposed: `y = g ⊙ (W₀x + s·B(Ax))` with `g = m / ‖W₀ + s·BA‖` (Liu et al. 2024, PEFT `use_dora`)
//! - additive: `y = W₀x + s·(m / ‖BA‖) ⊙ B(Ax)`
//! - low-rank: `y = W₀x + s·B(Ax)`
//!
//! All become `y = γ ⊙ W₀x + c ⊙ B(Ax)`; a [`Mix`] of adapters with shares `wᵢ` becomes `γ = 1 + Σ wᵢ(gᵢ − 1)` and the sum of the
//! low-rank parts. `x` is the unquantised input of the linear, `W₀` is ternary × scale.
//!
//! This module does not know where adapters are kept or who asks for them. Invariants: an adapter that was loaded fits the model it was
//! loaded for, all its numbers are finite; the same mix gives the same bits however the work is split.

mod base;
mod compile;
mod config;
mod error;
mod file;
mod kept;
mod linear;
mod mix;
mod norms;
mod resident;
mod target;

pub use config::{AdapterForm, CONFIG_FILE, LARGEST_RANK};
pub use error::AdapterError;
pub use file::TENSOR_FILE;
pub use linear::LinearName;
pub(crate) use mix::LayerMix;
pub use mix::{MOST_ADAPTERS, Mix};
pub(crate) use norms::{base_rows, gram, quadratic};
pub use resident::{
    Adapter, AdapterInfo, AdapterOptions, Kept, Precision, inspect, load, verify,
};
