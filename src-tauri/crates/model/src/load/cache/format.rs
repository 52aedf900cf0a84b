//! Places in a packed copy. They follow from the plan alone; the file carries only a key and checksums to compare.
//!
//! | bytes | content |
//! |---|---|
//! | 8 | magic `R3MESPK1` |
//! | 8 | bytes of the file |
//! | 32 | key, see [`super::key`] |
//! | 8 | number of segments |
//! | 8 each | checksum of each segment |
//! | 8 | checksum of all of the above |
//!
//! Then the segments: row scales (f32, little-endian) from a multiple of 64, packed bytes from a multiple of 4096.

use super::checksum::checksum;
use crate::load::assemble::Layout;
use crate::load::source::Source;

const MAGIC: &[u8; 8] = b"R3MESPK1";
const FIXED_BYTES: usize = 8 + 8 + 32 + 8;
const SCALES_ALIGNMENT: u64 = 64;
const PACKED_ALIGNMENT: u64 = 4096;

/// Where one matrix (or the screened head) lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    pub scales_offset: u64,
    pub scales_bytes: usize,
    pub packed_offset: u64,
    pub packed_bytes: usize,
}

/// The segments of a layout and the length of the file.
pub(super) fn segments(layout: &Layout<'_>) -> (Vec<Segment>, u64) {
    let matrices = layout
        .groups
        .iter()
        .map(|group| (group.rows() * 4, group.bytes));
    let screen = (layout.screen_bytes > 0).then_some((0, layout.screen_bytes));
    let sizes: Vec<_> = matrices.chain(screen).collect();
    let mut end = Header::bytes(sizes.len()) as u64;
    let segments = sizes
        .into_iter()
        .map(|(scales_bytes, packed_bytes)| {
            let scales_offset = end.next_multiple_of(SCALES_ALIGNMENT);
            let packed_offset =
                (scales_offset + scales_bytes as u64).next_multiple_of(PACKED_ALIGNMENT);
            end = packed_offset + packed_bytes as u64;
            Segment {
                scales_offset,
                scales_bytes,
                packed_offset,
                packed_bytes,
            }
        })
        .collect();
    (segments, end)
}

/// What the beginning of the file says.
pub(super) struct Header {
    pub key: [u8; 32],
    pub file_bytes: u64,
    pub checksums: Vec<u64>,
}

impl Header {
    /// Length of a header for `segments` segments.
    pub(super) fn bytes(segments: usize) -> usize {
        FIXED_BYTES + 8 * segments + 8
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(self.file_bytes.to_le_bytes());
        out.extend(self.key);
        out.extend((self.checksums.len() as u64).to_le_bytes());
        self.checksums
            .iter()
            .for_each(|sum| out.extend(sum.to_le_bytes()));
        out.extend(checksum(&[&out]).to_le_bytes());
        out
    }

    /// The header of `file` if it is complete and that of the expected copy.
    pub(super) fn read(
        file: &Source,
        segments: usize,
        file_bytes: u64,
        key: &[u8; 32],
    ) -> Option<Self> {
        if file.bytes() != file_bytes {
            return None;
        }
        let found = file.read_vec(0, Self::bytes(segments) as u64).ok()?;
        let checksums = found
            .get(FIXED_BYTES..FIXED_BYTES + 8 * segments)?
            .as_chunks::<8>()
            .0;
        let header = Self {
            key: *key,
            file_bytes,
            checksums: checksums
                .iter()
                .map(|bytes| u64::from_le_bytes(*bytes))
                .collect(),
        };
        // Encoding what was expected compares magic, length, key and checksum at once.
        (header.encode() == found).then_some(header)
    }
}
