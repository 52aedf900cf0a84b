//! Answers with experts: who was named answers or nobody does, and no answer leaks into another.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use r3mes_engine::api::{AnswerResult, Event, ExpertChoice, ExpertImport, Message, Query, Role};
use r3mes_engine::{Cancel, Engine, ErrorCode, Flags, Settings};

/// An engine with the built-in model and three random adapters of it.
struct Bench {
    engine: Arc<Engine>,
    _home: tempfile::TempDir,
}

const EXPERTS: [&str; 3] = ["medical_dora", "legal_dora", "own-one"];

fn settings(home: &Path) -> Settings {
    let flags = Flags {
        home: Some(home.to_owned()),
        threads: Some(2),
        ..Flags::default()
    };
    Settings::resolve_from(&flags, &|_| None).expect("settings")
}

impl Bench {
    fn new() -> Bench {
        let home = tempfile::tempdir().expect("a folder");
        let engine = Engine::open(settings(home.path())).expect("an engine");
        for (seed, id) in EXPERTS.iter().enumerate() {
            let form = ["dora", "additive", "dora"][seed];
            let files = home.path().join(format!("files-{seed}"));
            let cancel = Cancel::new();
            assert!(
                engine
                    .synth_adapter(form, 4, seed as u64, &files, &cancel)
                    .expect("an adapter")
            );
            let import = ExpertImport {
                path: files,
                id: Some((*id).to_owned()),
                ..ExpertImport::default()
            };
            engine
                .experts()
                .import(&import, &cancel)
                .expect("an expert")
                .expect("not cancelled");
        }
        Bench {
            engine: Arc::new(engine),
            _home: home,
        }
    }
}

fn question(text: &str, ids: &[&str]) -> Query {
    let mut query = Query::text(text);
    query.sampling.temperature = Some(0.0);
    query.sampling.repetition_penalty = Some(1.0);
    query.max_tokens = Some(24);
    query.experts = match ids {
        [] => ExpertChoice::Base,
        ids => ExpertChoice::Pinned {
            ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        },
    };
    query
}

fn answer(engine: &Engine, query: Query) -> AnswerResult {
    for event in engine.ask(query).expect("asked") {
        match event {
            Event::Done(result) => return *result,
            Event::Failed { message, .. } => panic!("{message}"),
            _ => {}
        }
    }
    panic!("no end");
}

fn failure(engine: &Engine, query: Query) -> (ErrorCode, String) {
    for event in engine.ask(query).expect("asked") {
        match event {
            Event::Done(result) => panic!("answered: {}", result.output),
            Event::Failed { code, message } => return (code, message),
            _ => {}
        }
    }
    panic!("no end");
}

/// Every mix that the tests use; shares are equal.
const MIXES: [&[&str]; 5] = [
    &[],
    &["medical_dora"],
    &["legal_dora"],
    &["medical_dora", "own-one"],
    &["own-one", "medical_dora", "legal_dora"],
];

const TEXTS: [&str; 3] = [
    "What is a river?",
    "Su nedir?",
    "Write a line about the sea.",
];

/// Answers of fresh engines that hold nothing but the same files.
fn cold(bench: &Bench) -> HashMap<(usize, usize), String> {
    let mut answers = HashMap::new();
    for (mix, ids) in MIXES.iter().enumerate() {
        for (text, words) in TEXTS.iter().enumerate() {
            let home = bench.engine.settings().home.path.clone();
            let engine = Engine::open(settings(&home)).expect("an engine");
            let result = answer(&engine, question(words, ids));
            answers.insert((mix, text), result.output);
        }
    }
    answers
}

#[test]
fn experts_in_any_order_answer_as_on_a_cold_start() {
    let bench = Bench::new();
    let cold = cold(&bench);
    let differing = (1..MIXES.len()).filter(|mix| cold[&(*mix, 2)] != cold[&(0, 2)]);
    assert!(
        differing.count() >= 3,
        "random adapters change answers: {cold:?}"
    );
    // A → B → A and every other order, with whatever each leaves behind.
    let mut dice = 7u32;
    for step in 0..60 {
        dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (mix, text) = (
            (dice >> 16) as usize % MIXES.len(),
            (dice >> 8) as usize % TEXTS.len(),
        );
        let result = answer(&bench.engine, question(TEXTS[text], MIXES[mix]));
        assert_eq!(
            result.output,
            cold[&(mix, text)],
            "step {step}, mix {mix}, text {text}"
        );
        let used: Vec<&str> = result
            .experts_used
            .iter()
            .map(|one| &*one.expert_id)
            .collect();
        assert_eq!(used, MIXES[mix], "step {step}");
    }
}

#[test]
fn questions_asked_at_once_with_different_experts_never_leak_into_one_another() {
    let bench = Bench::new();
    let cold = Arc::new(cold(&bench));
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let (engine, cold) = (Arc::clone(&bench.engine), Arc::clone(&cold));
            std::thread::spawn(move || {
                for turn in 0..12 {
                    let (mix, text) = (
                        (thread + turn) % MIXES.len(),
                        (thread * 2 + turn) % TEXTS.len(),
                    );
                    let result = answer(&engine, question(TEXTS[text], MIXES[mix]));
                    assert_eq!(result.output, cold[&(mix, text)], "mix {mix}, text {text}");
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("every answer as on a cold start");
    }
}

#[test]
fn a_follow_up_question_to_the_same_experts_reads_only_what_is_new() {
    let bench = Bench::new();
    let first = answer(&bench.engine, question(TEXTS[0], &["legal_dora"]));
    let other = answer(&bench.engine, question(TEXTS[0], &["medical_dora"]));
    assert_eq!(
        other.metrics.cached_tokens, 0,
        "keys and values of another expert"
    );
    let mut follow_up = question("And a lake?", &["legal_dora"]);
    follow_up.messages.splice(
        0..0,
        [
            Message::new(Role::User, TEXTS[0]),
            Message::new(Role::Assistant, first.output.as_str()),
        ],
    );
    let second = answer(&bench.engine, follow_up);
    assert!(
        second.metrics.cached_tokens >= first.metrics.prompt_tokens,
        "{} cached, {} of the first question",
        second.metrics.cached_tokens,
        first.metrics.prompt_tokens
    );
    assert_eq!(
        (second.metrics.cache_hits, second.metrics.cache_misses),
        (1, 0)
    );
}

#[test]
fn an_expert_that_was_named_and_cannot_answer_is_an_error_and_never_the_base_model() {
    let bench = Bench::new();
    let (code, message) = failure(&bench.engine, question("hi", &["nobody"]));
    assert_eq!(
        (code, message.contains("unknown expert `nobody`")),
        (ErrorCode::UnknownName, true)
    );
    let (code, message) = failure(&bench.engine, question("hi", &["science_dora"]));
    assert_eq!(
        (code, message.contains("not installed")),
        (ErrorCode::UnknownName, true)
    );
    let (code, _) = failure(&bench.engine, question("hi", &["own-one", "own-one"]));
    assert_eq!(code, ErrorCode::BadRequest);
    let folder = bench
        .engine
        .settings()
        .home
        .path
        .join("adapters/legal_dora");
    std::fs::write(folder.join("adapter_model.safetensors"), b"nothing").expect("written");
    let (code, message) = failure(&bench.engine, question("hi", &["legal_dora"]));
    assert_eq!(code, ErrorCode::ExpertUnusable, "{message}");
    // The others answer all the same.
    answer(&bench.engine, question("hi", &["medical_dora"]));
}
