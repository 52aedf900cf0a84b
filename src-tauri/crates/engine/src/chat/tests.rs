use super::{AnswerEnd, ChatEvent, follow, turns};
use crate::api::conversation::{Message, MessageState};
use crate::api::{AnswerResult, Event, FinishReason, Loading, Metrics, Role, Route};
use crate::cancel::Cancel;
use crate::engine::Answer;
use crate::error::{EngineError, ErrorCode};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

fn answer() -> (Sender<Event>, Answer, Cancel) {
    let (events, receiver) = channel();
    let cancel = Cancel::new();
    (events, Answer::new(receiver, cancel.clone()), cancel)
}

fn token(text: &str) -> Event {
    Event::Token { text: text.into() }
}

fn result(output: &str, finish_reason: FinishReason) -> Event {
    Event::Done(Box::new(AnswerResult {
        request_id: String::new(),
        output: output.into(),
        finish_reason,
        model: "m".into(),
        seed: 7,
        experts_used: Vec::new(),
        route: Route::default(),
        rag_context: None,
        citations: Vec::new(),
        metrics: Metrics::default(),
    }))
}

/// Follows an answer to its end: how it ended, the text told, the texts kept.
fn followed(stream: &Answer) -> (AnswerEnd, String, Vec<String>) {
    let mut kept = Vec::new();
    let mut told = String::new();
    let mut keep = |text: &str| {
        kept.push(text.to_owned());
        Ok(())
    };
    let end = follow(stream, &mut keep, &mut |event| {
        if let ChatEvent::Token { text } = event {
            told.push_str(&text);
        }
    });
    (end, told, kept)
}

#[test]
fn everything_that_was_made_is_told_and_kept_now_and_then() {
    let (events, stream, _cancel) = answer();
    for _ in 0..130 {
        events.send(token("ab ")).expect("heard");
    }
    let whole = "ab ".repeat(130);
    events
        .send(result(&whole, FinishReason::Stop))
        .expect("heard");
    let (end, told, kept) = followed(&stream);
    assert_eq!(told, whole);
    assert_eq!((end.content, end.state), (whole, MessageState::Complete));
    assert_eq!(end.seed, Some(7));
    assert_eq!(kept.len(), 2, "every 64 tokens");
    assert_eq!(kept[0], "ab ".repeat(64));
}

#[test]
fn one_that_waits_for_others_ends_at_once_when_it_is_stopped() {
    let (_events, stream, cancel) = answer();
    cancel.set();
    let started = Instant::now();
    let (end, ..) = followed(&stream);
    assert_eq!(end.state, MessageState::Cancelled);
    assert!(started.elapsed() < Duration::from_millis(200));
}

#[test]
fn a_model_that_does_not_notice_a_stop_is_not_waited_for() {
    let (events, stream, cancel) = answer();
    let loading = Loading {
        phase: "reading the weights".into(),
        done: 0,
        total: 0,
    };
    events.send(Event::Loading(loading)).expect("heard");
    events.send(token("so far")).expect("heard");
    cancel.set();
    let (end, told, _) = followed(&stream);
    assert_eq!(end.state, MessageState::Cancelled);
    assert_eq!(end.finish_reason, Some(FinishReason::Cancelled));
    assert_eq!((end.content.as_str(), told.as_str()), ("so far", "so far"));
}

#[test]
fn a_failure_keeps_the_text_and_says_why() {
    let (events, stream, _cancel) = answer();
    events.send(token("half")).expect("heard");
    let failure = Event::Failed {
        code: ErrorCode::ContextLengthExceeded,
        message: "too long".into(),
    };
    events.send(failure).expect("heard");
    let (end, ..) = followed(&stream);
    let error = end.error.expect("a reason");
    assert_eq!(end.state, MessageState::Failed);
    assert_eq!(end.content, "half");
    assert_eq!(error.code, "context_length_exceeded");
    assert_eq!(error.message, "too long");
}

#[test]
fn a_text_that_cannot_be_kept_ends_the_answer() {
    let (events, stream, cancel) = answer();
    for _ in 0..64 {
        events.send(token("x")).expect("heard");
    }
    let end = follow(&stream, &mut |_| Err(EngineError::WorkerGone), &mut |_| {});
    assert_eq!(end.state, MessageState::Failed);
    assert!(cancel.is_set());
}

#[test]
fn the_model_is_given_turns() {
    let message = |role: Role, content: &str| Message {
        id: String::new(),
        parent: None,
        role,
        content: content.into(),
        created_at: 0,
        state: MessageState::Complete,
        model: None,
        finish_reason: None,
        seed: None,
        error: None,
        metrics: None,
        expert_label: None,
        routing: None,
    };
    let branch = [
        message(Role::User, "one"),
        message(Role::User, "two"),
        message(Role::Assistant, "three"),
        message(Role::User, "four"),
    ];
    for (system, expected) in [
        (
            Some("Be kind."),
            "system:Be kind.|user:one\n\ntwo|assistant:three|user:four",
        ),
        (Some("  "), "user:one\n\ntwo|assistant:three|user:four"),
        (None, "user:one\n\ntwo|assistant:three|user:four"),
    ] {
        let told: Vec<String> = turns(system, &branch)
            .iter()
            .map(|turn| format!("{}:{}", turn.role.as_str(), turn.content))
            .collect();
        assert_eq!(told.join("|"), expected);
    }
}
