//! From a question to an answer. Begin reading here.
//!
//! query → prompt → tokens. Passages, route, plan and leases take their places between the two when they exist;
//! until then an answer truthfully reports none.

use crate::api::{AnswerResult, Event, FinishReason, Metrics, Query, Route, SamplingChoice};
use crate::cancel::Cancel;
use crate::catalogue::Catalogue;
use crate::error::EngineError;
use crate::loaded::{Loaded, Slot};
use crate::random;
use crate::settings::{SamplingDefaults, Settings};
use r3mes_model::forward::PREFILL_CHUNK_TOKENS;
use r3mes_model::generate::{self, Piece, Request, TextAnswer, generate_text};
use r3mes_model::sampling::Sampling;
use r3mes_model::text::Message;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// Answers one query with the model in `slot`, bringing it into memory first when another or none is there.
///
/// # Errors
/// If the model is unknown or unusable, the conversation does not fit its context, or a sampling value is out of range.
pub(crate) fn ask(
    query: &Query,
    settings: &Settings,
    catalogue: &Catalogue,
    slot: &mut Slot,
    cancel: &Cancel,
    events: &mut dyn FnMut(Event),
) -> Result<AnswerResult, EngineError> {
    let started = Instant::now();
    let sampling = sampling(&query.sampling, &settings.sampling);
    let mut report = Report::new(settings, sampling.seed);
    let mut loading = |loading| events(Event::Loading(loading));
    let Some(loaded) = slot.bring(settings, catalogue, cancel, &mut loading)? else {
        return Ok(report.cancelled(started));
    };
    report.model = loaded.located.name.clone();
    let loading = started.elapsed();
    let prompt = prompt(loaded, query)?;
    let first_step = started.elapsed();
    let request = Request {
        prompt: &prompt,
        sampling: &sampling,
        max_tokens: query.max_tokens.unwrap_or(settings.max_tokens),
        stop_ids: &loaded.stop_ids,
        chunk: PREFILL_CHUNK_TOKENS,
    };
    let answer = generate_text(
        &loaded.model,
        &loaded.text,
        &mut loaded.state,
        &request,
        &mut |piece| observe(piece, &prompt, cancel, events),
    )?;
    Ok(report.finished(answer, started.elapsed(), loading, first_step))
}

fn prompt(loaded: &Loaded, query: &Query) -> Result<Vec<u32>, EngineError> {
    let messages: Vec<Message> = query
        .messages
        .iter()
        .map(|message| Message::new(message.role.as_str(), message.content.as_str()))
        .collect();
    Ok(loaded.text.encode_chat(&messages)?)
}

fn observe(
    piece: Piece,
    prompt: &[u32],
    cancel: &Cancel,
    events: &mut dyn FnMut(Event),
) -> ControlFlow<()> {
    match piece {
        Piece::Prefill(progress) => events(Event::Prefill {
            // What was reused is not part of the model's own count.
            done_tokens: prompt.len() - (progress.total - progress.tokens),
            total_tokens: prompt.len(),
        }),
        Piece::Token(_) => {}
        Piece::Text(text) => events(Event::Token { text }),
    }
    cancel.flow()
}

/// What the query says, the settings for what it does not, and a fresh seed when neither does.
fn sampling(choice: &SamplingChoice, defaults: &SamplingDefaults) -> Sampling {
    Sampling {
        temperature: choice.temperature.unwrap_or(defaults.temperature),
        top_p: choice.top_p.unwrap_or(defaults.top_p),
        top_k: choice.top_k.unwrap_or(defaults.top_k),
        min_p: choice.min_p.unwrap_or(defaults.min_p),
        repetition_penalty: choice
            .repetition_penalty
            .unwrap_or(defaults.repetition_penalty),
        seed: choice.seed.unwrap_or_else(random::seed),
        stop: choice.stop.clone(),
        ..Sampling::greedy()
    }
}

/// An answer in the making.
struct Report {
    request_id: String,
    model: String,
    seed: u64,
}

impl Report {
    fn new(settings: &Settings, seed: u64) -> Report {
        Report {
            request_id: random::uuid(),
            model: settings
                .model
                .clone()
                .unwrap_or_else(|| crate::BUILTIN.into()),
            seed,
        }
    }

    fn cancelled(self, started: Instant) -> AnswerResult {
        let metrics = Metrics {
            total_time_ms: milliseconds(started.elapsed()),
            ..Metrics::default()
        };
        self.result(String::new(), FinishReason::Cancelled, metrics)
    }

    fn finished(
        self,
        answer: TextAnswer,
        total: Duration,
        loading: Duration,
        first_step: Duration,
    ) -> AnswerResult {
        let stats = &answer.generated.stats;
        let first_token = stats.first_token.map(|time| first_step + time);
        let metrics = Metrics {
            total_time_ms: milliseconds(total),
            loading_time_ms: milliseconds(loading),
            prefill_time_ms: milliseconds(stats.prefill),
            inference_time_ms: milliseconds(stats.decode),
            time_to_first_token_ms: milliseconds(first_token.unwrap_or_default()),
            prompt_tokens: stats.prompt_tokens,
            completion_tokens: stats.answer_tokens,
            cached_tokens: stats.reused_tokens,
            prefill_tokens_per_second: stats.prefill_tokens_per_second().unwrap_or_default(),
            decode_tokens_per_second: stats.decode_tokens_per_second().unwrap_or_default(),
            ..Metrics::default()
        };
        let reason = match answer.generated.finish {
            generate::FinishReason::Stop => FinishReason::Stop,
            generate::FinishReason::Length | generate::FinishReason::Context => {
                FinishReason::Length
            }
            generate::FinishReason::Cancelled => FinishReason::Cancelled,
        };
        self.result(answer.text, reason, metrics)
    }

    fn result(self, output: String, finish_reason: FinishReason, metrics: Metrics) -> AnswerResult {
        AnswerResult {
            request_id: self.request_id,
            output,
            finish_reason,
            model: self.model,
            seed: self.seed,
            experts_used: Vec::new(),
            route: Route::default(),
            rag_context: None,
            citations: Vec::new(),
            metrics,
        }
    }
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
