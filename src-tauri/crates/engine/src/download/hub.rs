//! One repository of the hub: its address, its list of files, and patience with its failures.

use super::error::DownloadError;
use super::link::{Head, Link, Stream, Trouble};
use crate::api::{PullEvent, PullRequest};
use crate::cancel::Cancel;
use crate::error::EngineError;
use crate::settings::DownloadSettings;
use hf_hub::api::sync::{ApiBuilder, ApiRepo};
use hf_hub::{Cache, Repo, RepoType};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// The longest listing accepted.
const MOST_LISTING_BYTES: usize = 32 << 20;
const OFFLINE: &str = "HF_HUB_OFFLINE";
const TOKENS: [&str; 2] = ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"];
const LOOK: Duration = Duration::from_millis(50);

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

/// Whether the person keeps this program off the network.
pub(super) fn is_offline() -> bool {
    let is_on = |value: String| !matches!(value.as_str(), "" | "0" | "false");
    std::env::var(OFFLINE).is_ok_and(is_on)
}

/// The host of another hub, when one is set.
pub(super) fn mirror() -> Option<String> {
    let endpoint = std::env::var("HF_ENDPOINT").ok()?;
    let (_, rest) = endpoint.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    // A name and password before the host are nobody's business.
    let host = host.rsplit('@').next()?;
    (!host.is_empty()).then(|| host.to_owned())
}

/// One repository.
pub(super) struct Hub {
    repo: String,
    api: ApiRepo,
    link: Link,
    pub settings: DownloadSettings,
}

impl Hub {
    /// Prepares the addresses; nothing is sent.
    pub fn open(request: &PullRequest, settings: &DownloadSettings) -> Result<Hub, DownloadError> {
        if is_offline() {
            return Err(DownloadError::Offline);
        }
        let repo = request.repo.clone();
        let part = |part: &str| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
            !part.is_empty() && !part.starts_with('.') && part.chars().all(allowed)
        };
        if !repo
            .split_once('/')
            .is_some_and(|(owner, name)| part(owner) && part(name))
        {
            return Err(DownloadError::BadRepo { repo });
        }
        let revision = request.revision.clone().unwrap_or_else(|| "main".into());
        if !revision.split('/').all(part) {
            return Err(DownloadError::BadRepo {
                repo: format!("{repo}@{revision}"),
            });
        }
        let address = |reason: String| DownloadError::Address {
            what: std::env::var("HF_ENDPOINT").unwrap_or_default(),
            reason,
        };
        let token = token();
        let api = ApiBuilder::from_cache(cache())
            .with_token(token.clone())
            .with_progress(false);
        let api = match std::env::var("HF_ENDPOINT") {
            Ok(endpoint) if !endpoint.is_empty() => {
                api.with_endpoint(endpoint.trim_end_matches('/').to_owned())
            }
            _ => api,
        };
        let api = api
            .build()
            .map_err(|error| address(error.to_string()))?
            .repo(Repo::with_revision(repo.clone(), RepoType::Model, revision));
        let origin = api
            .url("")
            .parse()
            .map_err(|error| address(format!("{error}")))?;
        Ok(Hub {
            repo,
            api,
            link: Link::new(origin, token, settings.stall),
            settings: settings.clone(),
        })
    }

    /// The list of files; nothing when it was cancelled.
    pub fn list(
        &self,
        cancel: &Cancel,
        events: &mut dyn FnMut(PullEvent),
    ) -> Result<Option<Listing>, EngineError> {
        let request = self.api.info_request();
        let url = request
            .uri_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        // Some mirrors know the plain address only.
        for url in [format!("{url}?blobs=true"), url] {
            let body = self.patiently(&self.repo, cancel, events, |cancel| {
                let mut stream = self.link.get(&url, &[], cancel)?;
                let body = stream.collect(MOST_LISTING_BYTES, cancel)?;
                Ok((stream.head, body))
            })?;
            match body {
                None => return Ok(None),
                Some((head, body)) if head.status == 200 => {
                    return self.read_listing(&body).map(Some).map_err(Into::into);
                }
                Some((head, _)) if head.status != 404 => {
                    return Err(self.refusal(&self.repo, head.status).into());
                }
                Some(_) => {}
            }
        }
        Err(self.refusal(&self.repo, 404).into())
    }

    fn read_listing(&self, body: &[u8]) -> Result<Listing, DownloadError> {
        let info: Info =
            serde_json::from_slice(body).map_err(|error| DownloadError::BadAnswer {
                what: self.repo.clone(),
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
                (Some(sha256), _) => checksum(&sha256),
                (None, Some(id)) => checksum(&id),
                (None, None) => None,
            },
            path: sibling.rfilename,
        });
        Ok(Listing {
            repo: self.repo.clone(),
            commit: info.sha,
            licence: of_card.or_else(|| info.tags.iter().find_map(of_tag)),
            files: files.collect(),
        })
    }

    /// Asks for what the listing did not tell of the files; nothing when it was cancelled.
    pub fn fill_in(
        &self,
        files: Vec<ListedFile>,
        cancel: &Cancel,
        events: &mut dyn FnMut(PullEvent),
    ) -> Result<Option<Vec<RemoteFile>>, EngineError> {
        let mut filled = Vec::new();
        for file in files {
            let (size, checksum) = match (file.size, file.checksum) {
                (Some(size), Some(checksum)) => (size, Some(checksum)),
                (size, known) => {
                    let Some(head) = self.probe(&file.path, cancel, events)? else {
                        return Ok(None);
                    };
                    let total = head.range.and_then(|(_, total)| total);
                    let length = head.length.filter(|_| head.status == 200);
                    let Some(size) = size.or(head.linked_size).or(total).or(length) else {
                        return Err(DownloadError::BadAnswer {
                            what: file.path,
                            found: "no size".into(),
                            expected: "`content-range`, `x-linked-size` or `content-length`".into(),
                        }
                        .into());
                    };
                    let promised = head.linked_etag.or(head.etag);
                    (size, known.or_else(|| checksum(&promised?)))
                }
            };
            filled.push(RemoteFile {
                path: file.path,
                size,
                checksum,
            });
        }
        Ok(Some(filled))
    }

    fn probe(
        &self,
        path: &str,
        cancel: &Cancel,
        events: &mut dyn FnMut(PullEvent),
    ) -> Result<Option<Head>, EngineError> {
        let head = self.patiently(path, cancel, events, |cancel| {
            let stream = self.get(path, &[("range", "bytes=0-0".into())], cancel)?;
            Ok((stream.head, ()))
        })?;
        match head {
            None => Ok(None),
            // An empty file has no byte 0.
            Some((head, ())) if matches!(head.status, 200 | 206 | 416) => Ok(Some(head)),
            Some((head, ())) => Err(self.refusal(path, head.status).into()),
        }
    }

    /// Asks for a file of the repository.
    pub fn get(
        &self,
        path: &str,
        headers: &[(&'static str, String)],
        cancel: &Cancel,
    ) -> Result<Stream, Trouble> {
        self.link
            .get(&self.api.url(&escaped(path)), headers, cancel)
    }

    /// What a status means that another try would not change.
    pub fn refusal(&self, what: &str, status: u16) -> DownloadError {
        let what = match what == self.repo {
            true => what.to_owned(),
            false => format!("{}/{what}", self.repo),
        };
        match status {
            401 | 403 => DownloadError::Refused { what, status },
            404 | 410 => DownloadError::NotFound { what },
            _ => DownloadError::BadAnswer {
                what,
                found: format!("status {status}"),
                expected: "200 or 206".into(),
            },
        }
    }

    /// Repeats a request until it brings an answer that is not a passing failure; nothing when it was cancelled.
    fn patiently<T>(
        &self,
        what: &str,
        cancel: &Cancel,
        events: &mut dyn FnMut(PullEvent),
        mut request: impl FnMut(&Cancel) -> Result<(Head, T), Trouble>,
    ) -> Result<Option<(Head, T)>, EngineError> {
        let mut patience = Patience::new(&self.settings, what);
        loop {
            let (reason, asked) = match request(cancel) {
                Ok((head, _)) if is_passing(head.status) => {
                    (format!("status {}", head.status), head.retry_after)
                }
                Ok(answer) => return Ok(Some(answer)),
                Err(Trouble::Cancelled) => return Ok(None),
                Err(Trouble::Broken(reason)) => (reason, None),
                Err(Trouble::Hopeless(reason)) => {
                    return Err(DownloadError::Address {
                        what: what.to_owned(),
                        reason,
                    }
                    .into());
                }
            };
            let wait = patience.after_failure(&reason, asked)?;
            events(PullEvent::Retrying {
                file: what.to_owned(),
                reason,
                wait,
            });
            if !sleep(wait, cancel) {
                return Ok(None);
            }
        }
    }
}

/// Failures in a row, and how long to wait after each.
pub(super) struct Patience<'a> {
    settings: &'a DownloadSettings,
    what: String,
    failures: u32,
}

impl<'a> Patience<'a> {
    pub fn new(settings: &'a DownloadSettings, what: &str) -> Patience<'a> {
        Patience {
            settings,
            what: what.to_owned(),
            failures: 0,
        }
    }

    /// Bytes arrived: earlier failures count no more.
    pub fn after_progress(&mut self) {
        self.failures = 0;
    }

    /// How long to wait before the next try.
    pub fn after_failure(
        &mut self,
        reason: &str,
        asked: Option<Duration>,
    ) -> Result<Duration, DownloadError> {
        self.failures += 1;
        if self.failures >= self.settings.tries {
            return Err(DownloadError::GaveUp {
                what: self.what.clone(),
                tries: self.failures,
                reason: reason.to_owned(),
            });
        }
        let doubled = self.settings.first_wait * 2u32.saturating_pow((self.failures - 1).min(16));
        Ok(asked.unwrap_or(doubled).min(self.settings.longest_wait))
    }
}

/// Whether another try may bring something else.
pub(super) fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..=599)
}

/// Waits; false when it was cancelled.
pub(super) fn sleep(wait: Duration, cancel: &Cancel) -> bool {
    let end = Instant::now() + wait;
    while !cancel.is_set() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(LOOK));
    }
    false
}

/// A promise in an entity tag or a listing: 64 hexadecimal digits are a sha256, 40 are git's id.
fn checksum(tag: &str) -> Option<Checksum> {
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

fn token() -> Option<String> {
    let variable = |name: &&str| {
        std::env::var(name)
            .ok()
            .filter(|token| !token.trim().is_empty())
    };
    let stored = || cache().token();
    TOKENS
        .iter()
        .find_map(variable)
        .or_else(stored)
        .map(|token| token.trim().to_owned())
}

/// The hub's own folder on this computer; only its token is read.
fn cache() -> Cache {
    // hf-hub's default panics for a user without a home folder.
    match (std::env::var_os("HF_HOME"), directories::BaseDirs::new()) {
        (None, None) => Cache::new(std::env::temp_dir().join("hub")),
        _ => Cache::from_env(),
    }
}

/// A path as part of an address.
fn escaped(path: &str) -> String {
    let keep =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'/' | b'~');
    path.bytes()
        .map(|byte| match keep(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
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
        assert_eq!(checksum(&format!("\"{sha}\"")), Some(Checksum::Sha256(sha)));
        assert_eq!(
            checksum(&"B".repeat(40)),
            Some(Checksum::GitBlob("b".repeat(40)))
        );
        assert_eq!(checksum("\"d41d8cd98f00b204e9800998ecf8427e-3\""), None);
    }

    #[test]
    fn waits_double_and_the_hub_may_ask_for_more() {
        let settings = DownloadSettings {
            stall: Duration::from_secs(1),
            tries: 4,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(10),
        };
        let mut patience = Patience::new(&settings, "x");
        let mut wait = |asked: Option<u64>| {
            patience
                .after_failure("r", asked.map(Duration::from_secs))
                .map(|wait| wait.as_secs())
                .ok()
        };
        assert_eq!(
            [wait(None), wait(None), wait(Some(60)), wait(None)],
            [Some(1), Some(2), Some(10), None]
        );
    }
}
