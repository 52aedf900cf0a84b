//! Fetches a model or an embedder from the hub into its catalogue.
//!
//! list the repository → choose the files → check the disk → fetch each one, resuming → verify → make it usable.
//!
//! - hf-hub names the endpoint, finds the stored token and forms the addresses; the bytes move through ureq, because
//!   hf-hub 0.5 can neither stop, nor notice a stall, nor verify a checksum (see this crate's README).
//! - Whatever happens, what is listed as usable is whole: see the catalogue.
//! - Every wait and every read ends within 100 ms of a cancel.

mod choose;
mod error;
mod fetch;
mod hub;
mod link;
mod listing;
mod part;
mod patience;
mod speed;

pub use error::DownloadError;

use crate::api::{
    FileRecord, ModelState, OutboundHost, PullEvent, PullOutcome, PullRequest, Purpose,
};
use crate::cancel::Cancel;
use crate::catalogue::{Catalogue, Partial, Record, Shelf, default_name};
use crate::error::EngineError;
use crate::settings::DownloadSettings;
use choose::{choose, choose_embedder};
use fetch::Fetched;
use hub::Hub;
use listing::{Listing, RemoteFile};
use part::Part;
use speed::Speed;

/// Every host that this program can contact, and only when a model is fetched: the hub, or the mirror that `HF_ENDPOINT`
/// names, and where it keeps its files.
pub fn outbound_hosts() -> Vec<OutboundHost> {
    let enabled = !hub::is_offline();
    let host = |host: &str, purpose| OutboundHost {
        host: host.into(),
        purpose,
        enabled,
    };
    match hub::mirror() {
        Some(mirror) => vec![
            host(&mirror, Purpose::ModelHub),
            host(&mirror, Purpose::ModelHubFiles),
        ],
        None => vec![
            host("huggingface.co", Purpose::ModelHub),
            host("*.hf.co", Purpose::ModelHubFiles),
        ],
    }
}

/// Fetches the model of a repository, or what is missing of it.
///
/// Asking for a model that is installed from the same repository at the same revision does nothing.
///
/// # Errors
/// If the hub cannot be reached or sends something wrong, the repository holds no model, the disk is too small, or the
/// name is taken. What was fetched stays for the next try.
pub(crate) fn pull(
    catalogue: &Catalogue,
    settings: &DownloadSettings,
    request: &PullRequest,
    cancel: &Cancel,
    events: &mut dyn FnMut(PullEvent),
) -> Result<PullOutcome, EngineError> {
    let hub = Hub::open(request, settings)?;
    let Some(listing) = hub.list(cancel, events)? else {
        return Ok(PullOutcome::Cancelled { kept_bytes: 0 });
    };
    let files = match catalogue.shelf() {
        Shelf::Models => choose(&listing, request.file.as_deref())?,
        Shelf::Embedders => choose_embedder(&listing)?,
    };
    let source = format!("hub:{}", request.repo);
    let name = match &request.name {
        Some(name) => name.clone(),
        None => default_name(&request.repo),
    };
    if let Some(entry) = catalogue
        .find(&name)?
        .filter(|entry| entry.source == source)
    {
        match entry.state {
            ModelState::Ready if entry.revision.as_deref() == listing.commit.as_deref() => {
                return Ok(PullOutcome::Installed(entry));
            }
            ModelState::Ready => {}
            ModelState::Broken { .. } => Partial::reopen(catalogue, &entry.name)?,
        }
    }
    let partial = Partial::begin(catalogue, &name)?;
    let Some(files) = hub.fill_in(files, cancel, events)? else {
        return Ok(PullOutcome::Cancelled { kept_bytes: 0 });
    };
    match fetch_all(&hub, &partial, request, &name, &files, cancel, events)? {
        None => Ok(PullOutcome::Cancelled {
            kept_bytes: files
                .iter()
                .map(|file| Part::of(&partial, file).len())
                .sum(),
        }),
        Some(records) => {
            events(PullEvent::Checking);
            let Listing {
                commit, licence, ..
            } = listing;
            let record = Record::new(name, source, commit, licence, records);
            partial.finish(&record).map(PullOutcome::Installed)
        }
    }
}

/// Fetches every file; nothing when it was cancelled.
fn fetch_all(
    hub: &Hub,
    partial: &Partial,
    request: &PullRequest,
    name: &str,
    files: &[RemoteFile],
    cancel: &Cancel,
    events: &mut dyn FnMut(PullEvent),
) -> Result<Option<Vec<FileRecord>>, EngineError> {
    let total_bytes = files.iter().map(|file| file.size).sum();
    let here: u64 = files.iter().map(|file| Part::of(partial, file).len()).sum();
    partial.reserve(total_bytes - here)?;
    partial.note_goal(request, total_bytes)?;
    events(PullEvent::Planned {
        name: name.to_owned(),
        files: files.len(),
        total_bytes,
        resumed_bytes: here,
    });
    let mut speed = Speed::start();
    let mut before = 0;
    let mut records = Vec::new();
    for file in files {
        let mut report = |step: fetch::Step| {
            events(match step {
                fetch::Step::Bytes(bytes) => {
                    let done_bytes = before + bytes;
                    let bytes_per_second = speed.at(done_bytes);
                    PullEvent::Progress {
                        file: file.path.clone(),
                        done_bytes,
                        total_bytes,
                        bytes_per_second,
                        eta: speed.eta(total_bytes - done_bytes.min(total_bytes)),
                    }
                }
                fetch::Step::Retrying { reason, wait } => PullEvent::Retrying {
                    file: file.path.clone(),
                    reason,
                    wait,
                },
            });
        };
        match fetch::fetch(hub, file, Part::of(partial, file), cancel, &mut report)? {
            Fetched::Cancelled => return Ok(None),
            Fetched::Whole { sha256 } => records.push(FileRecord {
                path: file.path.clone(),
                size: file.size,
                sha256,
            }),
        }
        before += file.size;
    }
    Ok(Some(records))
}
