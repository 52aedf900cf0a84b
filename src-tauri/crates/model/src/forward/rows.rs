//! Work that is independent per token, shared among the pool's threads.
//!
//! Invariant: `work` sees each row exactly once and rows never depend on each other, so the split does not show in the result.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use r3mes_kernels::Pool;

/// Rows in one item of work: enough to hide the claim, few enough to balance two threads.
const BLOCK_ROWS: usize = 8;

/// Calls `work(rows, out)` for small blocks of rows of `out`; a few rows run on the calling thread without allocating.
///
/// # Shapes
/// - `out`: `[rows, width]`; each call receives the rows of its range
pub(super) fn by_rows(
    pool: &Pool,
    out: &mut [f32],
    width: usize,
    work: &(dyn Fn(Range<usize>, &mut [f32]) + Sync),
) {
    let rows = out.len() / width;
    if rows <= BLOCK_ROWS {
        work(0..rows, out);
        return;
    }
    let blocks: Vec<_> = out.chunks_mut(BLOCK_ROWS * width).map(Mutex::new).collect();
    pool.run(blocks.len(), &|index| {
        // A lock is taken once per block and never contended; a panic elsewhere ends the whole run.
        let mut out = blocks[index].lock().unwrap_or_else(PoisonError::into_inner);
        let first = index * BLOCK_ROWS;
        work(first..first + out.len() / width, &mut out);
    });
}
