//! How fast this machine reads memory: the ruler that decode is measured against.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::{AlignedBytes, AllocError, Pool};

/// Bytes one item of the measurement reads.
const CHUNK_BYTES: usize = 1 << 20;

/// Bytes per second that the threads of `pool` read together from a buffer of `bytes` (rounded up to whole MiB): the median of
/// `repeats` passes after one that warms up. Choose `bytes` well above the last cache level.
///
/// # Errors
/// If the buffer cannot be allocated.
pub fn measure(pool: &Pool, bytes: usize, repeats: usize) -> Result<f64, AllocError> {
    let bytes = bytes
        .max(1)
        .checked_next_multiple_of(CHUNK_BYTES)
        .ok_or(AllocError { bytes })?;
    let mut buffer = AlignedBytes::zeroed(bytes)?;
    // Pages that were never written all map to one page of zeros, which the cache would serve.
    buffer.iter_mut().step_by(512).for_each(|byte| *byte = 1);
    let total = AtomicU64::new(0);
    let mut seconds: Vec<f64> = (0..=repeats.max(1))
        .map(|_| {
            let start = Instant::now();
            pool.run(bytes / CHUNK_BYTES, &|item| {
                let sum = read(&buffer[item * CHUNK_BYTES..][..CHUNK_BYTES]);
                total.fetch_add(sum, Ordering::Relaxed);
            });
            start.elapsed().as_secs_f64()
        })
        .skip(1)
        .collect();
    black_box(total.into_inner());
    seconds.sort_by(f64::total_cmp);
    Ok(bytes as f64 / seconds[seconds.len() / 2])
}

/// Reads every byte; the sum is of no use but to be needed.
fn read(bytes: &[u8]) -> u64 {
    let mut lanes = [0u64; 16];
    for line in bytes.chunks_exact(128) {
        for (lane, word) in lanes.iter_mut().zip(line.chunks_exact(8)) {
            *lane ^= u64::from_ne_bytes(word.try_into().expect("chunks of 8 bytes"));
        }
    }
    lanes.iter().fold(0, |sum, lane| sum.wrapping_add(*lane))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(
        miri,
        ignore = "reads megabytes again and again, which an interpreter does for hours"
    )]
    fn a_rate_is_measured() {
        let rate = measure(&Pool::new(2), 3 << 20, 3).unwrap();
        assert!(rate.is_finite() && rate > 0.0, "{rate}");
        assert!(measure(&Pool::new(1), usize::MAX, 1).is_err());
    }

    #[test]
    fn every_word_is_read() {
        let mut bytes = vec![0u8; 4096];
        bytes[4088] = 5;
        assert_eq!(read(&bytes), 5);
    }
}
