//! What a download or an import reports.

use serde::Serialize;
use std::time::Duration;

/// Which model to fetch from the hub.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullRequest {
    /// `owner/name`.
    pub repo: String,
    /// Branch, tag or commit; the main branch when not given.
    pub revision: Option<String>,
    /// One file of the repository, for repositories with several `.gguf` files.
    pub file: Option<String>,
    /// The name it gets here; the repository's own when not given.
    pub name: Option<String>,
}

/// One step of a download or an import.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PullEvent {
    /// What will be fetched.
    Planned {
        /// The name it will have.
        name: String,
        /// Number of files.
        files: usize,
        /// Bytes in all.
        total_bytes: u64,
        /// Bytes already here from an earlier try.
        resumed_bytes: u64,
    },
    /// Bytes arrived.
    Progress {
        /// The file at hand.
        file: String,
        /// Bytes of all files.
        done_bytes: u64,
        /// Bytes in all.
        total_bytes: u64,
        /// Over the last seconds.
        bytes_per_second: f64,
        /// Time left at that speed; absent before the speed is known.
        eta: Option<Duration>,
    },
    /// Something went wrong that is worth another try.
    Retrying {
        /// The file at hand.
        file: String,
        /// What went wrong.
        reason: String,
        /// Time until the next try.
        wait: Duration,
    },
    /// Everything is here; the files are read once to see that they are a model.
    Checking,
}

/// Why a host is contacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub enum Purpose {
    /// Lists of files, when a model is fetched.
    ModelHub,
    /// The files themselves, where the hub keeps them elsewhere.
    ModelHubFiles,
}

/// A host that this program may contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct OutboundHost {
    /// Its name; a star stands for any.
    pub host: String,
    /// Why it is contacted; never without being asked.
    pub purpose: Purpose,
    /// Whether it may be contacted as things stand.
    pub enabled: bool,
}

/// How a download or an import ended, when it did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PullOutcome {
    /// The model can be used under this name.
    Installed(super::ModelEntry),
    /// Someone asked to stop; what is here stays for the next try.
    Cancelled {
        /// Bytes kept.
        kept_bytes: u64,
    },
}
