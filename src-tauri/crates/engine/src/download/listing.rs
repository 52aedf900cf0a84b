//! What a repository holds, as the hub lists it.

use super::error::DownloadError;
use serde::{Deserialize, Serialize};

/// A hash that the hub promises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Checksum {
    /// Of the bytes; for large files.
    Sha256(String),
    /// Git's id of the file; for small ones.
    GitBlob(String),
}

/// A file as the repository lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ListedFile {
    pub path: String,
    pub size: Option<u64>,
    pub checksum: Option<Checksum>,
}

impl ListedFile {
    #[cfg(test)]
    pub fn named(path: &str) -> ListedFile {
        ListedFile {
            path: path.into(),
            size: None,
            checksum: None,
        }
    }
}

/// A file of known size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RemoteFile {
    pub path: String,
    pub size: u64,
    pub checksum: Option<Checksum>,
}

/// What a repository holds.
#[derive(Debug)]
pub(super) struct Listing {
    pub repo: String,
    pub commit: Option<String>,
    pub licence: Option<String>,
    pub files: Vec<ListedFile>,
}

impl Listing {
    /// Reads the hub's answer.
    ///
    /// # Errors
    /// If it is not a listing.
    pub fn read(repo: &str, body: &[u8]) -> Result<Listing, DownloadError> {
        let info: Info =
            serde_json::from_slice(body).map_err(|error| DownloadError::BadAnswer {
                what: repo.to_owned(),
                found: format!("a listing that is not the JSON expected here ({error})"),
                expected: "`siblings` with `rfilename`".into(),
            })?;
        let of_tag = |tag: &String| tag.strip_prefix("license:").map(str::to_owned);
        let of_card = info
            .card_data
            .and_then(|card| Some(card.get("license")?.as_str()?.to_owned()));
        let files = info.siblings.into_iter().map(|sibling| ListedFile {
            size: sibling
                .lfs
                .as_ref()
                .and_then(|lfs| lfs.size)
                .or(sibling.size),
            checksum: match (sibling.lfs.and_then(|lfs| lfs.sha256), sibling.blob_id) {
                (Some(sha256), _) => promise(&sha256),
                (None, Some(id)) => promise(&id),
                (None, None) => None,
            },
            path: sibling.rfilename,
        });
        Ok(Listing {
            repo: repo.to_owned(),
            commit: info.sha,
            licence: of_card.or_else(|| info.tags.iter().find_map(of_tag)),
            files: files.collect(),
        })
    }
}

/// A promise in an entity tag or a listing: 64 hexadecimal digits are a sha256, 40 are git's id.
pub(super) fn promise(tag: &str) -> Option<Checksum> {
    let hash = tag
        .trim_start_matches("W/")
        .trim_matches('"')
        .trim_start_matches("sha256:");
    let is_hex = hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    match hash.len() {
        64 if is_hex => Some(Checksum::Sha256(hash.to_ascii_lowercase())),
        40 if is_hex => Some(Checksum::GitBlob(hash.to_ascii_lowercase())),
        _ => None,
    }
}

/// The part of the hub's answer that is used.
#[derive(Deserialize)]
struct Info {
    siblings: Vec<Sibling>,
    sha: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(rename = "cardData")]
    card_data: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    #[serde(rename = "blobId")]
    blob_id: Option<String>,
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    sha256: Option<String>,
    size: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_read_by_its_length() {
        let sha = "a".repeat(64);
        assert_eq!(promise(&format!("\"{sha}\"")), Some(Checksum::Sha256(sha)));
        assert_eq!(
            promise(&"B".repeat(40)),
            Some(Checksum::GitBlob("b".repeat(40)))
        );
        assert_eq!(promise("\"d41d8cd98f00b204e9800998ecf8427e-3\""), None);
    }
}
