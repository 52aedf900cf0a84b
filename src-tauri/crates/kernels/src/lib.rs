//! Packed ternary products.
