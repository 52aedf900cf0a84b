//! `embed`: texts in, vectors out.

use crate::support::{Home, tiny_embedder};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

fn folder() -> String {
    tiny_embedder().display().to_string()
}

fn vectors(value: &Value) -> Vec<Vec<f64>> {
    serde_json::from_value(value.clone()).expect("rows of numbers")
}

fn lines(stdout: &str) -> Vec<Value> {
    let parsed = stdout.lines().map(serde_json::from_str);
    parsed
        .collect::<Result<_, _>>()
        .expect("a JSON value a line")
}

/// The vectors of these texts by `--texts FILE --json`.
fn embeddings(home: &Home, texts: &[&str]) -> Value {
    let file = home.path().join("texts.json");
    std::fs::write(&file, serde_json::to_vec(texts).expect("JSON")).expect("a written file");
    let file = file.display().to_string();
    home.json(&["embed", "--texts", &file, "--embedder", &folder(), "--json"])
}

#[test]
fn a_list_of_texts_becomes_rows_of_length_one() {
    let home = Home::new();
    let answer = embeddings(&home, &["the quick brown fox", "", "kira"]);
    let rows = vectors(&answer["embeddings"]);
    assert_eq!(rows.len(), 3);
    for row in &rows {
        let length: f64 = row.iter().map(|value| value * value).sum();
        assert!(row.len() == 32 && (length - 1.0).abs() < 1e-5, "{length}");
    }
    assert_eq!(answer["dimension"], 32);
    assert!(answer["tokens"].as_u64() > Some(6));
    assert!(answer["tokens_per_second"].as_f64() > Some(0.0));
    assert_eq!(
        embeddings(&home, &[])["embeddings"],
        Value::Array(Vec::new())
    );
}

#[test]
fn each_line_is_answered_with_its_id_and_the_same_vector() {
    let home = Home::new();
    let input =
        "{\"id\": \"a\", \"text\": \"word\", \"more\": 1}\n\n{\"text\": \"fox\", \"id\": 7}";
    let ran = home.run_with_input(&["embed", "--jsonl", "-", "--embedder", &folder()], input);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let found = lines(&ran.stdout);
    assert_eq!(
        (found.len(), &found[0]["id"], &found[1]["id"]),
        (2, &"a".into(), &7.into())
    );
    let expected = vectors(&embeddings(&home, &["word", "fox"])["embeddings"]);
    for (line, expected) in found.iter().zip(&expected) {
        let vector: Vec<f64> = serde_json::from_value(line["vector"].clone()).expect("numbers");
        let far = vector
            .iter()
            .zip(expected)
            .any(|(a, b)| (a - b).abs() > 1e-6);
        assert!(!far, "{line}");
    }
    assert!(ran.stderr.contains("2 texts, 6 tokens"), "{}", ran.stderr);
    assert!(ran.stderr.contains("tokens/s"), "{}", ran.stderr);
}

#[test]
fn a_program_that_waits_for_each_answer_gets_it() {
    let home = Home::new();
    let mut child = home
        .command(&["embed", "--jsonl", "-", "--embedder", &folder()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let mut stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
    for id in 0..3 {
        writeln!(stdin, "{{\"id\": {id}, \"text\": \"word\"}}").expect("the binary reads");
        let mut line = String::new();
        stdout.read_line(&mut line).expect("an answer");
        assert_eq!(lines(&line)[0]["id"], id);
    }
    drop(stdin);
    assert!(child.wait().expect("the binary ends").success());
}

#[test]
fn a_bad_line_is_named_after_the_lines_before_it_were_answered() {
    for (bad, parts) in [
        ("{\"id\": 1}", ["line 2", "missing field `text`"]),
        ("{\"text\": \"x\"}", ["line 2", "missing field `id`"]),
        ("{\"id\": 1, \"text\": 5}", ["line 2", "invalid type"]),
        ("nonsense", ["line 2", "expected `{\"id\""]),
    ] {
        let home = Home::new();
        let input = format!("{{\"id\": 0, \"text\": \"word\"}}\n{bad}\n");
        let ran = home.run_with_input(&["embed", "--jsonl", "-", "--embedder", &folder()], &input);
        assert_eq!(ran.code, Some(2), "{bad}: {}", ran.stderr);
        assert_eq!(lines(&ran.stdout).len(), 1, "{bad}");
        for part in parts {
            assert!(ran.stderr.contains(part), "{bad}: {}", ran.stderr);
        }
    }
}

#[test]
fn what_cannot_be_embedded_is_bad_usage() {
    let home = Home::new();
    let wrong = home.path().join("wrong.json");
    std::fs::write(&wrong, "[1, 2]").expect("a written file");
    let wrong = wrong.display().to_string();
    let folder = folder();
    for (arguments, part) in [
        (
            &["embed", "--texts", &wrong, "--embedder", &folder][..],
            "expected a JSON list of strings",
        ),
        (
            &["embed", "--texts", "absent.json", "--embedder", &folder][..],
            "cannot read `absent.json`",
        ),
        (
            &["embed", "--texts", &wrong, "--jsonl", "-"][..],
            "cannot be used with",
        ),
        (&["embed"][..], "--jsonl"),
    ] {
        let ran = home.run(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(part), "{arguments:?}: {}", ran.stderr);
    }
    let ran = home.run_with_input(
        &["embed", "--jsonl", "-", "--embedder", "all-MiniLM"],
        "{\"id\":1,\"text\":\"x\"}",
    );
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("unknown embedder `all-MiniLM`"),
        "{}",
        ran.stderr
    );
}
