//! The packed copy of a large model: one file, read straight into huge pages.
//!
//! The file begins with a [`format::Header`] whose key names everything the copy was made from; matrices follow in the order of
//! the computation, then the screened head. Nothing in it is trusted: a copy that is stale, cut short or damaged is packed
//! anew, never half used.
//!
//! It is written under a temporary name, synced and renamed.

mod checksum;
mod format;
mod key;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use r3mes_kernels::{Pool, ScreenedHead, TernaryMatrix};

use super::assemble::{Layout, buffer, head_shape};
use super::pack::{Packed, PackedModel};
use super::plan::Plan;
use super::source::Source;
use super::{LoadError, LoadPhase, Progress, report};
use checksum::checksum;
use format::{Header, Segment, segments};

pub(super) use write::CacheWriter;

/// Folder of packed copies beside a model; the number is that of the format.
pub(crate) const FOLDER: &str = ".r3mes-packed-v1";
/// Bytes read between two looks at the caller's wish to stop.
const BYTES_PER_REPORT: u64 = 96 << 20;

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
        let (segments, file_bytes) = segments(layout);
        let Some(header) = Header::read(&file, segments.len(), file_bytes, &key) else {
            continue;
        };
        if let Some(found) = read_segments(plan, layout, &file, &header, &segments, pool, progress)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// One segment in memory.
enum Read {
    Matrix(Packed),
    Screen(ScreenedHead),
}

/// A segment, `None` if it is damaged.
type ReadResult = Result<Option<Read>, LoadError>;

fn read_segments(
    plan: &Plan,
    layout: &Layout<'_>,
    file: &Source,
    header: &Header,
    segments: &[Segment],
    pool: &Pool,
    progress: &mut Progress<'_>,
) -> Result<Option<PackedModel>, LoadError> {
    let total = layout.bytes();
    let results: Vec<Mutex<Option<ReadResult>>> =
        segments.iter().map(|_| Mutex::new(None)).collect();
    // The screen is the largest segment by far: begun first, it does not leave one thread working alone at the end.
    let mut order: Vec<usize> = (0..segments.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(segments[index].packed_bytes));
    let (mut next, mut done) = (0, 0);
    while next < order.len() {
        report(progress, LoadPhase::ReadingCache { done, total })?;
        let first = next;
        let batch_start = done;
        while next < order.len() && (next == first || done - batch_start < BYTES_PER_REPORT) {
            done += segments[order[next]].packed_bytes as u64;
            next += 1;
        }
        pool.run(next - first, &|item| {
            let index = order[first + item];
            let read = read_segment(plan, layout, file, header, &segments[index], index);
            *results[index].lock().expect("each segment is read once") = Some(read);
        });
    }
    let (mut matrices, mut screen) = (Vec::new(), None);
    for result in results {
        match result
            .into_inner()
            .expect("no panic while locked")
            .expect("every segment was read")?
        {
            Some(Read::Matrix(packed)) => matrices.push(packed),
            Some(Read::Screen(head)) => screen = Some(head),
            None => return Ok(None),
        }
    }
    Ok(Some(PackedModel { matrices, screen }))
}

/// Reads and checks one segment; `None` if it is damaged.
fn read_segment(
    plan: &Plan,
    layout: &Layout<'_>,
    file: &Source,
    header: &Header,
    segment: &Segment,
    index: usize,
) -> ReadResult {
    let mut packed = buffer(segment.packed_bytes, "the packed copy")?;
    let Ok(scales) = file.read_vec(segment.scales_offset, segment.scales_bytes as u64) else {
        return Ok(None);
    };
    if file.read_at(segment.packed_offset, &mut packed).is_err() {
        return Ok(None);
    }
    if checksum(&[&scales, &packed]) != header.checksums[index] {
        return Ok(None);
    }
    let Some(group) = layout.groups.get(index) else {
        let (rows, cols) = head_shape(plan);
        return Ok(ScreenedHead::from_packed(rows, cols, packed)
            .ok()
            .map(Read::Screen));
    };
    let row_scales: Vec<f32> = scales
        .as_chunks::<4>()
        .0
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect();
    let matrix = TernaryMatrix::from_packed(group.rows(), group.cols(), packed);
    Ok(matrix
        .ok()
        .map(|matrix| Read::Matrix(Packed { matrix, row_scales })))
}
