//! What an answer reports while it is made. The list is closed: a host renders exactly these.

use super::{AnswerResult, Routing};
use crate::error::ErrorCode;
use serde::Serialize;

/// A named part of bringing a model into memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Loading {
    /// What is being done, in words.
    pub phase: String,
    /// Units done; the unit is the phase's own.
    pub done: u64,
    /// Units in all; 0 when not known.
    pub total: u64,
}

/// One step of an answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The model is being brought into memory.
    Loading(Loading),
    /// It is decided who helps; their adapters are in memory.
    Routed(Box<Routing>),
    /// The prompt is being processed.
    Prefill {
        /// Tokens processed or found in memory.
        done_tokens: usize,
        /// Tokens of the prompt.
        total_tokens: usize,
    },
    /// A piece of the answer; characters are never split.
    Token {
        /// The piece.
        text: String,
    },
    /// The answer is finished, or was cancelled. Nothing follows.
    Done(Box<AnswerResult>),
    /// There is no answer. Nothing follows.
    Failed {
        /// For programs.
        code: ErrorCode,
        /// For people.
        message: String,
    },
}
