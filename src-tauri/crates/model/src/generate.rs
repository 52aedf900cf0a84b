//! The token loop: prompt in, tokens out, until something ends it.
//!
//! The prompt reuses what the state already holds, the rest is prefilled in chunks; then one token is chosen, reported and processed at a
//! time. The observer can stop it between tokens and inside the prefill. A stop token is not part of the answer.

mod text;

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use crate::forward::{ForwardError, Outcome, PREFILL_CHUNK_TOKENS, Progress, State};
use crate::model::Model;
use crate::sampling::{Candidate, Sampler, Sampling, SamplingError};

pub use self::text::{Piece, TextAnswer, generate_text};

/// What to generate.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// All tokens of the prompt, from the beginning of the sequence.
    pub prompt: &'a [u32],
    /// How tokens are chosen. Its stop strings concern [`generate_text`] only.
    pub sampling: &'a Sampling,
    /// Tokens of the answer at most.
    pub max_tokens: usize,
    /// Ids that end the answer.
    pub stop_ids: &'a [u32],
    /// Tokens of the prompt processed at a time.
    pub chunk: usize,
}

impl<'a> Request<'a> {
    /// A request with the default chunk.
    pub fn new(
        prompt: &'a [u32],
        sampling: &'a Sampling,
        max_tokens: usize,
        stop_ids: &'a [u32],
    ) -> Self {
        Self {
            prompt,
            sampling,
            max_tokens,
            stop_ids,
            chunk: PREFILL_CHUNK_TOKENS,
        }
    }
}

/// Something that happened on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Part of the prompt is done; `tokens` and `total` leave out what was reused.
    Prefill(Progress),
    /// A token of the answer.
    Token(u32),
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishReason {
    /// A stop token or a stop string.
    Stop,
    /// `max_tokens` were generated.
    Length,
    /// The context is full: the answer ends where the model cannot see further.
    Context,
    /// The observer said so.
    Cancelled,
}

/// What an answer took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Of these, found in the state.
    pub reused_tokens: usize,
    /// Tokens of the answer.
    pub answer_tokens: usize,
    /// Time in which the rest of the prompt was processed.
    pub prefill: Duration,
    /// Time from the end of prefill to the end of the answer.
    pub decode: Duration,
    /// Time from the start to the first token of the answer.
    pub first_token: Option<Duration>,
}

impl Stats {
    /// Tokens of the prompt per second; `None` if none was processed.
    pub fn prefill_tokens_per_second(&self) -> Option<f64> {
        per_second(self.prompt_tokens - self.reused_tokens, self.prefill)
    }

    /// Tokens of the answer per second.
    pub fn decode_tokens_per_second(&self) -> Option<f64> {
        per_second(self.answer_tokens, self.decode)
    }
}

fn per_second(tokens: usize, time: Duration) -> Option<f64> {
    let seconds = time.as_secs_f64();
    (tokens > 0 && seconds > 0.0).then(|| tokens as f64 / seconds)
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    /// Its tokens, without the stop token.
    pub tokens: Vec<u32>,
    /// Why it ended.
    pub finish: FinishReason,
    /// What it took.
    pub stats: Stats,
}

/// Why an answer could not be generated.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// An option out of range.
    #[error(transparent)]
    Sampling(#[from] SamplingError),
    /// The forward pass failed or refused.
    #[error(transparent)]
    Forward(#[from] ForwardError),
}

/// Generates tokens. `observe` sees every step and may break it off; the state stays valid.
///
/// # Errors
/// If the sampling options are out of range, the prompt is empty, holds an unknown id, or does not fit the context.
pub fn generate(
    model: &Model,
    state: &mut State,
    request: &Request<'_>,
    observe: &mut dyn FnMut(Step) -> ControlFlow<()>,
) -> Result<Generated, GenerateError> {
    let start = Instant::now();
    let vocab = model.config().vocab;
    let mut sampler = Sampler::new(request.sampling.clone(), vocab, request.prompt)?;
    let mut answer = Generated {
        tokens: Vec::new(),
        finish: FinishReason::Cancelled,
        stats: Stats {
            prompt_tokens: request.prompt.len(),
            ..Stats::default()
        },
    };
    model.check_prompt(request.prompt)?;
    let reused = state.reuse(request.prompt);
    answer.stats.reused_tokens = reused;

    let mut report = |progress| observe(Step::Prefill(progress)).is_continue();
    let outcome = model.prefill(state, &request.prompt[reused..], request.chunk, &mut report)?;
    answer.stats.prefill = start.elapsed();
    if outcome == Outcome::Cancelled {
        return Ok(answer);
    }

    let decoding = Instant::now();
    let mut candidates: Vec<Candidate> = Vec::new();
    answer.finish = loop {
        if answer.tokens.len() >= request.max_tokens {
            break FinishReason::Length;
        }
        model.candidates(state, &sampler, &mut candidates)?;
        let Some(id) = sampler.choose(&mut candidates) else {
            break FinishReason::Stop;
        };
        if request.stop_ids.contains(&id) {
            break FinishReason::Stop;
        }
        sampler.accept(id);
        answer.tokens.push(id);
        answer
            .stats
            .first_token
            .get_or_insert_with(|| start.elapsed());
        if observe(Step::Token(id)).is_break() {
            break FinishReason::Cancelled;
        }
        if answer.tokens.len() >= request.max_tokens {
            break FinishReason::Length;
        }
        if state.tokens().len() == model.context() {
            break FinishReason::Context;
        }
        model.decode(state, id)?;
    };
    answer.stats.decode = decoding.elapsed();
    answer.stats.answer_tokens = answer.tokens.len();
    Ok(answer)
}
