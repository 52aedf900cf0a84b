//! The bytes of one file so far: `<file>.part`, beside it what they are the beginning of.
//!
//! Bytes are only appended, and hashed as they arrive, so a kill at any byte leaves a true beginning.

use super::listing::{Checksum, RemoteFile};
use crate::cancel::Cancel;
use crate::catalogue::{Partial, hex};
use crate::folders::write_atomically;
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;

const PIECE: usize = 1 << 20;

/// What a `.part` is the beginning of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Identity {
    size: u64,
    checksum: Option<Checksum>,
    /// The entity tag of the server that sent the bytes, for `If-Range`.
    validator: Option<String>,
}

/// The places of one file.
#[derive(Clone, Debug)]
pub(super) struct Part {
    whole: PathBuf,
    part: PathBuf,
    identity: PathBuf,
    wanted: Identity,
}

impl Part {
    /// The places of `file` in an unfinished folder.
    pub fn of(partial: &Partial, file: &RemoteFile) -> Part {
        let place = |ending: &str| partial.folder().join(format!("{}{ending}", file.path));
        Part {
            whole: place(""),
            part: place(".part"),
            identity: place(".part.json"),
            wanted: Identity {
                size: file.size,
                checksum: file.checksum.clone(),
                validator: None,
            },
        }
    }

    /// Bytes here that may be part of the file.
    pub fn len(&self) -> u64 {
        let size = |path| std::fs::metadata(path).map_or(0, |found| found.len());
        match size(&self.whole) {
            0 if self.is_beginning() => size(&self.part).min(self.wanted.size),
            0 => 0,
            whole => whole.min(self.wanted.size),
        }
    }

    fn is_beginning(&self) -> bool {
        self.read_identity().is_some_and(|found| {
            found.size == self.wanted.size && found.checksum == self.wanted.checksum
        })
    }

    fn read_identity(&self) -> Option<Identity> {
        serde_json::from_slice(&std::fs::read(&self.identity).ok()?).ok()
    }

    fn write_identity(&self, validator: Option<String>) -> io::Result<()> {
        let identity = Identity {
            validator,
            ..self.wanted.clone()
        };
        let text = serde_json::to_vec(&identity).unwrap_or_default();
        write_atomically(&self.identity, &text).map_err(io::Error::other)
    }

    /// Opens what is here and hashes it; nothing when it was cancelled.
    pub fn open(self, cancel: &Cancel) -> io::Result<Option<Open>> {
        if let Some(folder) = self.part.parent() {
            std::fs::create_dir_all(folder)?;
        }
        if self.whole.exists() {
            // Finished in an earlier try; it is hashed again, the disk may have lied.
            self.write_identity(None)?;
            std::fs::rename(&self.whole, &self.part)?;
        } else if !self.is_beginning() {
            File::create(&self.part)?;
        }
        let validator = self.read_identity().and_then(|identity| identity.validator);
        let mut file = File::options()
            .read(true)
            .append(true)
            .create(true)
            .open(&self.part)?;
        let mut open = Open {
            hashes: Hashes::of(&self.wanted),
            place: self,
            validator,
            len: 0,
            file: None,
        };
        let mut piece = vec![0; PIECE];
        loop {
            if cancel.is_set() {
                return Ok(None);
            }
            let read = file.read(&mut piece)?;
            if read == 0 {
                break;
            }
            open.hashes.update(&piece[..read]);
            open.len += read as u64;
        }
        open.file = Some(file);
        Ok(Some(open))
    }
}

/// A part that is being written.
pub(super) struct Open {
    place: Part,
    file: Option<File>,
    hashes: Hashes,
    validator: Option<String>,
    /// Bytes on disk.
    pub len: u64,
}

impl Open {
    /// The entity tag of the server that sent what is here.
    pub fn validator(&self) -> Option<&str> {
        self.validator.as_deref()
    }

    /// Notes what the bytes that follow are part of.
    pub fn note(&mut self, validator: Option<String>) -> io::Result<()> {
        self.validator = validator;
        self.place.write_identity(self.validator.clone())
    }

    /// Throws away what is here.
    pub fn restart(&mut self) -> io::Result<()> {
        self.file_mut()?.set_len(0)?;
        self.len = 0;
        self.hashes = Hashes::of(&self.place.wanted);
        Ok(())
    }

    /// Appends bytes.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file_mut()?.write_all(bytes)?;
        self.hashes.update(bytes);
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Compares the hash with what the hub promised: the sha256, or what was found instead of the promise.
    pub fn verify(&self) -> Result<String, Mismatch> {
        let sha256 = hex(&self.hashes.sha256.clone().finalize());
        let (kind, found, expected) = match &self.place.wanted.checksum {
            None => return Ok(sha256),
            Some(Checksum::Sha256(expected)) => ("sha256", sha256.clone(), expected),
            Some(Checksum::GitBlob(expected)) => {
                let blob = self.hashes.blob.clone().unwrap_or_default();
                ("git blob id", hex(&blob.finalize()), expected)
            }
        };
        if found.eq_ignore_ascii_case(expected) {
            return Ok(sha256);
        }
        Err(Mismatch {
            kind,
            found,
            expected: expected.clone(),
        })
    }

    /// Gives the verified file its name.
    pub fn finish(mut self) -> io::Result<()> {
        if let Some(file) = self.file.take() {
            file.sync_all()?;
        }
        std::fs::rename(&self.place.part, &self.place.whole)?;
        match std::fs::remove_file(&self.place.identity) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn file_mut(&mut self) -> io::Result<&mut File> {
        self.file
            .as_mut()
            .ok_or_else(|| io::Error::other("the part is closed"))
    }
}

/// A hash that is not the promised one.
pub(super) struct Mismatch {
    pub kind: &'static str,
    pub found: String,
    pub expected: String,
}

/// The hash of the record, and the other one the hub may promise.
struct Hashes {
    sha256: Sha256,
    /// Git's id of a file: sha1 of `blob <size>\0` and its bytes.
    blob: Option<Sha1>,
}

impl Hashes {
    fn of(wanted: &Identity) -> Hashes {
        let blob = matches!(wanted.checksum, Some(Checksum::GitBlob(_)))
            .then(|| Sha1::new_with_prefix(format!("blob {}\0", wanted.size)));
        Hashes {
            sha256: Sha256::new(),
            blob,
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        if let Some(blob) = &mut self.blob {
            blob.update(bytes);
        }
    }
}
