//! `model pull` that is killed or interrupted, and goes on.

use crate::hub::{Fault, Hub, NAME, REPO};
use crate::support::{Home, Ran, tiny_model, wait_for};
use std::process::Child;

const WEIGHTS: &str = "model.safetensors";

/// Starts a pull that stands still after `count` bytes of the weights have reached the disk.
fn pull_until(home: &Home, hub: &Hub, count: usize) -> Child {
    hub.spoil(WEIGHTS, &[Fault::Silence(count)]);
    home.write_settings(r#"{"download": {"stall_seconds": 50}}"#);
    let child = home.start(&["model", "pull", REPO]);
    let part = home
        .path()
        .join(format!("models/{NAME}.partial/{WEIGHTS}.part"));
    wait_for("the part", || {
        let here = std::fs::metadata(&part).map_or(0, |found| found.len());
        let asked = !hub.asked_for(WEIGHTS).is_empty();
        (asked && here == count as u64).then_some(())
    });
    child
}

fn is_usable(home: &Home) -> bool {
    let list = home.json(&["model", "list", "--json"]);
    let models = list["models"].as_array().expect("a list").clone();
    models.iter().any(|model| model["name"] == NAME)
}

fn goes_on_from(home: &Home, hub: &Hub, count: usize) {
    assert!(!is_usable(home), "killed after {count} B");
    let before = hub.asked_for(WEIGHTS).len();
    let ran = home.run(&["model", "pull", REPO]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let asked = hub.asked_for(WEIGHTS).split_off(before);
    let expected = (count > 0).then(|| format!("bytes={count}-"));
    assert_eq!(asked[0].range, expected);
    assert_eq!(asked.len(), 1);
    assert_eq!(home.json(&["model", "verify", NAME, "--json"])["ok"], true);
}

#[test]
fn a_download_killed_at_any_byte_goes_on_there() {
    let size = std::fs::metadata(tiny_model().join(WEIGHTS))
        .expect("the weights")
        .len() as usize;
    for count in [0, 1, 1000, size / 2, size - 1] {
        let hub = Hub::with_model(&tiny_model());
        let home = Home::with_hub(&hub.endpoint());
        let mut child = pull_until(&home, &hub, count);
        child.kill().expect("a running process");
        child.wait().expect("an ended process");
        goes_on_from(&home, &hub, count);
    }
}

#[test]
fn the_rest_of_another_version_is_not_joined_to_what_is_here() {
    let hub = Hub::with_model(&tiny_model());
    let home = Home::with_hub(&hub.endpoint());
    let mut child = pull_until(&home, &hub, 1000);
    child.kill().expect("a running process");
    child.wait().expect("an ended process");
    let mut newer = hub.file(WEIGHTS);
    *newer.last_mut().expect("weights") ^= 1;
    hub.set_file(WEIGHTS, newer);
    let ran = home.run(&["model", "pull", REPO]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(
        hub.asked_for(WEIGHTS).last().expect("a request").range,
        None
    );
}

#[cfg(unix)]
#[test]
fn an_interrupted_download_says_what_is_kept_and_exits_130() {
    let hub = Hub::with_model(&tiny_model());
    let home = Home::with_hub(&hub.endpoint());
    let child = pull_until(&home, &hub, 1000);
    crate::interrupted::signal(&child, "INT");
    let ran = Ran::of(child.wait_with_output().expect("an ended process"));
    assert_eq!(ran.code, Some(130));
    assert!(ran.stderr.contains("are kept"), "{}", ran.stderr);
    let unfinished = home.json(&["model", "list", "--json"])["unfinished"].clone();
    assert_eq!(unfinished[0]["name"], NAME);
    goes_on_from(&home, &hub, 1000);
}

#[test]
fn an_unfinished_download_can_be_removed() {
    let hub = Hub::with_model(&tiny_model());
    let home = Home::with_hub(&hub.endpoint());
    let mut child = pull_until(&home, &hub, 1000);
    child.kill().expect("a running process");
    child.wait().expect("an ended process");
    assert_eq!(home.run(&["model", "remove", NAME]).code, Some(0));
    assert_eq!(
        home.json(&["model", "list", "--json"])["unfinished"],
        serde_json::json!([])
    );
}

#[test]
fn two_pulls_of_one_model_do_not_meet() {
    let hub = Hub::with_model(&tiny_model());
    let home = Home::with_hub(&hub.endpoint());
    let mut child = pull_until(&home, &hub, 1000);
    let ran = home.run(&["model", "pull", REPO]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("another process"), "{}", ran.stderr);
    child.kill().expect("a running process");
    child.wait().expect("an ended process");
}

#[test]
fn a_damaged_model_is_listed_as_broken_and_mended_by_pulling_again() {
    let hub = Hub::with_model(&tiny_model());
    let home = Home::with_hub(&hub.endpoint());
    assert_eq!(home.run(&["model", "pull", REPO]).code, Some(0));
    let weights = home.path().join("models").join(NAME).join(WEIGHTS);
    std::fs::write(&weights, b"short").expect("a writable file");
    let list = home.run(&["model", "list"]);
    assert!(
        list.stdout.contains("broken: `model.safetensors` has 5 B"),
        "{}",
        list.stdout
    );
    let ran = home.run(&["inference", "query", "hello", "--model", NAME]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("model pull"), "{}", ran.stderr);
    assert_eq!(home.run(&["model", "pull", REPO]).code, Some(0));
    assert_eq!(home.json(&["model", "verify", NAME, "--json"])["ok"], true);
    assert_eq!(
        hub.asked_for("config.json").len(),
        1,
        "what was right is not fetched again"
    );
}
