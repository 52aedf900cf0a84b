//! `debug …`, `doctor` and `bench`: shapes of what they print.

use crate::support::{Home, tiny, tiny_model};
use serde_json::{Value, json};

#[test]
fn synth_writes_the_same_bytes_for_the_same_seed() {
    let home = Home::new();
    let write = |seed: &str, name: &str| {
        let out = home.path().join(name);
        let out = out.to_str().expect("a UTF-8 path");
        home.json(&[
            "debug", "synth", "--shape", "tiny", "--seed", seed, "--out", out, "--json",
        ]);
        std::fs::read(format!("{out}/model.safetensors")).expect("the weights")
    };
    let first = write("1", "a");
    assert!(first == write("1", "b"));
    assert!(first != write("2", "c"));
    let again = home.path().join("a");
    let ran = home.run(&[
        "debug",
        "synth",
        "--shape",
        "tiny",
        "--out",
        again.to_str().expect("a UTF-8 path"),
    ]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("already exists"), "{}", ran.stderr);
}

#[test]
fn logits_are_told_in_full_precision_and_written_raw() {
    let home = Home::new();
    let model = tiny();
    let file = home.path().join("row.f32");
    let dump = file.to_str().expect("a UTF-8 path");
    let report = home.json(&[
        "debug",
        "logits",
        "--model",
        &model,
        "--prompt-ids",
        "1,2,3",
        "--top-k",
        "5",
        "--max-new-tokens",
        "4",
        "--dump-logits",
        dump,
        "--ignore-eos",
        "--json",
    ]);
    assert_eq!(report["prompt_ids"], json!([1, 2, 3]));
    assert_eq!(report["stop"], "length");
    assert_eq!(report["generated"].as_array().map(Vec::len), Some(4));
    let row: Vec<f32> = std::fs::read(&file)
        .expect("the row")
        .chunks_exact(4)
        .map(|bytes| f32::from_le_bytes(bytes.try_into().expect("four bytes")))
        .collect();
    assert_eq!(report["vocab_size"], row.len());
    let top = report["top"].as_array().expect("a list");
    assert_eq!(top.len(), 5);
    for pair in top {
        let id = pair[0].as_u64().expect("an id") as usize;
        let logit: f32 = pair[1].to_string().parse().expect("a number");
        assert_eq!(logit, row[id], "every bit of the logit of {id}");
    }
    assert_eq!(report["generated"][0], top[0][0], "greedy takes the best");
    let keys: Vec<&String> = report.as_object().expect("an object").keys().collect();
    assert_eq!(
        keys,
        ["prompt_ids", "vocab_size", "top", "generated", "stop"]
    );
}

#[test]
fn logits_do_not_depend_on_threads() {
    let home = Home::new();
    let model = tiny();
    let row = |threads: &str| -> Value {
        let flags = [
            "debug",
            "logits",
            "--model",
            &model,
            "--prompt-ids",
            "5,6,7,8",
            "--json",
            "--threads",
            threads,
        ];
        home.json(&flags)["top"].clone()
    };
    assert_eq!(row("1"), row("2"));
}

#[test]
fn tokenize_tells_ids_and_what_was_rendered() {
    let home = Home::new();
    let model = tiny();
    let text = home.json(&[
        "debug", "tokenize", "--model", &model, "--text", "Merhaba", "--json",
    ]);
    assert_eq!(text["rendered"], "Merhaba");
    assert!(text["ids"].as_array().is_some_and(|ids| !ids.is_empty()));
    let file = home.path().join("konuşma.json");
    std::fs::write(&file, r#"[{"role": "user", "content": "Merhaba"}]"#).expect("a new file");
    let file = file.to_str().expect("a UTF-8 path");
    let chat = home.json(&[
        "debug", "tokenize", "--model", &model, "--chat", file, "--json",
    ]);
    let rendered = chat["rendered"].as_str().expect("a text");
    assert!(
        rendered.contains("Merhaba") && rendered.len() > "Merhaba".len(),
        "{rendered}"
    );
}

#[test]
fn doctor_tells_what_is_there_and_why() {
    let home = Home::new();
    let report = home.json(&["doctor", "--json"]);
    assert_eq!(report["backend"], "cpu");
    assert_eq!(
        report["folders"]["home"],
        home.path().to_str().expect("a UTF-8 path")
    );
    assert_eq!(report["folders"]["home_reason"], "R3MES_HOME");
    assert_eq!(report["problems"], json!([]));
    assert!(report["memory"]["total_bytes"].as_u64() > Some(1 << 20));
    assert!(
        report["gpu"]["reason"]
            .as_str()
            .is_some_and(|reason| !reason.is_empty())
    );
    let text = home.run(&["doctor"]);
    assert!(text.stdout.contains("instruction set"), "{}", text.stdout);
}

#[test]
fn doctor_names_a_model_that_is_gone() {
    let home = Home::new();
    home.write_settings(r#"{"active_model": "gone"}"#);
    let ran = home.run(&["doctor", "--json"]);
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.json()["model"]["state"], "broken");
    assert!(
        ran.stderr.contains("unknown model `gone`"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_forced_instruction_set_is_used_or_refused() {
    let home = Home::new();
    let with = |isa: &str| {
        let mut command = home.command(&["doctor", "--json"]);
        let output = command
            .env("R3MES_ISA", isa)
            .output()
            .expect("the binary starts");
        (
            output.status.code(),
            String::from_utf8(output.stdout).expect("UTF-8"),
        )
    };
    let (code, text) = with("scalar");
    assert_eq!(code, Some(0));
    assert!(text.contains("forced by R3MES_ISA"), "{text}");
    assert_eq!(with("nonsense").0, Some(1));
}

#[test]
fn bench_measures_everything_in_one_run() {
    let home = Home::new();
    let model = tiny_model();
    let model = model.to_str().expect("a UTF-8 path");
    let flags = [
        "--prompt",
        "16",
        "--generate",
        "8",
        "--depth",
        "4",
        "--repeat",
        "2",
        "--threads",
        "1",
        "--json",
    ];
    let report = home.json(&[&["bench", "--model", model][..], &flags].concat());
    for field in [
        "prefill_tokens_per_second",
        "decode_tokens_per_second",
        "load_ms",
        "peak_rss_bytes",
        "bytes_per_token",
        "memory_bandwidth_bytes_per_second",
        "decode_bandwidth_share",
    ] {
        assert!(
            report[field].as_f64() > Some(0.0),
            "{field}: {}",
            report[field]
        );
    }
    assert_eq!(report["threads"], 1);
    let parts =
        ["weight", "head", "kv"].map(|part| report[format!("{part}_bytes_per_token")].as_u64());
    let sum: u64 = parts.into_iter().flatten().sum();
    assert_eq!(report["bytes_per_token"], sum);
}
