//! The files of an embedder, from a folder or from memory, read whole and within limits.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::EmbeddingError;

/// Where the files of an embedder are.
pub(super) enum Files<'a> {
    /// A folder on disk.
    Folder(&'a Path),
    /// Names and bytes, such as those inside the program.
    Memory {
        /// What stands for the folder in errors.
        place: &'a str,
        /// Each file's name and bytes.
        files: &'a [(&'a str, &'a [u8])],
    },
}

/// What belongs in an embedder's folder.
pub(super) const EXPECTED: &str = "`config.json`, `tokenizer.json` and `model.safetensors`";

impl Files<'_> {
    /// How a file is called in errors.
    pub(super) fn place(&self, name: &str) -> String {
        match self {
            Files::Folder(folder) => folder.join(name).display().to_string(),
            Files::Memory { place, .. } => format!("{place}/{name}"),
        }
    }

    /// The last name of the folder.
    pub(super) fn name(&self) -> String {
        match self {
            Files::Folder(folder) => {
                // `.` and `x/..` have no last name of their own.
                let folder = folder
                    .canonicalize()
                    .unwrap_or_else(|_| folder.to_path_buf());
                let name = folder.file_name().unwrap_or(folder.as_os_str());
                name.to_string_lossy().into_owned()
            }
            Files::Memory { place, .. } => (*place).to_owned(),
        }
    }

    /// The bytes of a file that must be there.
    ///
    /// # Errors
    /// If it is missing, larger than `limit` bytes, not a regular file, or the system refuses.
    pub(super) fn require(&self, name: &str, limit: u64) -> Result<Cow<'_, [u8]>, EmbeddingError> {
        self.read(name, limit)?
            .ok_or_else(|| EmbeddingError::Missing {
                place: self.place(name),
                expected: EXPECTED,
            })
    }

    /// The bytes of a file, nothing when there is none.
    ///
    /// # Errors
    /// As [`Files::require`], except that it may be missing.
    pub(super) fn read(
        &self,
        name: &str,
        limit: u64,
    ) -> Result<Option<Cow<'_, [u8]>>, EmbeddingError> {
        match self {
            Files::Memory { files, .. } => {
                let found = files.iter().find(|(file, _)| *file == name);
                Ok(found.map(|(_, bytes)| Cow::Borrowed(*bytes)))
            }
            Files::Folder(folder) => Ok(read(&folder.join(name), limit)?.map(Cow::Owned)),
        }
    }
}

fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, EmbeddingError> {
    let io = |action| {
        move |source| EmbeddingError::Io {
            action,
            path: path.to_owned(),
            source,
        }
    };
    let refuse = |part: &str, found: String, expected: String| {
        EmbeddingError::malformed(path.display().to_string(), part, found, expected)
    };
    // Opening a FIFO would wait for a writer for ever: look before opening.
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io("open")(error)),
    };
    if !metadata.is_file() {
        let found = if metadata.is_dir() {
            "a folder"
        } else {
            "a special file"
        };
        return Err(refuse("file kind", found.into(), "a regular file".into()));
    }
    let mut content = Vec::new();
    // One byte over the limit tells a file that grows while it is read from one that fits.
    File::open(path)
        .map_err(io("open"))?
        .take(limit + 1)
        .read_to_end(&mut content)
        .map_err(io("read"))?;
    let bytes = metadata.len().max(content.len() as u64);
    if bytes > limit {
        return Err(refuse(
            "file length",
            format!("{bytes} bytes"),
            format!("at most {limit} bytes"),
        ));
    }
    Ok(Some(content))
}
