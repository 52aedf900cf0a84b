//! The packed copy of a large model: one file, read straight into huge pages.
//!
//! The file begins with a [`format::Header`] whose key names everything the copy was made from; matrices follow in the order of
//! the computation, then the screened head. Nothing in it is trusted: a copy that is stale, cut short or damaged is packed
//! anew, never half used.
//!
//! It is written under a temporary name, and renamed when it is complete: see [`write`].

mod format;
mod key;
mod write;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use r3mes_kernels::{AlignedBytes, Pool, ScreenedHead, TernaryMatrix};

use super::assemble::{Layout, buffer, head_shape};
use super::batches::in_batches;
use super::pack::{Packed, PackedModel};
use super::plan::Plan;
use super::source::Source;
use super::{LoadError, LoadPhase, Progress, report};
use crate::checksum::checksum;
use format::{Header, PIECE_BYTES, Segment, Segments, segments};

pub(super) use write::{CacheWriter, remove_abandoned};

/// Folder of packed copies beside a model; the number is that of the format.
pub(crate) const FOLDER: &str = ".r3mes-packed-v1";

/// Where the copy may lie, best first.
fn places(plan: &Plan, fallback: Option<&Path>, key: &[u8; 32]) -> Vec<PathBuf> {
    let source = plan.files[0].path();
    let folder = source.parent().unwrap_or(Path::new("."));
    let name = format!("{}-{}.t3", stem(source), key::hex(&key[..8]));
    let mut places = vec![folder.join(FOLDER).join(&name)];
    if let Some(fallback) = fallback {
        // Models share the fallback, so each gets a folder of its own there.
        places.push(fallback.join(key::path_name(folder)).join(&name));
    }
    places
}

fn stem(source: &Path) -> String {
    source.file_stem().map_or_else(
        || "model".into(),
        |stem| stem.to_string_lossy().into_owned(),
    )
}

/// Bytes of the packed copies that lie beside the model of `plan`.
pub(crate) fn packed_copy_bytes(plan: &Plan) -> u64 {
    let source = plan.files[0].path();
    let folder = source.parent().unwrap_or(Path::new(".")).join(FOLDER);
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .flatten()
        .filter(|entry| write::is_copy_of(&stem(source), &entry.file_name().to_string_lossy()))
        .filter_map(|entry| entry.metadata().ok())
        .map(|metadata| metadata.len())
        .sum()
}

/// The packed matrices and the screen from a copy that fits `plan`, or `None` if there is none.
///
/// # Errors
/// If memory is short, a model file cannot be read, or the caller stops. A bad copy is not an error.
pub(super) fn read(
    plan: &Plan,
    layout: &Layout<'_>,
    fallback: Option<&Path>,
    pool: &Pool,
    progress: &mut Progress<'_>,
) -> Result<Option<PackedModel>, LoadError> {
    let key = key::of(plan)?;
    for place in places(plan, fallback, &key) {
        let Ok(file) = Source::open(&place) else {
            continue;
        };
        let segments = segments(layout);
        let Some(header) = Header::read(&file, &segments, &key) else {
            continue;
        };
        let Some(read) = read_pieces(&file, &header, &segments, pool, progress)? else {
            continue;
        };
        if let Some(found) = assemble(plan, layout, read, pool, progress)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The bytes of one segment.
struct Read {
    scales: Vec<u8>,
    packed: AlignedBytes,
}

/// Reads and checks all pieces; `None` if one is damaged.
fn read_pieces(
    file: &Source,
    header: &Header,
    segments: &Segments,
    pool: &Pool,
    progress: &mut Progress<'_>,
) -> Result<Option<Vec<Read>>, LoadError> {
    let list = &segments.list;
    let mut buffers = list
        .iter()
        .map(|segment| buffer(segment.packed_bytes, "the packed copy"))
        .collect::<Result<Vec<_>, _>>()?;
    let scales: Vec<OnceLock<Vec<u8>>> = list.iter().map(|_| OnceLock::new()).collect();
    let damaged = AtomicBool::new(false);
    let pieces: Vec<_> = buffers
        .iter_mut()
        .enumerate()
        .flat_map(|(segment, packed)| {
            let pieces = packed.chunks_mut(PIECE_BYTES).enumerate();
            pieces.map(move |(piece, bytes)| Mutex::new((segment, piece, bytes)))
        })
        .collect();
    let total = list.iter().map(|segment| segment.packed_bytes as u64).sum();
    let mut ask = |pieces: usize| {
        let done = (pieces as u64 * PIECE_BYTES as u64).min(total);
        report(progress, LoadPhase::ReadingCache { done, total })
    };
    in_batches(pool, pieces.len(), PIECE_BYTES, &mut ask, &|item| {
        let mut piece = pieces[item].lock().expect("each piece is read once");
        let (index, piece, bytes) = &mut *piece;
        let segment = &list[*index];
        if damaged.load(Ordering::Relaxed) {
            return Ok(());
        }
        match read_piece(file, segment, *piece, bytes) {
            Some((own_scales, sum)) if sum == header.checksums[segment.first_piece + *piece] => {
                if *piece == 0 {
                    scales[*index].get_or_init(|| own_scales);
                }
            }
            _ => damaged.store(true, Ordering::Relaxed),
        }
        Ok(())
    })?;
    drop(pieces);
    if damaged.into_inner() {
        return Ok(None);
    }
    let read = scales
        .into_iter()
        .zip(buffers)
        .map(|(scales, packed)| Read {
            scales: scales
                .into_inner()
                .expect("every segment has a first piece"),
            packed,
        });
    Ok(Some(read.collect()))
}

/// Fills `bytes` with a piece; its row scales and checksum, `None` if the system refuses.
fn read_piece(
    file: &Source,
    segment: &Segment,
    piece: usize,
    bytes: &mut [u8],
) -> Option<(Vec<u8>, u64)> {
    let scales = match piece {
        0 => file.read_vec(segment.scales_offset, segment.scales_bytes as u64),
        _ => Ok(Vec::new()),
    };
    let scales = scales.ok()?;
    let offset = segment.packed_offset + (piece * PIECE_BYTES) as u64;
    file.read_at(offset, bytes).ok()?;
    let sum = checksum(&[&scales, bytes]);
    Some((scales, sum))
}

/// Makes matrices and screen of what was read; `None` if it is none of this layout.
fn assemble(
    plan: &Plan,
    layout: &Layout<'_>,
    mut read: Vec<Read>,
    pool: &Pool,
    progress: &mut Progress<'_>,
) -> Result<Option<PackedModel>, LoadError> {
    let total = layout.bytes();
    let screen = match read.len() > layout.groups.len() {
        true => {
            let (rows, cols) = head_shape(plan);
            let packed = read.pop().expect("one more than groups").packed;
            match ScreenedHead::from_packed(rows, cols, packed) {
                Ok(screen) => Some(Arc::new(screen)),
                Err(_) => return Ok(None),
            }
        }
        false => None,
    };
    let parts: Vec<_> = read
        .into_iter()
        .map(|read| Mutex::new((Some(read), None)))
        .collect();
    let largest = layout
        .groups
        .iter()
        .map(|group| group.rows() * group.cols());
    let largest = largest.max().unwrap_or(0);
    let mut ask = |_| report(progress, LoadPhase::ReadingCache { done: total, total });
    in_batches(pool, parts.len(), largest, &mut ask, &|index| {
        let mut part = parts[index].lock().expect("each matrix is made once");
        let group = &layout.groups[index];
        part.1 = part.0.take().and_then(|Read { scales, packed }| {
            let matrix = TernaryMatrix::from_packed(group.rows(), group.cols(), packed).ok()?;
            let scales = scales.as_chunks::<4>().0.iter();
            Some(Packed {
                matrix: Arc::new(matrix),
                row_scales: scales.map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            })
        });
        Ok(())
    })?;
    let matrices: Option<Vec<Packed>> = parts
        .into_iter()
        .map(|part| part.into_inner().expect("no panic while locked").1)
        .collect();
    Ok(matrices.map(|matrices| PackedModel { matrices, screen }))
}
