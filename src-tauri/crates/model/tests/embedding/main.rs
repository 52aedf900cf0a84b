//! Embedders opened from folders and from memory: what they compute, and what they refuse.

#[path = "../../../../../tests/reference/embedding/bars.rs"]
mod bars;
mod bert;
mod folder;
mod token_vectors;
