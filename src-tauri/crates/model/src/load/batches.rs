//! Work on all threads in batches of some ten milliseconds; between two of them the caller may stop it.

use std::sync::Mutex;

use r3mes_kernels::Pool;

use super::LoadError;

/// Weights that one thread decodes, packs or checks between two looks at the caller's wish to stop.
const WEIGHTS_PER_THREAD: usize = 2 << 20;

/// Told how many items are done before each batch; an error ends the work.
pub(super) type Ask<'a> = dyn FnMut(usize) -> Result<(), LoadError> + 'a;

/// Calls `work` with every index in `0..items`, each standing for about `weights_per_item` weights, on the threads of `pool`.
///
/// # Errors
/// That of the lowest item that fails, whatever the timing, or that of `ask`.
pub(super) fn in_batches(
    pool: &Pool,
    items: usize,
    weights_per_item: usize,
    ask: &mut Ask<'_>,
    work: &(dyn Fn(usize) -> Result<(), LoadError> + Sync),
) -> Result<(), LoadError> {
    let batch = pool.threads() * at_once(weights_per_item);
    for first in (0..items).step_by(batch) {
        ask(first)?;
        let failure = Mutex::new(None);
        pool.run(batch.min(items - first), &|item| {
            if let Err(error) = work(first + item) {
                keep_lowest(&failure, item, error);
            }
        });
        if let Some((_, error)) = failure.into_inner().expect("no panic while locked") {
            return Err(error);
        }
    }
    Ok(())
}

/// How many items of `weights` weights one thread may work on before it asks again.
pub(super) fn at_once(weights: usize) -> usize {
    (WEIGHTS_PER_THREAD / weights.max(1)).max(1)
}

fn keep_lowest(failure: &Mutex<Option<(usize, LoadError)>>, item: usize, error: LoadError) {
    let mut lowest = failure.lock().expect("no panic while locked");
    if lowest.as_ref().is_none_or(|(earlier, _)| item < *earlier) {
        *lowest = Some((item, error));
    }
}
