//! Causal grouped-query attention over a paged key/value cache.
//!
//! `out = softmax(q·Kᵀ · scale)·V` per query head; query head `h` reads kv head `h · kv_heads / heads`.
//! The sum over positions is cut at fixed pages of 256 absolute positions: each (query head, page) gives a maximum, a sum
//! of exponentials and a weighted sum of values, and pages are merged in order. What is computed for a position therefore
//! does not depend on how the prompt was cut into chunks, on the number of threads, or on which part of the cache is old.

mod attend;
mod by_block;
mod by_page;
mod cache;
mod error;
mod format;
mod layout;
mod merge;
mod page;
mod products;
mod quantize;
mod rows;
mod store;

pub use attend::{Queries, attend};
pub use cache::KvCache;
pub use error::KvError;
pub use format::{KvFormat, KvFormatError};
pub use layout::PAGE;
