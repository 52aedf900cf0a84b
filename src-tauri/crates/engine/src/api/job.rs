//! Long work as hosts see it.

use serde::Serialize;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub enum JobKind {
    /// A model is fetched.
    Pull,
    /// A model is copied into the data folder.
    Import,
    /// A model's files are compared with their record.
    Verify,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub enum JobState {
    /// At work.
    Running,
    /// Stopped, to go on later.
    Paused,
    /// Done.
    Done,
    /// Something went wrong.
    Failed,
    /// Given up; what was there of it is deleted.
    Cancelled,
}

/// Long work with progress.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Job {
    /// A UUID.
    pub id: String,
    /// What is done.
    pub kind: JobKind,
    /// What it works on: a repository, a path, a model's name.
    pub subject: String,
    /// How far it is.
    pub state: JobState,
    /// In words: the file at hand, the phase, or what went wrong.
    pub message: String,
    /// What went wrong, for programs: one of the engine's codes. Empty where nothing did.
    pub code: String,
    /// Bytes done.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub done_bytes: u64,
    /// Bytes in all; 0 when not known.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub total_bytes: u64,
    /// Over the last seconds.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub bytes_per_second: f64,
    /// Time left at that speed.
    #[cfg_attr(feature = "specta", specta(type = Option<specta_typescript::Number>))]
    pub eta_seconds: Option<f64>,
}
