//! Ctrl-C, and readers that go away.

use crate::support::{Home, PATIENCE, Ran, tiny};
use r3mes_engine::api::{Event, FinishReason, Query};
use r3mes_engine::{Engine, Flags, Settings};
use std::io::Read;
use std::process::{Child, ChildStdout};
use std::time::{Duration, Instant};

/// How soon a stopped answer must be idle.
const STOP_WITHIN: Duration = Duration::from_millis(200);

/// Sends a signal by name.
#[cfg(unix)]
pub fn signal(child: &Child, name: &str) {
    let status = std::process::Command::new("sh")
        .args(["-c", &format!("kill -s {name} {}", child.id())])
        .status();
    assert!(status.is_ok_and(|status| status.success()));
}

fn engine(home: &Home) -> Engine {
    let flags = Flags {
        home: Some(home.path().to_owned()),
        model: Some(tiny()),
        ..Flags::default()
    };
    let settings = Settings::resolve_from(&flags, &|_| None).expect("settings");
    Engine::open(settings).expect("an engine")
}

fn endless() -> Query {
    let mut query = Query::text("Tell me everything");
    query.max_tokens = Some(100_000);
    query.sampling.temperature = Some(0.0);
    query
}

/// Stops at the first event that `is_time`, and expects the end soon after.
fn stops_at(query: Query, is_time: impl Fn(&Event) -> bool) {
    let home = Home::new();
    let engine = engine(&home);
    let mut answer = engine.ask(query).expect("an answer");
    let cancel = answer.cancel();
    let seen = answer
        .find(|event| is_time(event) || matches!(event, Event::Done(_) | Event::Failed { .. }));
    assert!(seen.is_some_and(|event| is_time(&event)));
    let stopped = Instant::now();
    cancel.set();
    let result = answer.find_map(|event| match event {
        Event::Done(result) => Some(result),
        _ => None,
    });
    assert!(stopped.elapsed() < STOP_WITHIN, "{:?}", stopped.elapsed());
    assert_eq!(
        result.expect("a result").finish_reason,
        FinishReason::Cancelled
    );
}

#[test]
fn an_answer_stops_within_200_ms_in_load_prefill_and_decode() {
    stops_at(endless(), |event| matches!(event, Event::Loading(_)));
    let mut long = endless();
    long.messages[0].content = "word ".repeat(60);
    stops_at(long, |event| matches!(event, Event::Prefill { .. }));
    stops_at(endless(), |event| matches!(event, Event::Token { .. }));
}

#[test]
fn dropping_an_answer_frees_the_model_for_the_next() {
    let home = Home::new();
    let engine = engine(&home);
    let mut first = engine.ask(endless()).expect("an answer");
    assert!(first.any(|event| matches!(event, Event::Token { .. })));
    drop(first);
    let started = Instant::now();
    let mut query = endless();
    query.max_tokens = Some(1);
    let mut second = engine.ask(query).expect("an answer");
    assert!(second.any(|event| matches!(event, Event::Done(_))));
    assert!(started.elapsed() < PATIENCE);
}

/// A process in the middle of a long answer, its first byte read.
fn answering(home: &Home) -> (Child, ChildStdout) {
    let model = tiny();
    let mut child = home.start(&[
        "inference",
        "stream",
        "Hi",
        "--model",
        &model,
        "--max-tokens",
        "1000000",
        "--temperature",
        "0",
    ]);
    let mut stdout = child.stdout.take().expect("stdout is piped");
    let mut first = [0];
    stdout
        .read_exact(&mut first)
        .expect("the first byte of the answer");
    (child, stdout)
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_streamed_answer_with_130() {
    let home = Home::new();
    let (child, mut stdout) = answering(&home);
    signal(&child, "INT");
    let rest = std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
    let ran = Ran::of(child.wait_with_output().expect("an ended process"));
    assert_eq!(ran.code, Some(130), "{}", ran.stderr);
    assert!(rest.join().is_ok());
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let home = Home::new();
    let (child, stdout) = answering(&home);
    drop(stdout);
    let ran = Ran::of(child.wait_with_output().expect("an ended process"));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
}
