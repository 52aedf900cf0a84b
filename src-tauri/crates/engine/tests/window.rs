//! What a window needs of the engine: settings that change, a model brought into memory ahead, the context meter, long work.

use r3mes_engine::api::{Change, Event, Job, JobState, Message, Query, Role};
use r3mes_engine::{BUILTIN, Cancel, Engine, Flags, Home, Jobs, Settings};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use tempfile::TempDir;

fn engine(home: &Path) -> Arc<Engine> {
    let mut settings = Settings::compiled_in(Home {
        path: home.to_owned(),
        reason: "a test",
    });
    settings.threads = 2;
    settings.max_tokens = 4;
    Arc::new(Engine::open(settings).expect("a thread starts"))
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn jobs(engine: &Arc<Engine>) -> (Jobs, Receiver<Change>) {
    let (announce, announced) = channel();
    let announce = std::sync::Mutex::new(announce);
    let jobs = Jobs::open(
        Arc::clone(engine),
        Arc::new(move |change| {
            // A test that has ended listens no more.
            drop(announce.lock().map(|announce| announce.send(change)));
        }),
    );
    (jobs.expect("the folder of models can be read"), announced)
}

/// Waits for announcements until the job has ended.
fn ended(jobs: &Jobs, announced: &Receiver<Change>, id: &str) -> Job {
    loop {
        let job = jobs.list().into_iter().find(|job| job.id == id);
        let job = job.expect("the job is on the list");
        if job.state != JobState::Running {
            return job;
        }
        announced
            .recv_timeout(Duration::from_secs(60))
            .expect("every change of state is announced");
    }
}

#[test]
fn a_model_is_brought_into_memory_ahead_of_the_first_question() {
    let home = folder();
    let engine = engine(home.path());
    assert_eq!(engine.loaded(), None);
    let mut phases = Vec::new();
    engine
        .warm(&Cancel::new(), &mut |loading| phases.push(loading.phase))
        .expect("the built-in model");
    assert!(!phases.is_empty());
    let loaded = engine.loaded().expect("a model in memory");
    assert_eq!(loaded.name, BUILTIN);
    assert!(loaded.backend.starts_with("cpu, "), "{}", loaded.backend);
    let answer = engine.ask(Query::text("Hello")).expect("a question");
    let loadings = answer.filter(|event| matches!(event, Event::Loading(_)));
    assert_eq!(loadings.count(), 0);
}

#[test]
fn a_warming_that_was_cancelled_leaves_nothing_behind() {
    let home = folder();
    let engine = engine(home.path());
    let cancel = Cancel::new();
    cancel.set();
    engine
        .warm(&cancel, &mut |_| {})
        .expect("cancelling is no error");
    assert_eq!(engine.loaded(), None);
}

#[test]
fn settings_that_changed_hold_from_the_next_question_on() {
    let home = folder();
    let engine = engine(home.path());
    let completion = |engine: &Engine| {
        let answer = engine.ask(Query::text("Hello")).expect("a question");
        let done = answer.filter_map(|event| match event {
            Event::Done(result) => Some(result.metrics.completion_tokens),
            _ => None,
        });
        done.last().expect("an answer")
    };
    assert!(completion(&engine) <= 4);
    let mut settings = (*engine.settings()).clone();
    settings.max_tokens = 1;
    settings.threads = 1;
    engine.change_settings(settings);
    assert_eq!(completion(&engine), 1);
    assert_eq!(engine.doctor().cpu.threads, 1);
}

#[test]
fn the_model_that_was_chosen_is_what_the_file_says_afterwards() {
    let home = folder();
    let engine = engine(home.path());
    let file = home.path().join("settings.json");
    std::fs::write(&file, r#"{"max_tokens": 7, "window": {"theme": "dark"}}"#).expect("writable");
    engine.models().choose(BUILTIN).expect("it is always there");
    engine.read_settings_again().expect("readable");
    assert_eq!(engine.settings().max_tokens, 7);
    let flags = Flags {
        home: Some(home.path().to_owned()),
        ..Flags::default()
    };
    let again = Settings::resolve(&flags).expect("readable");
    assert_eq!(again.max_tokens, 7);
    let kept = std::fs::read_to_string(&file).expect("readable");
    assert!(kept.contains("dark"), "{kept}");
}

#[test]
fn the_context_is_counted_with_and_without_the_model_in_memory() {
    let home = folder();
    let engine = engine(home.path());
    let history = [
        Message::new(Role::User, "What is a river?"),
        Message::new(Role::Assistant, "Water that flows."),
    ];
    let count = || {
        engine
            .context_use("Be brief.", &history, "And a lake?", Some(100_000))
            .expect("the built-in model counts")
    };
    let cold = count();
    assert_eq!(engine.loaded(), None);
    assert!(
        cold.system > 0 && cold.history > cold.draft && cold.draft > 0,
        "{cold:?}"
    );
    assert_eq!(cold.answer, cold.limit / 2);
    engine
        .warm(&Cancel::new(), &mut |_| {})
        .expect("the built-in model");
    assert_eq!(count(), cold);
    let empty = engine.context_use("", &[], "", None).expect("counted");
    assert_eq!((empty.system, empty.history, empty.draft), (0, 0, 0));
    assert_eq!(empty.answer, 4);
}

#[test]
fn a_model_is_imported_verified_and_taken_off_the_list_by_jobs() {
    let home = folder();
    let engine = engine(home.path());
    let builtin = engine.models().locate(BUILTIN).expect("unpacked").path;
    let (jobs, announced) = jobs(&engine);
    let import = jobs.import(builtin).expect("a thread starts");
    let import = ended(&jobs, &announced, &import.id);
    assert_eq!(import.state, JobState::Done, "{}", import.message);
    assert_eq!(import.done_bytes, import.total_bytes);
    // The built-in model's own name is taken, so the copy could not have it.
    let installed = engine.models().list(None).expect("a list");
    assert!(installed.iter().any(|entry| entry.name == import.message));
    let verify = jobs
        .verify(import.message.clone())
        .expect("a thread starts");
    let verify = ended(&jobs, &announced, &verify.id);
    assert_eq!(verify.state, JobState::Done, "{}", verify.message);
    jobs.dismiss(&import.id).expect("it has ended");
    assert_eq!(jobs.list().len(), 1);
}

#[test]
fn work_that_fails_says_why() {
    let home = folder();
    let engine = engine(home.path());
    let (jobs, announced) = jobs(&engine);
    let job = jobs
        .import(home.path().to_owned())
        .expect("a thread starts");
    let job = ended(&jobs, &announced, &job.id);
    assert_eq!(job.state, JobState::Failed);
    assert!(!job.message.is_empty());
}

#[test]
fn an_earlier_runs_download_is_a_paused_job_and_cancelling_deletes_it() {
    let home = folder();
    let partial = home.path().join("models/some-model.partial");
    std::fs::create_dir_all(&partial).expect("writable");
    let goal = r#"{"source": "hub:someone/some-model", "total_bytes": 1000, "file": "a.gguf"}"#;
    std::fs::write(partial.join("r3mes-pull.json"), goal).expect("writable");
    std::fs::write(partial.join("a.gguf.part"), [0; 400]).expect("writable");
    let engine = engine(home.path());
    let (jobs, _announced) = jobs(&engine);
    let [job] = &jobs.list()[..] else {
        panic!("one job: {:?}", jobs.list());
    };
    assert_eq!(job.state, JobState::Paused);
    assert_eq!(job.subject, "someone/some-model");
    assert!(job.done_bytes >= 400 && job.total_bytes == 1000, "{job:?}");
    jobs.dismiss(&job.id).expect_err("it can go on");
    jobs.cancel(&job.id).expect("deleted");
    assert!(!partial.exists());
    assert_eq!(jobs.list()[0].state, JobState::Cancelled);
    jobs.dismiss(&job.id).expect("it has ended");
    assert!(jobs.list().is_empty());
}
