//! `embedder …`: fetched, imported, chosen and removed as models are.

use crate::hub::{COMMIT, Fault, Hub, NAME, REPO};
use crate::support::{Home, tiny_embedder};
use serde_json::Value;

const POOLING: &str = "1_Pooling/config.json";

/// A hub with the tiny encoder, laid out as sentence-transformers does, and with what is not fetched.
fn hub() -> Hub {
    let hub = Hub::with_model(&tiny_embedder());
    let pooling = std::fs::read(tiny_embedder().join(POOLING)).expect("a kept file");
    hub.set_file(POOLING, pooling);
    for other in ["pytorch_model.bin", "onnx/model.onnx", "README.md"] {
        hub.set_file(other, b"not fetched".to_vec());
    }
    hub
}

fn import(home: &Home) {
    let folder = tiny_embedder().display().to_string();
    let ran = home.run(&["embedder", "import", &folder, "--name", "mine"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (Some(0), "mine\n"),
        "{}",
        ran.stderr
    );
}

fn listed(home: &Home, name: &str) -> Option<Value> {
    let list = home.json(&["embedder", "list", "--json"]);
    let embedders = list["embedders"].as_array().expect("a list").clone();
    embedders
        .into_iter()
        .find(|embedder| embedder["name"] == name)
}

fn embed(home: &Home) -> crate::support::Ran {
    let input = "{\"id\": 1, \"text\": \"the fox\"}";
    home.run_with_input(&["embed", "--jsonl", "-"], input)
}

#[test]
fn a_fresh_machine_lists_the_built_in_embedder_as_the_one_in_use() {
    let home = Home::new();
    let list = home.json(&["embedder", "list", "--json"]);
    assert_eq!(list["active"], "builtin");
    assert_eq!(list["embedders"].as_array().map(Vec::len), Some(1));
    assert_eq!(list["embedders"][0]["active"], true);
    assert!(
        !home.path().join("embedders").exists(),
        "listing writes nothing"
    );
}

#[test]
fn an_imported_embedder_is_used_and_removed() {
    let home = Home::new();
    import(&home);
    assert!(home.path().join("embedders/mine").join(POOLING).exists());
    assert_eq!(
        home.json(&["embedder", "use", "MINE", "--json"])["active"],
        true
    );
    let ran = embed(&home);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("embedder `mine`, 32 numbers"),
        "{}",
        ran.stderr
    );
    let ran = home.run(&[
        "embedder",
        "import",
        &tiny_embedder().display().to_string(),
        "--name",
        "mine",
    ]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("an embedder named `mine` is already installed"),
        "{}",
        ran.stderr
    );
    assert!(
        home.json(&["embedder", "remove", "mine", "--json"])["freed_bytes"].as_u64() > Some(1000)
    );
    assert_eq!(
        home.json(&["embedder", "list", "--json"])["active"],
        "builtin"
    );
    assert_eq!(home.run(&["embedder", "remove", "builtin"]).code, Some(2));
}

#[test]
fn an_embedder_is_fetched_from_the_hub_and_nothing_else_is() {
    let hub = hub();
    let home = Home::with_hub(&hub.endpoint());
    let ran = home.run(&["embedder", "pull", REPO]);
    assert_eq!(
        (ran.code, ran.stdout.trim()),
        (Some(0), NAME),
        "{}",
        ran.stderr
    );
    let entry = listed(&home, NAME).expect("listed");
    assert_eq!(
        (&entry["state"], &entry["revision"]),
        (&"ready".into(), &COMMIT.into())
    );
    for other in [
        "pytorch_model.bin",
        "onnx/model.onnx",
        "README.md",
        "expected.safetensors",
    ] {
        assert!(hub.asked_for(other).is_empty(), "{other}");
    }
    let folder = home.path().join("embedders").join(NAME);
    for file in ["model.safetensors", POOLING] {
        let fetched = std::fs::read(folder.join(file)).expect("a fetched file");
        assert!(fetched == hub.file(file), "{file}");
    }
    // Asking again does nothing.
    assert_eq!(home.run(&["embedder", "pull", REPO]).code, Some(0));
    assert_eq!(hub.asked_for("model.safetensors").len(), 1);
    assert_eq!(home.run(&["embedder", "use", NAME]).code, Some(0));
    assert_eq!(embed(&home).code, Some(0));
    assert_eq!(
        home.run(&["model", "use", NAME]).code,
        Some(2),
        "it is no chat model"
    );
}

#[test]
fn an_interrupted_fetch_goes_on_where_it_stopped() {
    let hub = hub();
    let home = Home::with_hub(&hub.endpoint());
    hub.spoil("model.safetensors", &[Fault::Cut(5000)]);
    let ran = home.run(&["embedder", "pull", REPO]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let asked = hub.asked_for("model.safetensors");
    assert_eq!(asked[1].range.as_deref(), Some("bytes=5000-"), "{asked:?}");
}

#[test]
fn what_is_no_embedder_is_refused_and_not_listed() {
    let hub = hub();
    let home = Home::with_hub(&hub.endpoint());
    hub.remove_file("tokenizer.json");
    let ran = home.run(&["embedder", "pull", REPO]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("`tokenizer.json`, which is not in it"),
        "{}",
        ran.stderr
    );
    hub.set_file("tokenizer.json", b"{}".to_vec());
    let ran = home.run(&["embedder", "pull", REPO]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("tokenizer.json"), "{}", ran.stderr);
    assert!(listed(&home, NAME).is_none());
    let model = crate::support::tiny();
    let ran = home.run(&["embedder", "import", &model]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("`model_type`: found \"bitnet\""),
        "{}",
        ran.stderr
    );
}
