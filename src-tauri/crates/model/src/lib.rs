//! BitNet models.

pub mod config;
