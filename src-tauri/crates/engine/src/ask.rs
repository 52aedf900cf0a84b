//! From a question to an answer. Begin reading here.
//!
//! query → route → plan → leases → mix and cache → tokens. Passages take their place before the route when they exist; until then an
//! answer truthfully reports none.

use crate::api::{
    AnswerResult, Event, ExpertUsed, FinishReason, Metrics, Query, Routing, SamplingChoice,
};
use crate::cancel::Cancel;
use crate::catalogue::Catalogue;
use crate::error::EngineError;
use crate::experts::Desk;
use crate::help::{self, Helpers};
use crate::loaded::{Loaded, Slot};
use crate::random;
use crate::routing::Routes;
use crate::settings::{SamplingDefaults, Settings};
use r3mes_model::forward::PREFILL_CHUNK_TOKENS;
use r3mes_model::generate::{self, Piece, Request, TextAnswer, generate_text};
use r3mes_model::sampling::Sampling;
use r3mes_model::text::Message;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// What answers have in common.
pub(crate) struct Desks<'a> {
    /// Installed models.
    pub catalogue: &'a Catalogue,
    /// Installed and resident experts.
    pub experts: &'a Desk,
    /// Who is asked for what.
    pub router: &'a Routes,
}

/// Answers one query with the model in `slot`, bringing it into memory first when another or none is there.
///
/// # Errors
/// If the model is unknown or unusable, an expert that was named cannot help, the conversation does not fit the context, or a sampling
/// value is out of range.
pub(crate) fn ask(
    query: &Query,
    settings: &Settings,
    desks: &Desks<'_>,
    slot: &mut Slot,
    cancel: &Cancel,
    events: &mut dyn FnMut(Event),
) -> Result<AnswerResult, EngineError> {
    let started = Instant::now();
    let sampling = sampling(&query.sampling, &settings.sampling);
    let mut report = Report::new(settings, sampling.seed);
    help::check(&query.experts, desks.experts)?;
    let mut loading = |loading| events(Event::Loading(loading));
    let Some(loaded) = slot.bring(settings, desks.catalogue, cancel, &mut loading)? else {
        return Ok(report.cancelled(started));
    };
    report.model = loaded.located.name.clone();
    report.model_loading = started.elapsed();
    let prompt = prompt(loaded, query)?;
    let previous = help::previous(loaded, &prompt);
    let route = desks
        .router
        .choose(query, settings, desks.experts, &previous);
    report.routing_time = started.elapsed() - report.model_loading;
    let planned = help::plan(&route, &query.experts, settings, desks.experts, loaded)?;
    let Some(helpers) = help::lease(route, planned, &query.experts, desks.experts, cancel)? else {
        return Ok(report.cancelled(started));
    };
    let Helpers { routing, leased } = helpers;
    report.expert_loading = started.elapsed() - report.model_loading - report.routing_time;
    (report.hits, report.misses) = leased.hits_and_misses();
    report.used = leased.used();
    report.routing = routing.clone();
    events(Event::Routed(Box::new(routing)));
    let sequence = loaded.sequences.of(&loaded.model, leased)?;
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
        &mut sequence.state,
        &request,
        &mut |piece| observe(piece, &prompt, cancel, events),
    );
    sequence.leased.rest();
    if let Ok(answer) = &answer {
        let rate = answer.generated.stats.prefill_tokens_per_second();
        loaded.prefill_rate = rate.or(loaded.prefill_rate);
    }
    help::note(&report.used, settings, desks.experts);
    Ok(report.finished(answer?, started.elapsed(), first_step))
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
#[derive(Default)]
struct Report {
    request_id: String,
    model: String,
    seed: u64,
    routing: Routing,
    used: Vec<ExpertUsed>,
    model_loading: Duration,
    routing_time: Duration,
    expert_loading: Duration,
    hits: usize,
    misses: usize,
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
            ..Report::default()
        }
    }

    fn cancelled(self, started: Instant) -> AnswerResult {
        let metrics = Metrics {
            total_time_ms: milliseconds(started.elapsed()),
            ..Metrics::default()
        };
        self.result(String::new(), FinishReason::Cancelled, metrics)
    }

    fn finished(self, answer: TextAnswer, total: Duration, first_step: Duration) -> AnswerResult {
        let stats = &answer.generated.stats;
        let first_token = stats.first_token.map(|time| first_step + time);
        let metrics = Metrics {
            total_time_ms: milliseconds(total),
            routing_time_ms: milliseconds(self.routing_time),
            loading_time_ms: milliseconds(self.model_loading + self.expert_loading),
            expert_loading_time_ms: milliseconds(self.expert_loading),
            prefill_time_ms: milliseconds(stats.prefill),
            inference_time_ms: milliseconds(stats.decode),
            time_to_first_token_ms: milliseconds(first_token.unwrap_or_default()),
            prompt_tokens: stats.prompt_tokens,
            completion_tokens: stats.answer_tokens,
            cached_tokens: stats.reused_tokens,
            prefill_tokens_per_second: stats.prefill_tokens_per_second().unwrap_or_default(),
            decode_tokens_per_second: stats.decode_tokens_per_second().unwrap_or_default(),
            used_fast_path: self.routing.route.used_fast_path,
            cache_hits: self.hits,
            cache_misses: self.misses,
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
            experts_used: self.used,
            route: self.routing.route,
            rag_context: None,
            citations: Vec::new(),
            metrics,
        }
    }
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
