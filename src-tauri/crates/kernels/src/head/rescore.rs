//! Exact logits of chosen rows, fetched one by one and spread over the pool.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::float::dot;
use crate::isa::Isa;
use crate::pool::Pool;

/// Fetches a row of the exact head as f32; called from several threads at once.
pub type FetchRow<'a, E> = dyn Fn(u32, &mut [f32]) -> Result<(), E> + Sync + 'a;

/// Rows a thread claims at once.
const ROWS_PER_ITEM: usize = 8;

/// The exact logit of each of `ids`, in order.
///
/// # Errors
/// The first error of `fetch`.
pub(super) fn rescore<E: Send>(
    isa: Isa,
    pool: &Pool,
    h: &[f32],
    ids: &[u32],
    fetch: &FetchRow<'_, E>,
) -> Result<Vec<f32>, E> {
    let logits: Vec<AtomicU32> = ids.iter().map(|_| AtomicU32::new(0)).collect();
    let failure = Mutex::new(None);
    let failed = || failure.lock().is_ok_and(|failure| failure.is_some());
    pool.run(ids.len().div_ceil(ROWS_PER_ITEM), &|item| {
        let range = item * ROWS_PER_ITEM..((item + 1) * ROWS_PER_ITEM).min(ids.len());
        let mut row = vec![0.0; h.len()];
        for (id, logit) in ids[range.clone()].iter().zip(&logits[range]) {
            if failed() {
                return;
            }
            match fetch(*id, &mut row) {
                Ok(()) => logit.store(dot(isa, h, &row).to_bits(), Ordering::Relaxed),
                Err(error) => {
                    if let Ok(mut failure) = failure.lock() {
                        failure.get_or_insert(error);
                    }
                    return;
                }
            }
        }
    });
    match failure.into_inner() {
        Ok(Some(error)) => Err(error),
        _ => Ok(logits
            .into_iter()
            .map(|logit| f32::from_bits(logit.into_inner()))
            .collect()),
    }
}

/// The exact logits of rows `0..out.len()`, each the sixteen-lane dot product of `h` with the fetched row.
///
/// # Errors
/// The first error of `fetch`.
pub fn exact_logits<E: Send>(
    isa: Isa,
    pool: &Pool,
    h: &[f32],
    fetch: &FetchRow<'_, E>,
    out: &mut [f32],
) -> Result<(), E> {
    let rows = u32::try_from(out.len()).unwrap_or(u32::MAX);
    let ids: Vec<u32> = (0..rows).collect();
    out.copy_from_slice(&rescore(isa, pool, h, &ids, fetch)?);
    Ok(())
}
