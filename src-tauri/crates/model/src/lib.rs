//! BitNet models.

pub mod config;
pub mod text;
