//! Import of files that are not right.

use super::exchange::{exported, rich};
use super::*;
use serde_json::{Value, json};

/// Changes a good file and expects the refusal, with nothing stored.
#[track_caller]
fn refuses(change: impl FnOnce(&mut Value), message: &str) {
    let (folder, store, _) = rich();
    let mut value = exported(&store, &folder);
    change(&mut value);
    let path = folder.file("hostile.json");
    std::fs::write(&path, value.to_string()).expect("written");
    let before = exported(&store, &folder);
    assert_refused(store.import(&path), message);
    assert_eq!(exported(&store, &folder), before, "all or nothing");
}

#[test]
fn a_file_that_is_not_right_is_refused_with_the_place() {
    refuses(
        |file| file["format"] = json!("chatgpt"),
        "format \"chatgpt\"",
    );
    refuses(
        |file| file["version"] = json!(2),
        "version: 2, expected at most 1",
    );
    refuses(
        |file| file["version"] = json!("1"),
        "expected a file that R3MES Desktop exported",
    );
    refuses(
        |file| *file = json!([]),
        "expected a file that R3MES Desktop exported",
    );
    refuses(|file| file["conversations"] = json!({}), "line 1 column");
    refuses(
        |file| file["conversations"][1]["messages"][0]["role"] = json!("tool"),
        "unknown variant `tool`",
    );
    refuses(
        |file| file["conversations"][1]["messages"][0]["content"] = json!(7),
        "line 1 column",
    );
    refuses(
        |file| file["conversations"][1]["messages"][0]["seed"] = json!("-1"),
        "seed `-1`",
    );
    refuses(
        |file| file["conversations"][1]["messages"][0]["created_at"] = json!(-5),
        "conversations[1].messages[0]: time -5",
    );
    refuses(
        |file| file["conversations"][1]["summary"]["updated_at"] = json!(i64::MAX),
        "conversations[1].summary: time",
    );
    refuses(
        |file| file["conversations"][1]["messages"][1]["parent"] = json!("nobody"),
        "conversations[1].messages[1].parent: \"nobody\"",
    );
    refuses(
        |file| {
            file["conversations"][1]["messages"][1]["parent"] =
                file["conversations"][0]["messages"][0]["id"].clone()
        },
        "a message of the same conversation",
    );
    refuses(
        |file| file["conversations"][1]["leaf"] = json!("nobody"),
        "conversations[1].leaf: \"nobody\"",
    );
    refuses(
        |file| {
            file["conversations"][1]["messages"][1]["id"] =
                file["conversations"][1]["messages"][0]["id"].clone()
        },
        "conversations[1].messages[1].id",
    );
    refuses(
        |file| file["conversations"][1]["messages"][1]["id"] = json!(""),
        "conversations[1].messages[1].id",
    );
    refuses(|file| file["presets"][0]["id"] = json!(""), "presets[0].id");
    refuses(
        |file| {
            file["conversations"][1]["messages"][0]["parent"] =
                file["conversations"][1]["messages"][1]["id"].clone()
        },
        "conversations[1].messages[0].parent: a circle of parents",
    );
    refuses(
        |file| {
            file["conversations"][1]["messages"][0]["parent"] =
                file["conversations"][1]["messages"][0]["id"].clone()
        },
        "a circle of parents",
    );
}

#[test]
fn text_that_is_no_json_is_refused() {
    let (folder, store) = store();
    let path = folder.file("x.json");
    for bytes in [
        &b""[..],
        b"{",
        b"\xff\xfe",
        &[b'['; 100_000],
        b"{\"format\":\"r3mes-conversations\",\"version\":1}",
    ] {
        std::fs::write(&path, bytes).expect("written");
        let error = store.import(&path).expect_err("refused");
        assert_eq!(error.code(), ErrorCode::BadRequest, "{error}");
    }
    assert_refused(store.import(&folder.file("missing.json")), "cannot read");
    assert_refused(store.import(&folder.home().path), "cannot read");
}

#[test]
fn a_very_deep_tree_in_any_order_is_imported() {
    let (folder, store) = store();
    let (_, _) = talked(&store, "x", "y");
    let mut file = exported(&store, &folder);
    let template = file["conversations"][0]["messages"][0].clone();
    let depth = 20_000;
    let messages: Vec<Value> = (0..depth)
        .rev()
        .map(|at| {
            let mut message = template.clone();
            message["id"] = json!(format!("m{at}"));
            message["state"] = json!(if at == depth - 1 {
                "running"
            } else {
                "complete"
            });
            message["parent"] = if at == 0 {
                Value::Null
            } else {
                json!(format!("m{}", at - 1))
            };
            message
        })
        .collect();
    file["conversations"][0]["messages"] = json!(messages);
    file["conversations"][0]["leaf"] = json!(format!("m{}", depth - 1));
    file["conversations"][0]["preset_id"] = json!("of somewhere else");
    let path = folder.file("deep.json");
    std::fs::write(&path, file.to_string()).expect("written");
    let added = store.import(&path).expect("imported");
    let loaded = store.load(&added[0].id).expect("loaded");
    let leaf = loaded.leaf.expect("a leaf");
    assert_eq!(
        store.branch(&added[0].id, &leaf).expect("a branch").len(),
        depth
    );
    assert_eq!(
        loaded.messages.last().map(|message| message.state),
        Some(MessageState::Interrupted)
    );
    assert_eq!(loaded.preset_id, None);
    let top = &loaded.messages[0].id;
    store.trash_message(&added[0].id, top).expect("trashed");
    store.restore_message(&added[0].id, top).expect("restored");
    store.trash(&added[0].id).expect("trashed");
    store.empty_trash().expect("emptied");
    assert_whole(&store);
}
