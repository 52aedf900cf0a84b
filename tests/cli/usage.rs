//! Wrong arguments: the exit code and the words a person reads.

use crate::support::{Home, tiny};

/// Runs and expects this exit code, and each of `parts` on stderr, and nothing on stdout.
fn refuses(arguments: &[&str], code: i32, parts: &[&str]) {
    let ran = Home::new().run(arguments);
    assert_eq!(ran.code, Some(code), "{arguments:?}\n{}", ran.stderr);
    assert_eq!(ran.stdout, "", "{arguments:?}");
    for part in parts {
        assert!(
            ran.stderr.contains(part),
            "{arguments:?}: no {part:?} in:\n{}",
            ran.stderr
        );
    }
    assert!(
        !ran.stderr.contains("panicked"),
        "{arguments:?}\n{}",
        ran.stderr
    );
}

#[test]
fn wrong_arguments_exit_2_and_say_what_was_expected() {
    let model = tiny();
    let model = model.as_str();
    let long = "x".repeat(10_001);
    let cases: &[(&[&str], &[&str])] = &[
        (&[], &["Usage: r3mes"]),
        (&["nonsense"], &["unrecognized subcommand"]),
        (&["inference"], &["Usage"]),
        (&["inference", "query"], &["<PROMPT>"]),
        (
            &["inference", "query", "hi", "--temperature", "hot"],
            &["--temperature"],
        ),
        (
            &[
                "inference",
                "query",
                "hi",
                "--model",
                model,
                "--temperature",
                "-1",
            ],
            &["temperature: -1", "0 to 100"],
        ),
        (
            &[
                "inference",
                "query",
                "hi",
                "--model",
                model,
                "--top-p",
                "1.5",
            ],
            &["top_p: 1.5", "0 to 1"],
        ),
        (
            &[
                "inference",
                "query",
                "hi",
                "--model",
                model,
                "--max-tokens",
                "0",
            ],
            &["max_tokens: 0"],
        ),
        (
            &["inference", "query", "hi", "--threads", "0"],
            &["--threads: 0", "1 to 512"],
        ),
        (
            &["inference", "query", "hi", "--kv", "f64"],
            &["auto, f32, f16 or int8"],
        ),
        (&["inference", "query", " "], &["query: 1 characters"]),
        (
            &["inference", "query", &long],
            &["query: 10001 characters", "1 to 10000"],
        ),
        (
            &["inference", "query", "hi", "--experts", "legal_dora"],
            &[
                "expert `legal_dora` is not installed",
                "r3mes adapter import",
            ],
        ),
        (
            &["inference", "query", "hi", "--collection", "x"],
            &["unknown collection `x`"],
        ),
        (
            &["inference", "query", "hi", "--model", "absent"],
            &["unknown model `absent`", "r3mes model list"],
        ),
        (
            &["inference", "query", "hi", "--model", "bultin"],
            &["did you mean `builtin`?"],
        ),
        (&["chat", "--model", "absent"], &["unknown model `absent`"]),
        (&["model", "info", "absent"], &["unknown model `absent`"]),
        (&["model", "remove", "absent"], &["unknown model `absent`"]),
        (&["model", "remove", "builtin"], &["comes with the program"]),
        (&["model", "use", "absent"], &["unknown model `absent`"]),
        (&["model", "verify", "absent"], &["unknown model `absent`"]),
        (
            &["model", "import", "/nowhere/at all"],
            &["`/nowhere/at all` does not exist"],
        ),
        (
            &["model", "import", model, "--name", "../out"],
            &["`../out`", "letters, digits"],
        ),
        (
            &["model", "pull", "no-owner"],
            &["`no-owner`", "owner/name"],
        ),
        (&["model", "pull", "a/../b"], &["owner/name"]),
        (&["bench", "--model", "absent"], &["unknown model `absent`"]),
        (&["bench", "--repeat", "0"], &["--repeat"]),
        (
            &["bench", "--model", model, "--prompt", "999999999"],
            &["--prompt, --depth and --generate", "context"],
        ),
        (
            &["debug", "synth", "--shape", "huge", "--out", "x"],
            &["--shape: `huge`", "2b4t, 700m or tiny"],
        ),
        (&["debug", "logits", "--model", model], &["--prompt-ids"]),
        (
            &["debug", "logits", "--model", model, "--prompt-ids", "1,x"],
            &["--prompt-ids"],
        ),
        (
            &[
                "debug",
                "logits",
                "--model",
                model,
                "--prompt-ids",
                "4000000000",
            ],
            &["4000000000", "below"],
        ),
        (&["debug", "tokenize", "--model", model], &["--text"]),
        (
            &[
                "debug",
                "tokenize",
                "--model",
                model,
                "--chat",
                "/nowhere.json",
            ],
            &["`/nowhere.json`"],
        ),
    ];
    for (arguments, parts) in cases {
        refuses(arguments, 2, parts);
    }
}

#[test]
fn commands_of_later_versions_are_not_there() {
    for command in ["serve", "train", "document", "evaluate"] {
        refuses(&[command], 2, &["unrecognized subcommand"]);
    }
    for command in ["health", "metrics", "warmup", "experts", "stats"] {
        refuses(&["inference", command], 2, &["unrecognized subcommand"]);
    }
}

#[test]
fn help_and_version_are_data() {
    let home = Home::new();
    for arguments in [
        &["--help"][..],
        &["model", "pull", "--help"],
        &["--version"],
    ] {
        let ran = home.run(arguments);
        assert_eq!(
            (ran.code, ran.stderr.as_str()),
            (Some(0), ""),
            "{arguments:?}"
        );
        assert!(ran.stdout.contains("r3mes"), "{arguments:?}");
    }
}

#[test]
fn settings_that_cannot_be_used_are_named() {
    for (json, parts) in [
        ("{", &["settings.json", "line 1"][..]),
        ("[]", &["settings.json", "object"]),
        (r#"{"threads": "two"}"#, &["setting `threads`", "\"two\""]),
        (r#"{"kv": "f8"}"#, &["setting `kv`", "`f8`"]),
        (
            r#"{"sampling": {"top_p": 7}}"#,
            &["setting `sampling.top_p`", "0 to 1"],
        ),
        (
            r#"{"experts": {"most": 4}}"#,
            &["setting `experts.most`", "0 to 3"],
        ),
        (
            r#"{"experts": {"preload": "yes"}}"#,
            &["setting `experts.preload`", "true or false"],
        ),
        (
            r#"{"experts": {"ram_budget_bytes": -1}}"#,
            &["setting `experts.ram_budget_bytes`", "-1"],
        ),
    ] {
        let home = Home::new();
        home.write_settings(json);
        let ran = home.run(&["model", "list"]);
        assert_ne!(ran.code, Some(0), "{json}");
        for part in parts {
            assert!(
                ran.stderr.contains(part),
                "{json}: no {part:?} in:\n{}",
                ran.stderr
            );
        }
    }
}

#[test]
fn files_that_are_no_model_give_one_clear_error() {
    let home = Home::new();
    let folder = home.path().join("not a model");
    std::fs::create_dir(&folder).expect("a new folder");
    let gguf = folder.join("bad.gguf");
    std::fs::write(&gguf, b"GGUFnonsense").expect("a new file");
    let empty = folder.join("empty");
    std::fs::create_dir(&empty).expect("a new folder");
    for path in [&gguf, &empty] {
        let path = path.to_str().expect("a UTF-8 path");
        for arguments in [
            &["inference", "query", "hi", "--model", path][..],
            &["model", "info", path],
            &["model", "import", path],
            &["debug", "logits", "--prompt-ids", "1", "--model", path],
            &["debug", "tokenize", "--text", "x", "--model", path],
            &["bench", "--model", path],
        ] {
            let ran = home.run(arguments);
            assert_eq!(ran.code, Some(1), "{arguments:?}\n{}", ran.stderr);
            assert_eq!(
                ran.stderr.matches("error:").count(),
                1,
                "{arguments:?}\n{}",
                ran.stderr
            );
            assert!(
                !ran.stderr.contains("panicked"),
                "{arguments:?}\n{}",
                ran.stderr
            );
        }
    }
}
