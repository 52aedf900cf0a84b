//! A forward reader over the header of a file, buffered, never past its limit.

use super::Source;
use crate::load::LoadError;

const BUFFER_BYTES: u64 = 1 << 20;

/// Reads little-endian values one after the other.
pub(super) struct Cursor<'a> {
    source: &'a Source,
    offset: u64,
    limit: u64,
    buffer: Vec<u8>,
    buffer_offset: u64,
}

impl<'a> Cursor<'a> {
    /// Starts at byte 0 and refuses to pass `limit` or the end of the file.
    pub(super) fn new(source: &'a Source, limit: u64) -> Self {
        Self {
            source,
            offset: 0,
            limit: limit.min(source.bytes()),
            buffer: Vec::new(),
            buffer_offset: 0,
        }
    }

    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    fn remaining(&self) -> u64 {
        self.limit - self.offset
    }

    /// The error for what stands just before the cursor.
    pub(super) fn refuse(
        &self,
        place: &str,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> LoadError {
        let place = format!("{place} before byte {}", self.offset);
        LoadError::malformed(self.source.path(), place, found, expected)
    }

    pub(super) fn array<const N: usize>(&mut self, place: &str) -> Result<[u8; N], LoadError> {
        let mut out = [0; N];
        self.fill(place, &mut out)?;
        Ok(out)
    }

    fn fill(&mut self, place: &str, out: &mut [u8]) -> Result<(), LoadError> {
        if out.len() as u64 > self.remaining() {
            let found = format!("{} bytes before the end of the header", self.remaining());
            return Err(self.refuse(place, found, format!("{} bytes", out.len())));
        }
        let start = self.offset - self.buffer_offset;
        if self.buffer.is_empty() || start + out.len() as u64 > self.buffer.len() as u64 {
            if out.len() as u64 >= BUFFER_BYTES {
                self.source.read_at(self.offset, out)?;
                self.offset += out.len() as u64;
                return Ok(());
            }
            self.buffer = self
                .source
                .read_vec(self.offset, BUFFER_BYTES.min(self.remaining()))?;
            self.buffer_offset = self.offset;
        }
        let start = (self.offset - self.buffer_offset) as usize;
        out.copy_from_slice(&self.buffer[start..start + out.len()]);
        self.offset += out.len() as u64;
        Ok(())
    }

    pub(super) fn u32(&mut self, place: &str) -> Result<u32, LoadError> {
        self.array(place).map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self, place: &str) -> Result<u64, LoadError> {
        self.array(place).map(u64::from_le_bytes)
    }

    /// A count of things that take at least `min_bytes` each: at most `limit`, and the file must have room for them.
    pub(super) fn count(
        &mut self,
        place: &str,
        limit: u64,
        min_bytes: u64,
    ) -> Result<u64, LoadError> {
        let count = self.u64(place)?;
        let room = self.remaining() / min_bytes;
        match count <= limit && count <= room {
            true => Ok(count),
            false => {
                let expected = match room < limit {
                    true => format!("at most {room} in what is left of the header"),
                    false => format!("at most {limit}"),
                };
                Err(self.refuse(place, count.to_string(), expected))
            }
        }
    }

    /// A length-prefixed UTF-8 string of at most `limit` bytes.
    pub(super) fn string(&mut self, place: &str, limit: u64) -> Result<String, LoadError> {
        let bytes = self.count(place, limit, 1)?;
        let mut out = vec![0; bytes as usize];
        self.fill(place, &mut out)?;
        String::from_utf8(out).map_err(|error| {
            let found = format!(
                "invalid UTF-8 after {} bytes",
                error.utf8_error().valid_up_to()
            );
            self.refuse(place, found, "a UTF-8 string")
        })
    }
}
