//! What the inspection commands ask and tell.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What `debug logits` computes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogitsRequest {
    /// The prompt, as token ids.
    pub prompt_ids: Vec<u32>,
    /// Greedy tokens after it.
    pub max_new_tokens: usize,
    /// Number of best logits to tell.
    pub top_k: usize,
    /// Where the full row of the last prompt position goes, as raw little-endian f32.
    pub dump: Option<PathBuf>,
    /// Go on after an end token.
    pub ignore_eos: bool,
    /// Folders of adapters with their shares, applied together; shares are taken as given.
    pub adapters: Vec<(PathBuf, f32)>,
}

/// Why greedy generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogitsStop {
    /// All tokens asked for were made.
    Length,
    /// An end token came; it is the last of `generated`.
    Eos,
}

/// What `debug logits` tells.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogitsReport {
    /// The prompt.
    pub prompt_ids: Vec<u32>,
    /// Length of the full row.
    pub vocab_size: usize,
    /// Best ids with their logits for the last prompt position, best first.
    pub top: Vec<(u32, f32)>,
    /// Greedy continuation.
    pub generated: Vec<u32>,
    /// Why it ended.
    pub stop: LogitsStop,
}

/// What `debug tokenize` tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TokenizeReport {
    /// Token ids.
    pub ids: Vec<u32>,
    /// The text that was encoded: as given, or as the chat template renders it.
    pub rendered: String,
}

/// One message of `debug tokenize`; the role is whatever the model's template knows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Turn {
    /// `system`, `user`, `assistant`, …
    pub role: String,
    /// What was said.
    pub content: String,
}

/// What `debug tokenize` encodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenizeInput {
    /// A text as it is; the model's special tokens are added.
    Text(String),
    /// A conversation, rendered by the model's template with the generation prompt.
    Chat(Vec<Turn>),
}
