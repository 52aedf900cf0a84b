//! What the window may ask: one line over the engine each, one module a subject.

pub(crate) mod ask;
pub(crate) mod conversations;
pub(crate) mod dialogs;
pub(crate) mod experts;
pub(crate) mod jobs;
pub(crate) mod models;
pub(crate) mod router;
pub(crate) mod settings;
pub(crate) mod start;
pub(crate) mod trust;

#[cfg(test)]
mod tests;

use crate::desk::Failure;

/// What every command answers.
pub(crate) type Answer<T> = Result<T, Failure>;
