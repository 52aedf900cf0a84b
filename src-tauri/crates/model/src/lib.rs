//! BitNet models.

pub mod config;
pub mod element;
pub mod gguf;
pub mod load;
pub mod table;
pub mod text;
pub mod weights;
