//! Places in a packed copy. They follow from the plan alone; the file carries only a key and checksums to compare.
//!
//! | bytes | content |
//! |---|---|
//! | 8 | magic `R3MESPK2` |
//! | 8 | bytes of the file |
//! | 32 | key, see [`super::key`] |
//! | 8 | number of pieces |
//! | 8 each | checksum of each piece |
//! | 8 | checksum of all of the above |
//!
//! Then the segments: row scales (f32, little-endian) from a multiple of 64, packed bytes from a multiple of 4096. The packed
//! bytes of a segment are written, read and checked in pieces of [`PIECE_BYTES`]; the row scales belong to the first.

use crate::checksum::checksum;
use crate::load::assemble::Layout;
use crate::load::source::Source;

const MAGIC: &[u8; 8] = b"R3MESPK2";
const FIXED_BYTES: usize = 8 + 8 + 32 + 8;
const SCALES_ALIGNMENT: u64 = 64;
const PACKED_ALIGNMENT: u64 = 4096;

/// Packed bytes that are written, read and checked at once.
pub(super) const PIECE_BYTES: usize = 512 << 10;

/// Where one matrix (or the screened head) lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    /// Place of its first piece among all.
    pub first_piece: usize,
    pub scales_offset: u64,
    pub scales_bytes: usize,
    pub packed_offset: u64,
    pub packed_bytes: usize,
}

impl Segment {
    pub(super) fn pieces(&self) -> usize {
        self.packed_bytes.div_ceil(PIECE_BYTES)
    }
}

/// All segments of a copy.
pub(super) struct Segments {
    pub list: Vec<Segment>,
    /// Pieces of all of them.
    pub pieces: usize,
    /// Length of the file.
    pub file_bytes: u64,
}

/// The segments of a layout.
pub(super) fn segments(layout: &Layout<'_>) -> Segments {
    let matrices = layout
        .groups
        .iter()
        .map(|group| (group.rows() * 4, group.bytes));
    let screen = (layout.screen_bytes > 0).then_some((0, layout.screen_bytes));
    let sizes: Vec<_> = matrices.chain(screen).collect();
    let pieces = |&(_, packed_bytes): &(usize, usize)| packed_bytes.div_ceil(PIECE_BYTES);
    let pieces = sizes.iter().map(pieces).sum();
    let mut end = Header::bytes(pieces) as u64;
    let mut first_piece = 0;
    let list = sizes
        .into_iter()
        .map(|(scales_bytes, packed_bytes)| {
            let scales_offset = end.next_multiple_of(SCALES_ALIGNMENT);
            let packed_offset =
                (scales_offset + scales_bytes as u64).next_multiple_of(PACKED_ALIGNMENT);
            end = packed_offset + packed_bytes as u64;
            let segment = Segment {
                first_piece,
                scales_offset,
                scales_bytes,
                packed_offset,
                packed_bytes,
            };
            first_piece += segment.pieces();
            segment
        })
        .collect();
    Segments {
        list,
        pieces,
        file_bytes: end,
    }
}

/// What the beginning of the file says.
pub(super) struct Header {
    pub key: [u8; 32],
    pub file_bytes: u64,
    pub checksums: Vec<u64>,
}

impl Header {
    /// Length of a header for `pieces` pieces.
    pub(super) fn bytes(pieces: usize) -> usize {
        FIXED_BYTES + 8 * pieces + 8
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
    pub(super) fn read(file: &Source, segments: &Segments, key: &[u8; 32]) -> Option<Self> {
        if file.bytes() != segments.file_bytes {
            return None;
        }
        let found = file.read_vec(0, Self::bytes(segments.pieces) as u64).ok()?;
        let checksums = found
            .get(FIXED_BYTES..FIXED_BYTES + 8 * segments.pieces)?
            .as_chunks::<8>()
            .0;
        let header = Self {
            key: *key,
            file_bytes: segments.file_bytes,
            checksums: checksums
                .iter()
                .map(|bytes| u64::from_le_bytes(*bytes))
                .collect(),
        };
        // Encoding what was expected compares magic, length, key and checksum at once.
        (header.encode() == found).then_some(header)
    }
}
