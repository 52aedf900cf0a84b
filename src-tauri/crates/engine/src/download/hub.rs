//! One repository of the hub: its address, and what is asked of it.

use super::error::DownloadError;
use super::link::{Head, Link, Stream, Trouble};
use super::listing::{ListedFile, Listing, RemoteFile, promise};
use super::patience::{Patience, is_passing, sleep};
use crate::api::{PullEvent, PullRequest};
use crate::cancel::Cancel;
use crate::error::EngineError;
use crate::settings::DownloadSettings;
use hf_hub::api::sync::{ApiBuilder, ApiRepo};
use hf_hub::{Cache, Repo, RepoType};

/// The longest listing accepted.
const MOST_LISTING_BYTES: usize = 32 << 20;
const OFFLINE: &str = "HF_HUB_OFFLINE";
const TOKENS: [&str; 2] = ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"];

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
                    return Ok(Some(Listing::read(&self.repo, &body)?));
                }
                Some((head, _)) if head.status != 404 => {
                    return Err(self.refusal(&self.repo, head.status).into());
                }
                Some(_) => {}
            }
        }
        Err(self.refusal(&self.repo, 404).into())
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
                    (size, known.or_else(|| promise(&promised?)))
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
