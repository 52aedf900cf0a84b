//! The tensor table of a GGUF header: shape, type and place of each tensor.

use std::collections::HashSet;

use super::cursor::Cursor;
use super::kind::Kind;
use crate::load::LoadError;
use crate::load::source::Source;

/// Bytes of the shortest entry: an empty name, no dimensions, type, offset.
pub(super) const MIN_BYTES: u64 = 8 + 4 + 4 + 8;
const MAX_NAME_BYTES: u64 = 1 << 10;
/// Most dimensions of a tensor; ggml has four.
const MAX_DIMENSIONS: u32 = 4;

/// One tensor; a vector is one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Its name, unique in the file.
    pub name: String,
    /// All dimensions but the fastest, multiplied.
    pub rows: usize,
    /// The fastest dimension.
    pub cols: usize,
    /// Number of dimensions written in the file.
    pub dimensions: u32,
    /// How it is stored.
    pub kind: Kind,
    /// First byte in the file.
    pub offset: u64,
    /// Length in bytes.
    pub bytes: u64,
}

/// Reads `count` entries; offsets are still relative to the tensor data.
pub(super) fn read(cursor: &mut Cursor<'_>, count: u64) -> Result<Vec<TensorInfo>, LoadError> {
    let mut names = HashSet::new();
    let mut tensors = Vec::new();
    for _ in 0..count {
        let name = cursor.string("tensor name", MAX_NAME_BYTES)?;
        let place = format!("tensor `{name}`");
        let dimensions = cursor.u32(&place)?;
        if !(1..=MAX_DIMENSIONS).contains(&dimensions) {
            return Err(cursor.refuse(
                &place,
                format!("{dimensions} dimensions"),
                "1 to 4 dimensions",
            ));
        }
        let mut shape = [1u64; MAX_DIMENSIONS as usize];
        for length in &mut shape[..dimensions as usize] {
            *length = cursor.u64(&place)?;
        }
        let id = cursor.u32(&place)?;
        let offset = cursor.u64(&place)?;
        let Some(kind) = Kind::from_id(id) else {
            let expected = "f32, f16, bf16, Q4_0 to Q6_K, TQ1_0 (34), TQ2_0 (35) or I2_S (36)";
            return Err(cursor.refuse(&place, format!("type {id}"), expected));
        };
        let rows = shape[1..]
            .iter()
            .try_fold(1u64, |product, &length| product.checked_mul(length));
        let sized = rows.and_then(|rows| {
            let (rows, cols) = (usize::try_from(rows).ok()?, usize::try_from(shape[0]).ok()?);
            Some((rows, cols, kind.bytes(rows, cols)?))
        });
        let Some((rows, cols, bytes)) = sized else {
            let found = format!("shape {:?}", &shape[..dimensions as usize]);
            return Err(cursor.refuse(&place, found, format!("a shape of whole {kind:?} blocks")));
        };
        if !names.insert(name.clone()) {
            return Err(cursor.refuse(&place, "a second tensor of that name", "unique names"));
        }
        tensors.push(TensorInfo {
            name,
            rows,
            cols,
            dimensions,
            kind,
            offset,
            bytes: bytes as u64,
        });
    }
    Ok(tensors)
}

/// Makes offsets absolute; every tensor must be aligned, inside the file and apart from the others.
pub(super) fn check(
    source: &Source,
    tensors: &mut [TensorInfo],
    data_offset: u64,
    alignment: u64,
) -> Result<(), LoadError> {
    let refuse = |tensor: &TensorInfo, found: String, expected: String| {
        Err(LoadError::malformed(
            source.path(),
            format!("tensor `{}`", tensor.name),
            found,
            expected,
        ))
    };
    for tensor in tensors.iter_mut() {
        if !tensor.offset.is_multiple_of(alignment) {
            return refuse(
                tensor,
                format!("offset {}", tensor.offset),
                format!("a multiple of {alignment}"),
            );
        }
        let start = data_offset.checked_add(tensor.offset);
        let end = start.and_then(|start| start.checked_add(tensor.bytes));
        match (start, end) {
            (Some(start), Some(end)) if end <= source.bytes() => tensor.offset = start,
            _ => {
                let found = format!(
                    "{} bytes at {data_offset} + {}",
                    tensor.bytes, tensor.offset
                );
                return refuse(
                    tensor,
                    found,
                    format!("an end within the file's {} bytes", source.bytes()),
                );
            }
        }
    }
    let mut order: Vec<&TensorInfo> = tensors.iter().filter(|tensor| tensor.bytes > 0).collect();
    order.sort_by_key(|tensor| tensor.offset);
    for pair in order.windows(2) {
        if pair[0].offset + pair[0].bytes > pair[1].offset {
            let found = format!("byte {}, inside `{}`", pair[1].offset, pair[0].name);
            return refuse(pair[1], found, "tensors that do not overlap".into());
        }
    }
    Ok(())
}
