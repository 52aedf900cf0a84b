//! BitNet models.

pub mod config;
pub mod element;
pub mod forward;
pub mod generate;
pub mod gguf;
pub mod inspect;
pub mod load;
pub mod model;
pub mod reference;
pub mod sampling;
pub mod synth;
pub mod table;
pub mod text;
pub mod traffic;
pub mod verify;
pub mod weights;
