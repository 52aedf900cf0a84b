//! The resident form of an adapter in a file, so that bringing it in again is one read.
//!
//! | bytes | content |
//! |---|---|
//! | 8 | magic `R3MESAD1` |
//! | 32 | key: content of the adapter, fingerprint of the model, shapes |
//! | 8 | bytes of memory |
//! | 8 each | checksum of each MiB |
//! | 8 | checksum of all of the above |
//!
//! Then, from a multiple of 4096, the memory as it is used. A file that is not exactly what is expected is ignored and made anew.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use r3mes_kernels::AlignedBytes;
use r3mes_kernels::low_rank::LowRankShape;
use sha2::{Digest, Sha256};

use super::error::AdapterError;
use super::linear::LinearName;
use crate::checksum::checksum;
use crate::load::source::Source;
use crate::weights::Weights;

const MAGIC: &[u8; 8] = b"R3MESAD1";
/// Bytes under one checksum.
const PIECE_BYTES: usize = 1 << 20;
const ALIGNMENT: usize = 4096;
/// Threads that read; more do not make a disk faster.
const MOST_READERS: usize = 4;

/// What the resident form depends on.
pub(super) fn key(
    content: &[u8],
    weights: &Weights,
    shapes: &[((usize, LinearName), LowRankShape)],
) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(Sha256::digest(content));
    hash.update(weights.fingerprint());
    hash.update(format!("{shapes:?}"));
    hash.finalize().into()
}

/// The memory of `bytes` that was kept under `key`; nothing if the file is missing, damaged or another's.
///
/// # Errors
/// If there is no memory.
pub(super) fn read(
    path: &Path,
    key: &[u8; 32],
    bytes: usize,
    threads: usize,
) -> Result<Option<AlignedBytes>, AdapterError> {
    let Ok(file) = Source::open(path) else {
        return Ok(None);
    };
    let start = header_bytes(bytes).next_multiple_of(ALIGNMENT);
    if file.bytes() != (start + bytes) as u64 {
        return Ok(None);
    }
    let Ok(header) = file.read_vec(0, header_bytes(bytes) as u64) else {
        return Ok(None);
    };
    let (body, sum) = header.split_at(header.len() - 8);
    let beginning = [&MAGIC[..], key, &(bytes as u64).to_le_bytes()].concat();
    if checksum(&[body]).to_le_bytes() != sum || !body.starts_with(&beginning) {
        return Ok(None);
    }
    let sums: Vec<u64> = body[beginning.len()..]
        .as_chunks::<8>()
        .0
        .iter()
        .map(|sum| u64::from_le_bytes(*sum))
        .collect();
    let mut memory = AlignedBytes::zeroed(bytes)?;
    let whole = AtomicBool::new(true);
    let mut pieces: Vec<_> = memory
        .chunks_mut(PIECE_BYTES)
        .zip(&sums)
        .enumerate()
        .collect();
    let share = pieces.len().div_ceil(threads.clamp(1, MOST_READERS)).max(1);
    std::thread::scope(|scope| {
        for pieces in pieces.chunks_mut(share) {
            let (file, whole) = (&file, &whole);
            scope.spawn(move || {
                for (index, (piece, sum)) in pieces {
                    let offset = (start + *index * PIECE_BYTES) as u64;
                    if file.read_at(offset, piece).is_err() || checksum(&[piece]) != **sum {
                        whole.store(false, Ordering::Relaxed);
                        return;
                    }
                }
            });
        }
    });
    drop(pieces);
    Ok(whole.into_inner().then_some(memory))
}

/// Keeps `memory` under `key`, through a temporary name.
///
/// # Errors
/// If the folder cannot be written.
pub(super) fn write(path: &Path, key: &[u8; 32], memory: &AlignedBytes) -> io::Result<()> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let temporary = path.with_extension(format!("tmp-{}-{number}", std::process::id()));
    let written = (|| {
        let mut header = [&MAGIC[..], key, &(memory.len() as u64).to_le_bytes()].concat();
        for piece in memory.chunks(PIECE_BYTES) {
            header.extend(checksum(&[piece]).to_le_bytes());
        }
        header.extend(checksum(&[&header]).to_le_bytes());
        header.resize(header_bytes(memory.len()).next_multiple_of(ALIGNMENT), 0);
        let mut file = File::create_new(&temporary)?;
        file.write_all(&header)?;
        file.write_all(memory)?;
        // Not synced: what a power cut takes is noticed by its checksums and made anew.
        drop(file);
        fs::rename(&temporary, path)
    })();
    if written.is_err() {
        fs::remove_file(&temporary).ok();
    }
    written
}

fn header_bytes(bytes: usize) -> usize {
    MAGIC.len() + 32 + 8 + 8 * bytes.div_ceil(PIECE_BYTES) + 8
}
