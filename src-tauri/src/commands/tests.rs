//! The commands as the page calls them, in a program without a window.

use super::ask::{ask, stop};
use crate::bindings::builder;
use crate::desk::{Desk, Opening};
use r3mes_engine::Home;
use r3mes_engine::api::{AskRequest, Change};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{Arc, Mutex};
use tauri::ipc::{CallbackFn, Channel, InvokeBody, InvokeResponseBody};
use tauri::test::{
    INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder, mock_context, noop_assets,
};
use tauri::webview::InvokeRequest;
use tauri::{App, Manager, WebviewWindow, WebviewWindowBuilder};
use tempfile::TempDir;

struct Window {
    app: App<MockRuntime>,
    window: WebviewWindow<MockRuntime>,
    desk: Arc<Desk>,
    announced: Arc<Mutex<Vec<Change>>>,
    home: TempDir,
}

fn open(home: &Path) -> (Arc<Desk>, Arc<Mutex<Vec<Change>>>) {
    let announced = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&announced);
    let home = Home {
        path: home.to_owned(),
        reason: "a test",
    };
    let announce = Arc::new(move |change| told.lock().expect("no test panicked").push(change));
    let desk = Desk::open(home, announce).expect("a fresh data folder opens");
    (Arc::new(desk), announced)
}

impl Window {
    fn new() -> Window {
        let home = tempfile::tempdir().expect("a temporary folder");
        let (desk, announced) = open(home.path());
        let opening = Opening::default();
        opening.set(Ok(Arc::clone(&desk)));
        let app = mock_builder()
            .plugin(tauri_plugin_store::Builder::default().build())
            .invoke_handler(builder::<MockRuntime>().invoke_handler())
            .build(mock_context(noop_assets()))
            .expect("a program without a window");
        app.manage(opening);
        let window = WebviewWindowBuilder::new(&app, "main", Default::default())
            .build()
            .expect("a window without a system");
        Window {
            app,
            window,
            desk,
            announced,
            home,
        }
    }

    fn call(&self, command: &str, arguments: Value) -> Result<Value, Value> {
        let request = InvokeRequest {
            cmd: command.into(),
            callback: CallbackFn(0),
            error: CallbackFn(1),
            url: "tauri://localhost".parse().expect("an address"),
            body: InvokeBody::Json(arguments),
            headers: Default::default(),
            invoke_key: INVOKE_KEY.into(),
        };
        get_ipc_response(&self.window, request)
            .map(|body| body.deserialize::<Value>().expect("JSON"))
    }

    fn new_conversation(&self) -> String {
        let made = self.call("create_conversation", json!({}));
        made.expect("a conversation")["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    }

    /// Asks, and answers every event.
    fn ask(
        &self,
        conversation: &str,
        text: &str,
        each: impl Fn(&Value) + Send + Sync + 'static,
    ) -> Vec<Value> {
        let (tell, told) = std::sync::mpsc::channel();
        let channel = Channel::new(move |body| {
            let InvokeResponseBody::Json(text) = body else {
                panic!("events are JSON");
            };
            let event: Value = serde_json::from_str(&text)?;
            each(&event);
            tell.send(event).expect("the test listens");
            Ok(())
        });
        let request = AskRequest {
            conversation_id: conversation.into(),
            parent: None,
            experts: r3mes_engine::api::ExpertChoice::Auto,
            text: text.into(),
        };
        let asked = ask(self.app.state(), request, channel);
        tauri::async_runtime::block_on(asked).expect("a stored question");
        // The channel ends with the answer's thread.
        told.iter().collect()
    }

    fn settings_file(&self) -> Value {
        let text = std::fs::read_to_string(self.home.path().join("settings.json"));
        serde_json::from_str(&text.expect("the settings are there")).expect("JSON")
    }
}

#[test]
fn a_question_is_stored_before_it_is_answered_and_the_answer_arrives_in_pieces() {
    let window = Window::new();
    let id = window.new_conversation();
    window
        .call(
            "save_parameters",
            json!({"conversation": id, "systemPrompt": "", "presetId": null,
                   "sampling": {"seed": "7", "temperature": 0, "max_tokens": 24}}),
        )
        .expect("parameters are stored");
    let events = window.ask(&id, "What is diabetes?", |_| {});
    let kinds: Vec<&str> = events
        .iter()
        .filter_map(|event| event["type"].as_str())
        .collect();
    assert_eq!(kinds.first(), Some(&"stored"), "{kinds:?}");
    assert_eq!(kinds.last(), Some(&"done"), "{kinds:?}");
    let text: String = events
        .iter()
        .filter(|event| event["type"] == "token")
        .filter_map(|event| event["text"].as_str())
        .collect();
    let last = &events[events.len() - 1];
    assert_eq!(last["answer"]["content"].as_str(), Some(text.as_str()));
    assert_eq!(last["answer"]["state"], "complete");
    assert_eq!(last["answer"]["seed"], "7");
    assert!(!last["summary"]["title"].as_str().unwrap_or("").is_empty());
    let stored = window
        .call("open_conversation", json!({"id": id}))
        .expect("the conversation");
    assert_eq!(stored["messages"][1], last["answer"]);
    let announced = window.announced.lock().expect("no test panicked");
    assert!(announced.contains(&Change::Models), "{announced:?}");
}

#[test]
fn a_stopped_answer_ends_soon_and_keeps_its_text() {
    let window = Window::new();
    let id = window.new_conversation();
    // In memory before, so that the stop meets an answer that is being made.
    window
        .desk
        .engine
        .warm(&r3mes_engine::Cancel::new(), &mut |_| {})
        .expect("the built-in model");
    let handle = window.app.handle().clone();
    let answer = Mutex::new(String::new());
    let events = window.ask(&id, "Tell me everything about rivers.", move |event| {
        let mut answer = answer.lock().expect("no test panicked");
        match event["type"].as_str() {
            Some("stored") => *answer = event["answer"]["id"].as_str().unwrap_or("").into(),
            Some("token") => stop(handle.state(), answer.clone()),
            _ => {}
        }
    });
    let last = &events[events.len() - 1];
    assert_eq!(last["answer"]["state"], "cancelled");
    assert_eq!(last["answer"]["finish_reason"], "cancelled");
    assert!(!last["answer"]["content"].as_str().unwrap_or("").is_empty());
}

#[test]
fn what_cannot_be_done_is_refused_with_a_code_and_a_reason() {
    let window = Window::new();
    for (command, arguments, code) in [
        (
            "open_conversation",
            json!({"id": "nothing"}),
            "unknown_name",
        ),
        ("use_model", json!({"name": "nothing"}), "unknown_name"),
        ("remove_model", json!({"name": "builtin"}), "bad_request"),
        ("pause_job", json!({"id": "nothing"}), "bad_request"),
        (
            "save_settings",
            json!({"changes": {"threads": 0}}),
            "bad_request",
        ),
        (
            "save_settings",
            json!({"changes": {"top_p": 7}}),
            "bad_request",
        ),
    ] {
        let error = window.call(command, arguments).expect_err(command);
        assert_eq!(error["code"], code, "{command}: {error}");
        assert!(
            !error["message"].as_str().unwrap_or("").is_empty(),
            "{command}"
        );
    }
}

#[test]
fn settings_reach_the_engine_and_what_others_wrote_stays() {
    let window = Window::new();
    let file = window.home.path().join("settings.json");
    std::fs::write(&file, r#"{"active_model": "mine", "later": 1}"#).expect("writable");
    let changes = json!({"theme": "dark", "temperature": 0.25, "max_tokens": 99});
    let shown = window
        .call("save_settings", json!({"changes": changes}))
        .expect("saved");
    assert_eq!(shown["theme"], "dark");
    assert_eq!(shown["temperature"], 0.25);
    assert_eq!(window.desk.engine.settings().max_tokens, 99);
    // As `r3mes model use` in a terminal does meanwhile.
    let mut held = window.settings_file();
    held["active_model"] = json!("other");
    std::fs::write(&file, held.to_string()).expect("writable");
    window
        .call("save_settings", json!({"changes": {"temperature": 0.7}}))
        .expect("saved");
    let expected = json!({
        "active_model": "other", "later": 1, "max_tokens": 99, "window": {"theme": "dark"},
    });
    assert_eq!(window.settings_file(), expected);
}

#[test]
fn a_backup_brings_back_what_was_there() {
    let window = Window::new();
    let id = window.new_conversation();
    let path = window.home.path().join("kept.zip");
    let renamed = json!({"id": id, "title": "Önce"});
    window
        .call("rename_conversation", renamed)
        .expect("renamed");
    let bytes = window
        .call("backup", json!({"path": path}))
        .expect("a backup");
    assert!(bytes.as_u64().is_some_and(|bytes| bytes > 0));
    window
        .call("rename_conversation", json!({"id": id, "title": "Sonra"}))
        .expect("renamed");
    window
        .call("restore", json!({"path": path}))
        .expect("restored");
    let list = window
        .call("list_conversations", json!({}))
        .expect("a list");
    assert_eq!(list[0]["title"], "Önce");
    let wrong = window.home.path().join("wrong.zip");
    std::fs::write(&wrong, "not a zip").expect("writable");
    let error = window.call("restore", json!({"path": wrong}));
    assert_eq!(error.expect_err("no backup")["code"], "bad_request");
}

#[test]
fn diagnostics_hold_no_text_of_a_conversation() {
    let window = Window::new();
    let id = window.new_conversation();
    let secret = "Şükrü'nün gizli sorusu";
    window
        .call("save_draft", json!({"conversation": id, "text": secret}))
        .expect("saved");
    let logs = window.home.path().join("logs");
    std::fs::create_dir_all(&logs).expect("a folder");
    let line = format!("cannot read `{}/models/x`\n", window.home.path().display());
    std::fs::write(logs.join("a.log"), line).expect("writable");
    let path = window.home.path().join("diagnostics.zip");
    window
        .call("diagnostics", json!({"path": path}))
        .expect("a bundle");
    let file = std::fs::File::open(&path).expect("the bundle");
    let mut zip = zip::ZipArchive::new(file).expect("an archive");
    let mut all = String::new();
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).expect("an entry");
        std::io::Read::read_to_string(&mut entry, &mut all).expect("text");
    }
    assert!(all.contains("cannot read `<data>/models/x`"), "{all}");
    assert!(!all.contains(secret));
    let home = window.home.path().to_string_lossy().into_owned();
    assert!(!all.contains(&home));
}

#[test]
fn an_answer_cut_off_by_the_end_of_the_program_is_marked_at_the_next_start() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let id = {
        let (desk, _) = open(home.path());
        let id = desk.store.create().expect("a conversation").id;
        let asked = desk
            .store
            .ask(&id, None, "And then?", "builtin")
            .expect("stored");
        let answer = &asked.answer.id;
        desk.store
            .checkpoint_answer(answer, "Then the power")
            .expect("kept");
        id
    };
    let (desk, _) = open(home.path());
    let found = desk.store.load(&id).expect("the conversation");
    let answer = &found.messages[1];
    assert_eq!(answer.content, "Then the power");
    let state = serde_json::to_value(answer.state).expect("JSON");
    assert_eq!(state, "interrupted");
}

#[test]
fn the_generated_file_is_what_the_program_says() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../ui/lib/api/generated/bindings.ts"
    );
    let committed = std::fs::read_to_string(file).expect("the generated file is committed");
    let made = crate::typescript().expect("every type can be said in TypeScript");
    assert!(
        committed.replace("\r\n", "\n") == made,
        "ui/lib/api/generated/bindings.ts is stale\nhint: cargo run -p r3mes-desktop --example bindings"
    );
}
