//! Embedders opened from folders and from memory: what they compute, and what they refuse.

mod folder;
mod token_vectors;
