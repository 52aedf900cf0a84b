//! The LM head: exact best tokens without reading the exact matrix.
//!
//! The head is the largest single read of a decoding step. [`ScreenedHead`] keeps it in 4-bit codes, scores every token
//! with them, and computes exact logits only for the tokens whose score a bound cannot rule out. The exact logit of a
//! token is the sixteen-lane f32 dot product of the hidden vector with its row, as [`crate::dot`] computes it.
//!
//! Invariant: what is returned equals the exact head's answer, bit for bit; the codes decide only how much is read. The
//! guarantee is spelled out in `bound.rs`.

mod bound;
mod bounds;
mod codes;
mod digits;
mod error;
mod packer;
mod rescore;
mod screen;
mod top_k;

pub use codes::ScreenedHead;
pub use error::ScreenError;
pub use packer::{ScreenPanel, ScreenedHeadPacker};
pub use rescore::{FetchRow, exact_logits};
pub use top_k::TopK;
