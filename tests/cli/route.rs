//! `route`: one question for people and programs, many as lines.

use crate::support::Home;
use serde_json::Value;

#[test]
fn a_question_is_routed_with_reasons() {
    let home = Home::new();
    let ran = home.run(&["route", "What are the symptoms of diabetes?", "--json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let route: Value = serde_json::from_str(&ran.stdout).expect("one JSON value");
    assert_eq!(route["candidates"][0]["expert_id"], "medical_dora");
    assert_eq!(route["scores"].as_array().map(Vec::len), Some(7));
    let why = route["scores"][0]["why"].to_string();
    assert!(why.contains("matched: "), "{why}");

    let ran = home.run(&["route", "What are the symptoms of diabetes?"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.starts_with("medical_dora "), "{}", ran.stdout);
}

#[test]
fn lines_are_routed_in_their_order() {
    let home = Home::new();
    let lines = "{\"id\": \"a\", \"text\": \"How do I undo the last git commit?\"}\n\n{\"id\": 2, \"text\": \"Türkiye'nin başkenti neresidir?\"}\n";
    let ran = home.run_with_input(&["route", "--jsonl", "-"], lines);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let found: Vec<Value> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(found.len(), 2);
    assert_eq!(found[0]["id"], "a");
    assert_eq!(found[0]["experts"][0]["expert_id"], "coding_dora");
    assert_eq!(found[1]["id"], 2);
    assert_eq!(found[1]["experts"][0]["expert_id"], "turkish_dora");
    for key in ["scores", "used_fast_path", "keyword_ms", "semantic_ms"] {
        assert!(!found[0][key].is_null(), "{key}");
    }
}

#[test]
fn a_line_that_is_none_is_named() {
    let home = Home::new();
    let ran = home.run_with_input(
        &["route", "--jsonl", "-"],
        "{\"id\": 1, \"text\": \"hello\"}\n{\"id\": 2}\n",
    );
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr.contains("line 2: missing field `text`"),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.stdout.lines().count(), 1);
}
