//! `inference` and `chat`: what an answer looks like.

use crate::support::{Home, tiny};
use serde_json::{Value, json};

fn ask(home: &Home, more: &[&str]) -> Value {
    let model = tiny();
    let mut arguments = vec![
        "inference",
        "query",
        "What is it?",
        "--model",
        &model,
        "--json",
    ];
    arguments.extend(more);
    home.json(&arguments)
}

#[test]
fn the_json_answer_has_every_field_of_the_contract() {
    let answer = ask(&Home::new(), &["--max-tokens", "5", "--temperature", "0"]);
    for field in ["request_id", "output", "finish_reason"] {
        assert!(answer[field].is_string(), "{field}");
    }
    assert_eq!(answer["experts_used"], json!([]));
    let route = &answer["route"];
    assert!(route["used_fast_path"].is_boolean(), "{route}");
    assert!(route["dropped"].is_array(), "{route}");
    let best = &route["scores"][0];
    assert!(
        best["expert_id"].is_string() && best["why"].is_array(),
        "{route}"
    );
    for field in ["keyword", "semantic", "fused"] {
        let score = best[field].as_f64().expect("a score");
        assert!((0.0..=1.0).contains(&score), "{field}: {score}");
    }
    assert_eq!(answer["rag_context"], Value::Null);
    assert_eq!(answer["citations"], json!([]));
    let metrics = answer["metrics"].as_object().expect("metrics");
    for field in [
        "total_time_ms",
        "rag_time_ms",
        "routing_time_ms",
        "loading_time_ms",
        "prefill_time_ms",
        "inference_time_ms",
        "time_to_first_token_ms",
        "prompt_tokens",
        "completion_tokens",
        "cached_tokens",
        "prefill_tokens_per_second",
        "decode_tokens_per_second",
        "cache_hits",
        "cache_misses",
    ] {
        assert!(metrics[field].is_number(), "{field}");
    }
    assert_eq!(metrics["used_fast_path"], false);
    assert!(
        metrics["completion_tokens"]
            .as_u64()
            .is_some_and(|count| count <= 5)
    );
}

#[test]
fn the_same_seed_gives_the_same_text_and_another_one_another() {
    let home = Home::new();
    let text = |seed: &str| {
        let flags = [
            "--seed",
            seed,
            "--temperature",
            "1.5",
            "--top-k",
            "0",
            "--top-p",
            "1",
            "--max-tokens",
            "12",
        ];
        ask(&home, &flags)["output"].clone()
    };
    assert_eq!(text("7"), text("7"));
    assert_ne!(text("7"), text("8"));
}

#[test]
fn threads_and_cache_reuse_do_not_change_a_greedy_answer() {
    let home = Home::new();
    let text = |threads: &str| {
        ask(
            &home,
            &[
                "--temperature",
                "0",
                "--max-tokens",
                "12",
                "--threads",
                threads,
            ],
        )["output"]
            .clone()
    };
    assert_eq!(text("1"), text("2"));
}

#[test]
fn a_streamed_answer_is_the_same_text() {
    let home = Home::new();
    let model = tiny();
    let run = |command: &str| {
        let flags = ["--model", &model, "--temperature", "0", "--max-tokens", "9"];
        let ran = home.run(&[&["inference", command, "Hello"][..], &flags].concat());
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{command}");
        ran.stdout
    };
    assert_eq!(run("query"), run("stream"));
}

#[test]
fn a_question_can_come_from_stdin() {
    let home = Home::new();
    let model = tiny();
    let flags = ["--model", &model, "--temperature", "0", "--max-tokens", "9"];
    let piped = home.run_with_input(
        &[&["inference", "query", "-"][..], &flags].concat(),
        "Hello\n",
    );
    let given = home.run(&[&["inference", "query", "Hello"][..], &flags].concat());
    assert_eq!(piped.stdout, given.stdout);
}

#[test]
fn a_conversation_that_does_not_fit_is_refused_with_numbers() {
    let home = Home::new();
    let model = tiny();
    let ran = home.run(&[
        "inference",
        "query",
        &"word ".repeat(1900),
        "--model",
        &model,
    ]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("tokens, expected at most"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_piped_chat_answers_each_line_and_runs_commands() {
    let home = Home::new();
    let model = tiny();
    let flags = [
        "chat",
        "--model",
        &model,
        "--temperature",
        "0",
        "--max-tokens",
        "4",
    ];
    let one = home.run_with_input(&flags, "Hello\n");
    assert_eq!(one.code, Some(0), "{}", one.stderr);
    let again = home.run_with_input(&flags, "Hello\n\n/again\n/new\nHello\n/exit\nnever\n");
    assert_eq!(again.stdout, one.stdout.repeat(3));
    let wrong = home.run_with_input(&flags, "/nonsense\n/set temperature hot\nHello\n");
    assert_eq!(wrong.stdout, one.stdout);
    assert_eq!(wrong.code, Some(1));
    assert!(
        wrong.stderr.contains("unknown command `/nonsense`"),
        "{}",
        wrong.stderr
    );
    assert!(
        wrong.stderr.contains("`hot`, expected a number"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn a_second_turn_reuses_what_the_first_computed() {
    use r3mes_engine::api::{Event, Message, Query, Role};
    use r3mes_engine::{Engine, Flags, Settings};
    let home = Home::new();
    let flags = Flags {
        home: Some(home.path().to_owned()),
        model: Some(tiny()),
        ..Flags::default()
    };
    let settings = Settings::resolve_from(&flags, &|_| None).expect("settings");
    let engine = Engine::open(settings).expect("an engine");
    let mut query = Query::text("Tell me something long about it");
    query.max_tokens = Some(4);
    let first = finish(engine.ask(query.clone()).expect("an answer"));
    assert_eq!(first.metrics.cached_tokens, 0);
    query
        .messages
        .push(Message::new(Role::Assistant, first.output));
    query.messages.push(Message::new(Role::User, "More"));
    let second = finish(engine.ask(query).expect("an answer"));
    assert!(
        second.metrics.cached_tokens > 5,
        "{}",
        second.metrics.cached_tokens
    );

    fn finish(answer: r3mes_engine::Answer) -> r3mes_engine::api::AnswerResult {
        for event in answer {
            match event {
                Event::Done(result) => return *result,
                Event::Failed { message, .. } => panic!("{message}"),
                _ => {}
            }
        }
        panic!("no result")
    }
}

#[test]
fn the_built_in_model_answers_on_a_fresh_machine() {
    let home = Home::new();
    let answer = home.json(&[
        "inference",
        "query",
        "What is diabetes?",
        "--max-tokens",
        "24",
        "--json",
    ]);
    assert_eq!(answer["model"], "builtin");
    assert!(
        answer["output"]
            .as_str()
            .is_some_and(|text| !text.trim().is_empty())
    );
    assert_eq!(
        home.json(&["model", "verify", "builtin", "--json"])["ok"],
        true
    );
}

#[test]
fn a_damaged_copy_of_the_built_in_model_is_unpacked_again() {
    let home = Home::new();
    assert_eq!(
        home.run(&["inference", "query", "Hi", "--max-tokens", "1"])
            .code,
        Some(0)
    );
    let config = home.path().join("models/builtin/config.json");
    std::fs::write(&config, "{").expect("a writable file");
    assert_eq!(
        home.run(&["inference", "query", "Hi", "--max-tokens", "1"])
            .code,
        Some(0)
    );
}
