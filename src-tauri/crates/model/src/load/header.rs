//! The header of a safetensors file.

use safetensors::tensor::Metadata;

use super::LoadError;
use super::source::Source;

/// Bytes before the header: its length.
const PREFIX_BYTES: u64 = 8;
/// Largest header accepted, the limit of the safetensors crate.
const MAX_HEADER_BYTES: u64 = 100_000_000;

/// The checked header of a safetensors file and the offset of its data.
///
/// The safetensors crate checks that tensors follow each other without gap or overlap and have the size of their shape; here
/// the header's length and the end of the data are compared with the file's.
pub(crate) fn read_header(source: &Source) -> Result<(Metadata, u64), LoadError> {
    let path = source.path();
    let mut prefix = [0; PREFIX_BYTES as usize];
    source.read_at(0, &mut prefix)?;
    let header_bytes = u64::from_le_bytes(prefix);
    let room = (source.bytes() - PREFIX_BYTES).min(MAX_HEADER_BYTES);
    if header_bytes > room {
        let found = format!("{header_bytes} bytes");
        return Err(LoadError::malformed(
            path,
            "header length",
            found,
            format!("at most {room} bytes"),
        ));
    }
    let header = source.read_vec(PREFIX_BYTES, header_bytes)?;
    let metadata: Metadata = serde_json::from_slice(&header).map_err(|source| LoadError::Json {
        path: path.to_owned(),
        source,
    })?;
    let data_offset = PREFIX_BYTES + header_bytes;
    let data_bytes = source.bytes() - data_offset;
    if metadata.data_len() as u64 != data_bytes {
        let found = format!("{data_bytes} bytes of tensor data");
        let expected = format!("{} bytes as the header says", metadata.data_len());
        return Err(LoadError::malformed(path, "file length", found, expected));
    }
    Ok((metadata, data_offset))
}
