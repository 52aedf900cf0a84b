//! `inference query` and `inference stream`: one question, one answer.

use super::{open, phase, sampling};
use crate::arguments::{InferenceCommand, QueryOptions};
use crate::interrupt::Interrupt;
use crate::output::{Status, print, print_json, print_line, tell};
use crate::stop::{Done, Stop};
use r3mes_engine::api::{
    AnswerResult, Event, ExpertChoice, FinishReason, Message, Query, Role, Routing,
};
use r3mes_engine::{Answer, MOST_QUERY_CHARS};
use std::io::{IsTerminal, Read};
use std::path::PathBuf;

pub fn run(
    home: Option<PathBuf>,
    command: InferenceCommand,
    interrupt: &Interrupt,
) -> Result<Done, Stop> {
    match command {
        InferenceCommand::Query(options) => query(home, options, interrupt),
        InferenceCommand::Stream(options) => {
            let options = QueryOptions {
                stream: true,
                ..options
            };
            query(home, options, interrupt)
        }
    }
}

fn query(
    home: Option<PathBuf>,
    options: QueryOptions,
    interrupt: &Interrupt,
) -> Result<Done, Stop> {
    refuse_unknown_collection(&options)?;
    let engine = open(home, &options.run)?;
    let mut query = Query::text(question(&options.prompt)?);
    if let Some(system) = &options.system {
        query.messages.insert(0, Message::new(Role::System, system));
    }
    query.sampling = sampling(&options.sampling);
    query.max_tokens = options.sampling.max_tokens;
    if !options.experts.is_empty() {
        query.experts = ExpertChoice::Pinned {
            ids: options.experts.clone(),
        };
    }
    let answer = engine.ask(query)?;
    let stream = options.stream && !options.json;
    let result = interrupt.guard(&answer.cancel(), || follow(answer, stream))?;
    if options.json {
        print_json(&result)?;
    } else if stream {
        print_line("")?;
    } else {
        print_line(&result.output)?;
    }
    if !options.json && std::io::stderr().is_terminal() {
        tell(&statistics(&result));
    }
    match result.finish_reason {
        FinishReason::Cancelled => Err(Stop::Interrupted),
        FinishReason::Stop | FinishReason::Length => Ok(Done),
    }
}

/// Shows an answer while it is made and gives its result.
pub(super) fn follow(answer: Answer, stream: bool) -> Result<Box<AnswerResult>, Stop> {
    let mut status = Status::new();
    for event in answer {
        match event {
            Event::Loading(loading) => status.update(&phase(&loading)),
            Event::Routed(routing) => status.update(&helpers(&routing)),
            Event::Prefill {
                done_tokens,
                total_tokens,
            } => status.update(&format!(
                "reading the question: {done_tokens} of {total_tokens} tokens"
            )),
            Event::Token { text } if stream => {
                status.clear();
                print(&text)?;
            }
            Event::Token { .. } => status.update("answering"),
            Event::Done(result) => return Ok(result),
            Event::Failed { code, message } => return Err(Stop::Answer { code, message }),
        }
    }
    Err(Stop::Failed("the answer ended without a result".into()))
}

/// One line about an answer.
pub(super) fn statistics(result: &AnswerResult) -> String {
    let metrics = &result.metrics;
    format!(
        "[{}{}: {} tokens, {:.1} tokens/s, first after {:.1} s, {} prompt tokens{}]",
        result.model,
        with(
            result
                .experts_used
                .iter()
                .map(|used| (&*used.expert_id, used.weight))
        ),
        metrics.completion_tokens,
        metrics.decode_tokens_per_second,
        metrics.time_to_first_token_ms / 1e3,
        metrics.prompt_tokens,
        match result.finish_reason {
            FinishReason::Stop => "",
            FinishReason::Length => ", cut at the limit",
            FinishReason::Cancelled => ", stopped",
        }
    )
}

/// Who helps, and who was wanted and cannot.
fn helpers(routing: &Routing) -> String {
    let helping = routing.experts.iter();
    let mut words = format!(
        "answering{}",
        with(helping.map(|one| (&*one.expert_id, one.weight)))
    );
    for dropped in &routing.route.dropped {
        words.push_str(&format!(
            "; without {}: {}",
            dropped.expert_id, dropped.reason
        ));
    }
    words
}

/// ` with medical_dora 70 % + general_dora 30 %`; nothing for the base model.
fn with<'a>(experts: impl Iterator<Item = (&'a str, f32)>) -> String {
    let named: Vec<String> = experts
        .map(|(id, weight)| format!("{id} {:.0} %", weight * 100.0))
        .collect();
    match named.is_empty() {
        true => String::new(),
        false => format!(" with {}", named.join(" + ")),
    }
}

fn question(prompt: &str) -> Result<String, Stop> {
    if prompt != "-" {
        return Ok(prompt.to_owned());
    }
    let mut bytes = Vec::new();
    // Four bytes are the most a character takes; more than that is too long in any case.
    let most = 4 * MOST_QUERY_CHARS as u64 + 1;
    std::io::stdin()
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(|error| Stop::Failed(format!("cannot read stdin: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        Stop::Usage(format!(
            "stdin: byte {} is not UTF-8, expected text",
            error.utf8_error().valid_up_to()
        ))
    })?;
    Ok(text.trim_end().to_owned())
}

/// No collections exist yet, so every name of one is unknown; it is never silently ignored.
fn refuse_unknown_collection(options: &QueryOptions) -> Result<(), Stop> {
    match &options.collection {
        Some(collection) => Err(Stop::Usage(format!(
            "unknown collection `{collection}`: there are no documents"
        ))),
        None => Ok(()),
    }
}
