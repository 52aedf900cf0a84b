//! What can go wrong between here and the hub.

/// A download that did not work.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// Not `owner/name`.
    #[error("repository `{repo}`: expected `owner/name`")]
    BadRepo {
        /// What was given.
        repo: String,
    },
    /// The environment says not to use the network.
    #[error("the network is switched off by HF_HUB_OFFLINE")]
    Offline,
    /// The hub does not have it.
    #[error("`{what}` is not on the hub (status 404)")]
    NotFound {
        /// Repository or file.
        what: String,
    },
    /// The hub wants to know who asks.
    #[error(
        "the hub refuses `{what}` (status {status})\nhint: put a token with access to it into HF_TOKEN; some models also want their licence accepted on the hub's page"
    )]
    Refused {
        /// Repository or file.
        what: String,
        /// 401 or 403.
        status: u16,
    },
    /// The repository holds nothing this program reads.
    #[error("repository `{repo}` holds no model for this program: {reason}")]
    NoModel {
        /// The repository.
        repo: String,
        /// What is missing.
        reason: String,
    },
    /// Several models in one repository.
    #[error("repository `{repo}` holds {} model files\nhint: choose one with `--file`: {}", files.len(), files.join(", "))]
    ChooseFile {
        /// The repository.
        repo: String,
        /// The candidates.
        files: Vec<String>,
    },
    /// A name that could write outside the model's folder.
    #[error(
        "repository `{repo}` lists the file name `{file}`, expected a path inside the repository"
    )]
    UnsafeName {
        /// The repository.
        repo: String,
        /// The name.
        file: String,
    },
    /// An answer that does not fit the question.
    #[error("`{what}`: the hub sent {found}, expected {expected}")]
    BadAnswer {
        /// Repository or file.
        what: String,
        /// What came.
        found: String,
        /// What should have come.
        expected: String,
    },
    /// Bytes that are not those the hub promised, twice.
    #[error(
        "`{file}` is damaged on its way here: its {kind} is {found}, the hub promises {expected}"
    )]
    Checksum {
        /// The file.
        file: String,
        /// `sha256` or `git blob id`.
        kind: &'static str,
        /// Of the bytes that came.
        found: String,
        /// As promised.
        expected: String,
    },
    /// Every try failed.
    #[error(
        "cannot fetch `{what}`: {tries} tries in a row failed, the last with: {reason}\nhint: is this computer online? What has arrived is kept, and the same command continues there"
    )]
    GaveUp {
        /// Repository or file.
        what: String,
        /// How many.
        tries: u32,
        /// The last failure.
        reason: String,
    },
    /// The connection could not be prepared.
    #[error("cannot use `{what}` as an address: {reason}")]
    Address {
        /// The address.
        what: String,
        /// Why not.
        reason: String,
    },
}
