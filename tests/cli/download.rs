//! `model pull` from a hub that misbehaves.

use crate::hub::{COMMIT, Fault, Hub, NAME, REPO};
use crate::support::{Home, tiny_model};

const WEIGHTS: &str = "model.safetensors";

/// Whether `model list` shows the pulled model as usable.
fn is_ready(home: &Home) -> bool {
    let list = home.json(&["model", "list", "--json"]);
    let models = list["models"].as_array().expect("a list");
    models
        .iter()
        .any(|model| model["name"] == NAME && model["state"] == "ready")
}

/// Pulls from a hub with these faults and expects the model whole, with the weights asked for `requests` times.
fn recovers(faults: &[Fault], requests: usize) {
    let hub = Hub::with_model(&tiny_model());
    let home = Home::with_hub(&hub.endpoint());
    hub.spoil(WEIGHTS, faults);
    let ran = home.run(&["model", "pull", REPO]);
    assert_eq!(ran.code, Some(0), "{faults:?}\n{}", ran.stderr);
    assert_eq!(ran.stdout.trim(), NAME);
    assert!(is_ready(&home), "{faults:?}");
    assert_eq!(
        hub.asked_for(WEIGHTS).len(),
        requests,
        "{faults:?}\n{}",
        ran.stderr
    );
    let fetched =
        std::fs::read(home.path().join("models").join(NAME).join(WEIGHTS)).expect("the weights");
    assert!(
        fetched == hub.file(WEIGHTS),
        "{faults:?}: other bytes than the hub's"
    );
}

/// Pulls from a hub prepared like this and expects a failure whose message has each of `parts`.
fn fails(prepare: impl FnOnce(&Hub), code: i32, parts: &[&str]) {
    let hub = Hub::with_model(&tiny_model());
    let home = Home::with_hub(&hub.endpoint());
    prepare(&hub);
    let ran = home.run(&["model", "pull", REPO]);
    assert_eq!(ran.code, Some(code), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
    for part in parts {
        assert!(ran.stderr.contains(part), "no {part:?} in:\n{}", ran.stderr);
    }
    assert!(!is_ready(&home));
}

#[test]
fn a_pulled_model_is_whole_and_answers() {
    let hub = Hub::with_model(&tiny_model());
    let home = Home::with_hub(&hub.endpoint());
    let model = home.json(&["model", "pull", REPO, "--json"]);
    assert_eq!(model["name"], NAME);
    assert_eq!(model["source"], format!("hub:{REPO}"));
    assert_eq!(model["revision"], COMMIT);
    assert_eq!(model["licence"], "mit");
    assert_eq!(home.json(&["model", "verify", NAME, "--json"])["ok"], true);
    let answer = home.json(&[
        "inference",
        "query",
        "hello",
        "--model",
        REPO,
        "--max-tokens",
        "2",
        "--json",
    ]);
    assert_eq!(answer["model"], NAME);
    // What is installed is not fetched again.
    let before = hub.asked().len();
    assert_eq!(home.run(&["model", "pull", REPO]).code, Some(0));
    assert_eq!(hub.asked().len(), before + 1, "the listing only");
}

#[test]
fn passing_failures_are_overcome_and_bytes_that_arrived_are_kept() {
    recovers(&[], 1);
    recovers(&[Fault::Cut(0), Fault::Cut(1), Fault::Cut(1000)], 4);
    recovers(&[Fault::Cut(5000), Fault::Silence(100)], 3);
    recovers(
        &[
            Fault::Status(429, Some(0)),
            Fault::Status(500, None),
            Fault::Status(503, Some(1)),
        ],
        4,
    );
    recovers(&[Fault::Cut(1000), Fault::Status(416, None)], 3);
    recovers(&[Fault::Cut(1000), Fault::WholeInstead], 2);
    recovers(&[Fault::Cut(1000), Fault::OtherRange], 3);
    recovers(&[Fault::WrongLength], 2);
    recovers(&[Fault::Flip(4000)], 2);
    recovers(&[Fault::Cut(5000), Fault::Flip(6000), Fault::Cut(2000)], 4);
}

#[test]
fn a_cut_download_asks_for_the_missing_bytes_only() {
    let hub = Hub::with_model(&tiny_model());
    let home = Home::with_hub(&hub.endpoint());
    hub.spoil(WEIGHTS, &[Fault::Cut(1234)]);
    assert_eq!(home.run(&["model", "pull", REPO]).code, Some(0));
    let asked = hub.asked_for(WEIGHTS);
    assert_eq!(asked[0].range, None);
    assert_eq!(asked[1].range.as_deref(), Some("bytes=1234-"));
    assert!(
        asked[1]
            .if_range
            .as_deref()
            .is_some_and(|tag| tag.starts_with("\"cdn-"))
    );
}

#[test]
fn a_hub_that_tells_names_only_is_asked_for_sizes_and_hashes() {
    let hub = Hub::with_model(&tiny_model());
    let home = Home::with_hub(&hub.endpoint());
    hub.list_names_only();
    hub.spoil(WEIGHTS, &[Fault::WholeInstead, Fault::Flip(99)]);
    let ran = home.run(&["model", "pull", REPO]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("damaged"), "{}", ran.stderr);
    assert!(is_ready(&home));
}

#[test]
fn lasting_failures_are_told_and_leave_nothing_usable() {
    fails(
        |hub| hub.spoil_always(WEIGHTS, Fault::Flip(7)),
        1,
        &["`model.safetensors` is damaged", "sha256"],
    );
    fails(
        |hub| hub.spoil_always("config.json", Fault::Flip(7)),
        1,
        &["`config.json` is damaged", "git blob id"],
    );
    fails(
        |hub| hub.spoil_always(WEIGHTS, Fault::Status(500, None)),
        1,
        &["4 tries", "status 500", "continues there"],
    );
    fails(
        |hub| hub.spoil_always(WEIGHTS, Fault::Silence(0)),
        1,
        &["nothing arrived for 0.5 s"],
    );
    fails(
        |hub| hub.spoil_always(WEIGHTS, Fault::WrongLength),
        1,
        &["expected"],
    );
    fails(
        |hub| hub.spoil_always(WEIGHTS, Fault::Status(403, None)),
        1,
        &["status 403", "HF_TOKEN"],
    );
    fails(
        |hub| hub.spoil_listing(&vec![Fault::Status(502, None); 9]),
        1,
        &["status 502"],
    );
    fails(
        |hub| hub.spoil_listing(&vec![Fault::Status(401, None); 9]),
        1,
        &["status 401", "HF_TOKEN"],
    );
    fails(
        |hub| hub.claim_size(WEIGHTS, 1 << 60),
        1,
        &["not enough room", "needs 1152921504606"],
    );
    fails(
        |hub| hub.list_also("../evil.json"),
        1,
        &["`../evil.json`", "expected a path inside"],
    );
    fails(
        |hub| hub.remove_file("tokenizer.json"),
        1,
        &["no `tokenizer.json`"],
    );
    fails(
        |hub| hub.remove_file(WEIGHTS),
        1,
        &["no `model.safetensors`"],
    );
    fails(
        |hub| hub.set_file("config.json", b"{}".to_vec()),
        1,
        &["config.json"],
    );
}

#[test]
fn listings_that_fail_for_a_moment_are_asked_for_again() {
    let hub = Hub::with_model(&tiny_model());
    let home = Home::with_hub(&hub.endpoint());
    hub.spoil_listing(&[
        Fault::Status(503, Some(0)),
        Fault::Cut(0),
        Fault::Status(429, None),
    ]);
    let ran = home.run(&["model", "pull", REPO]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
}

#[test]
fn the_token_goes_to_the_hub_and_nowhere_else() {
    let hub = Hub::with_model(&tiny_model());
    let home = Home::with_hub(&hub.endpoint());
    let pull = |token: &str| {
        let mut command = home.command(&["model", "pull", REPO]);
        command
            .env("HF_TOKEN", token)
            .output()
            .expect("the binary starts")
            .status
            .code()
    };
    assert_eq!(pull("hf_secret"), Some(0));
    let listing = &hub.asked()[0];
    assert_eq!(listing.token.as_deref(), Some("Bearer hf_secret"));
}

#[test]
fn a_proxy_of_the_environment_is_used_for_other_computers() {
    let hub = Hub::with_model(&tiny_model());
    let home = Home::with_hub("http://hub.invalid");
    let mut command = home.command(&["model", "pull", REPO]);
    let output = command
        .env("HTTPS_PROXY", hub.endpoint())
        .output()
        .expect("the binary starts");
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(hub.asked()[0].path, "hub.invalid:80");
    assert_ne!(hub.port(), 0);
}

#[test]
fn nothing_is_sent_when_the_environment_says_offline() {
    let hub = Hub::with_model(&tiny_model());
    let home = Home::with_hub(&hub.endpoint());
    let mut command = home.command(&["model", "pull", REPO]);
    let output = command
        .env("HF_HUB_OFFLINE", "1")
        .output()
        .expect("the binary starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(hub.asked().is_empty());
}
