//! One file: ask for what is missing, append it, and go on after every failure that may pass.

use super::error::DownloadError;
use super::hub::Hub;
use super::link::{Head, Trouble};
use super::listing::RemoteFile;
use super::part::{Mismatch, Open, Part};
use super::patience::{Patience, is_passing, sleep};
use crate::cancel::Cancel;
use crate::error::EngineError;
use std::time::Duration;

/// How often a file with a wrong hash is fetched again from its first byte.
const FRESH_STARTS: u32 = 1;

/// How fetching a file ended.
pub(super) enum Fetched {
    /// It is here and its hash is right.
    Whole { sha256: String },
    /// Someone asked to stop; what is here stays.
    Cancelled,
}

/// What happens meanwhile.
pub(super) enum Step {
    /// So many bytes of the file are here.
    Bytes(u64),
    /// A failure that may pass.
    Retrying { reason: String, wait: Duration },
}

/// How one request ended.
enum Turn {
    /// All bytes are here.
    Complete,
    Cancelled,
    /// Worth another try.
    Failed {
        reason: String,
        asked: Option<Duration>,
    },
}

/// Fetches what is missing of a file and verifies all of it.
///
/// # Errors
/// If the hub refuses, too many tries in a row bring nothing, the hash is wrong twice, or the disk refuses.
pub(super) fn fetch(
    hub: &Hub,
    file: &RemoteFile,
    part: Part,
    cancel: &Cancel,
    report: &mut dyn FnMut(Step),
) -> Result<Fetched, EngineError> {
    let io = |doing| move |error| EngineError::io(doing, file.path.clone())(error);
    let Some(mut open) = part.open(cancel).map_err(io("open the part of"))? else {
        return Ok(Fetched::Cancelled);
    };
    if open.len > file.size {
        open.restart().map_err(io("shorten the part of"))?;
    }
    let mut patience = Patience::new(&hub.settings, &file.path);
    let mut fresh_starts = 0;
    loop {
        report(Step::Bytes(open.len));
        let before = open.len;
        let turn = match open.len == file.size {
            true => Turn::Complete,
            false => request(hub, file, &mut open, cancel, report)?,
        };
        match turn {
            Turn::Cancelled => return Ok(Fetched::Cancelled),
            Turn::Complete => match open.verify() {
                Ok(sha256) => {
                    open.finish().map_err(io("finish"))?;
                    return Ok(Fetched::Whole { sha256 });
                }
                Err(mismatch) => {
                    open.restart().map_err(io("shorten the part of"))?;
                    fresh_starts += 1;
                    if fresh_starts > FRESH_STARTS {
                        return Err(damaged(file, mismatch).into());
                    }
                    report(Step::Retrying {
                        reason: damaged(file, mismatch).to_string(),
                        wait: Duration::ZERO,
                    });
                }
            },
            Turn::Failed { reason, asked } => {
                if open.len > before {
                    patience.after_progress();
                }
                let wait = patience.after_failure(&reason, asked)?;
                report(Step::Retrying { reason, wait });
                if !sleep(wait, cancel) {
                    return Ok(Fetched::Cancelled);
                }
            }
        }
    }
}

fn damaged(file: &RemoteFile, mismatch: Mismatch) -> DownloadError {
    DownloadError::Checksum {
        file: file.path.clone(),
        kind: mismatch.kind,
        found: mismatch.found,
        expected: mismatch.expected,
    }
}

/// One request for the missing bytes.
fn request(
    hub: &Hub,
    file: &RemoteFile,
    open: &mut Open,
    cancel: &Cancel,
    report: &mut dyn FnMut(Step),
) -> Result<Turn, EngineError> {
    let io = |error| EngineError::io("write", file.path.clone())(error);
    if open.len > 0 && file.checksum.is_none() && open.validator().is_none() {
        // Nothing could tell whether the rest belongs to the same content.
        open.restart().map_err(io)?;
    }
    let mut headers = Vec::new();
    if open.len > 0 {
        headers.push(("range", format!("bytes={}-", open.len)));
        if let Some(validator) = open.validator() {
            headers.push(("if-range", validator.to_owned()));
        }
    }
    let mut stream = match hub.get(&file.path, &headers, cancel) {
        Ok(stream) => stream,
        Err(trouble) => return turn(file, trouble),
    };
    let failed = |reason: String| {
        Ok(Turn::Failed {
            reason,
            asked: None,
        })
    };
    let head = stream.head.clone();
    match head.status {
        200 | 206 => {}
        416 if open.len > 0 => {
            open.restart().map_err(io)?;
            return failed("the hub does not have the bytes that are missing (status 416)".into());
        }
        status if is_passing(status) => {
            return Ok(Turn::Failed {
                reason: format!("status {status}"),
                asked: head.retry_after,
            });
        }
        status => return Err(hub.refusal(&file.path, status).into()),
    }
    if let Some(reason) = place(&head, file, open).map_err(io)? {
        return failed(reason);
    }
    open.note(strong(head.etag)).map_err(io)?;
    loop {
        match stream.next(cancel) {
            Err(trouble) => return turn(file, trouble),
            Ok(None) if open.len == file.size => return Ok(Turn::Complete),
            Ok(None) => {
                return failed(format!(
                    "the connection closed after {} B of {} B",
                    open.len, file.size
                ));
            }
            Ok(Some(bytes)) if open.len + bytes.len() as u64 > file.size => {
                open.restart().map_err(io)?;
                return failed(format!("more than the {} B that were promised", file.size));
            }
            Ok(Some(bytes)) => {
                open.append(&bytes).map_err(io)?;
                report(Step::Bytes(open.len));
                if open.len == file.size {
                    return Ok(Turn::Complete);
                }
            }
        }
    }
}

/// Makes the part ready for the answer's first byte, or tells why the answer does not fit.
fn place(head: &Head, file: &RemoteFile, open: &mut Open) -> std::io::Result<Option<String>> {
    let whole = |found: u64| {
        (found != file.size).then(|| format!("{found} B in all, expected {} B", file.size))
    };
    match (head.status, head.range) {
        (206, Some((first, total))) if first == open.len => Ok(total.and_then(whole)),
        (206, range) => {
            let first = range.map_or("no".into(), |(first, _)| format!("byte {first}"));
            let reason = format!("{first} as the first byte, expected byte {}", open.len);
            open.restart()?;
            Ok(Some(reason))
        }
        _ => {
            open.restart()?;
            Ok(head.length.and_then(whole))
        }
    }
}

fn turn(file: &RemoteFile, trouble: Trouble) -> Result<Turn, EngineError> {
    match trouble {
        Trouble::Cancelled => Ok(Turn::Cancelled),
        Trouble::Broken(reason) => Ok(Turn::Failed {
            reason,
            asked: None,
        }),
        Trouble::Hopeless(reason) => Err(DownloadError::Address {
            what: file.path.clone(),
            reason,
        }
        .into()),
    }
}

/// Weak entity tags do not say that bytes are the same.
fn strong(etag: Option<String>) -> Option<String> {
    etag.filter(|tag| tag.starts_with('"'))
}
