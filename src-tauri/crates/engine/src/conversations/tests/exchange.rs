//! Export, and import of what was exported.

use super::*;
use crate::api::conversation::{ExportFormat, Preset, SamplingOverrides};
use serde_json::{Value, json};

/// A store with siblings, a preset, odd texts and every state.
pub(super) fn rich() -> (Folder, Conversations, String) {
    let (folder, store) = store();
    let (id, first) = talked(&store, "Bir soru?", "Bir *cevap*.");
    let preset = store
        .save_preset(&Preset {
            id: String::new(),
            name: "Kısa".into(),
            system_prompt: "Kısa yaz.".into(),
            sampling: SamplingOverrides {
                temperature: Some(0.1),
                seed: Some(u64::MAX),
                ..SamplingOverrides::default()
            },
        })
        .expect("saved");
    store
        .save_parameters(
            &id,
            &preset.system_prompt,
            Some(&preset.id),
            &preset.sampling,
        )
        .expect("saved");
    let second = talk(
        &store,
        &id,
        Some(&first.answer.id),
        "İkinci \u{0}\"soru\"\n",
        "İkinci cevap 👍",
    );
    let again = store
        .answer_again(&id, &second.question.id, "other")
        .expect("stored");
    let end = AnswerEnd {
        state: MessageState::Cancelled,
        finish_reason: Some(FinishReason::Cancelled),
        ..whole("Yarım")
    };
    store.finish_answer(&again.id, &end).expect("finished");
    store.show_branch(&id, &second.answer.id).expect("shown");
    store.save_draft(&id, "taslak").expect("saved");
    store.set_pinned(&id, true).expect("pinned");
    let (other, _) = talked(&store, "Başka", "şey");
    let (gone, _) = talked(&store, "çöp", "çöp");
    store.trash(&gone).expect("trashed");
    store.rename(&other, "Adlı").expect("renamed");
    (folder, store, id)
}

pub(super) fn exported(store: &Conversations, folder: &Folder) -> Value {
    let path = folder.file("all.json");
    store.export_everything(&path).expect("exported");
    let mut value: Value =
        serde_json::from_slice(&std::fs::read(path).expect("written")).expect("JSON");
    assert_eq!(
        (&value["format"], &value["version"]),
        (&json!("r3mes-conversations"), &json!(1))
    );
    value["exported_at"] = json!(0);
    value
}

#[test]
fn what_was_exported_and_imported_is_exported_alike() {
    let (folder, store, _) = rich();
    let first = exported(&store, &folder);
    assert_eq!(first["conversations"].as_array().map(Vec::len), Some(2));
    let (other_folder, other) = super::store();
    let added = other.import(&folder.file("all.json")).expect("imported");
    assert_eq!(
        added,
        other
            .list()
            .map(|mut list| {
                list.sort_by_key(|summary| summary.created_at);
                list
            })
            .expect("a list")
    );
    assert_eq!(exported(&other, &other_folder), first);
    assert_eq!(other.search("ikinci").expect("searched").len(), 2);
    assert_whole(&other);
}

#[test]
fn an_import_beside_what_is_there_takes_new_ids() {
    let (folder, store, id) = rich();
    exported(&store, &folder);
    let before = store.list().expect("a list").len();
    let added = store.import(&folder.file("all.json")).expect("imported");
    assert_eq!(store.list().expect("a list").len(), before + added.len());
    assert_eq!(
        store.presets().expect("presets").len(),
        1,
        "an equal preset is used"
    );
    let [original, copy] = [&id, &added[0].id].map(|id| store.load(id).expect("loaded"));
    assert_ne!(original.summary.id, copy.summary.id);
    assert_eq!(contents(&original.messages), contents(&copy.messages));
    assert_eq!(original.preset_id, copy.preset_id);
    let at = |conversation: &crate::api::conversation::Conversation| {
        conversation
            .messages
            .iter()
            .position(|message| Some(&message.id) == conversation.leaf.as_ref())
    };
    assert_eq!(at(&original), at(&copy));
    assert_whole(&store);
}

#[test]
fn markdown_shows_the_branch() {
    let (folder, store, id) = rich();
    let path = folder.file("a.md");
    store
        .export(&id, ExportFormat::Markdown, &path)
        .expect("exported");
    let text = std::fs::read_to_string(&path).expect("written");
    assert_eq!(
        text,
        "# Bir soru?\n\n2026-11-27 00:00 UTC\n\n## System prompt\n\n> Kısa yaz.\n\n## You\n\nBir soru?\n\n## Assistant (tiny)\n\n\
         Bir *cevap*.\n\n## You\n\nİkinci \0\"soru\"\n\n## Assistant (tiny)\n\nİkinci cevap 👍\n"
    );
}

#[test]
fn each_line_of_jsonl_is_a_question_and_its_whole_answer() {
    let (folder, store, id) = rich();
    let path = folder.file("a.jsonl");
    store
        .export(&id, ExportFormat::Jsonl, &path)
        .expect("exported");
    let text = std::fs::read_to_string(&path).expect("written");
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(
        (&lines[0]["prompt"], &lines[0]["response"]),
        (&json!("Bir soru?"), &json!("Bir *cevap*."))
    );
    assert_eq!(lines[0]["system"], json!("Kısa yaz."));
    assert_eq!(lines[0]["history"], json!([]));
    assert_eq!(
        lines[1]["history"],
        json!([{"role": "user", "content": "Bir soru?"}, {"role": "assistant", "content": "Bir *cevap*."}])
    );
    let leaf = store
        .load(&id)
        .expect("loaded")
        .messages
        .pop()
        .expect("the stopped answer");
    store.show_branch(&id, &leaf.id).expect("shown");
    store
        .export(&id, ExportFormat::Jsonl, &path)
        .expect("exported");
    assert_eq!(
        std::fs::read_to_string(&path)
            .expect("written")
            .lines()
            .count(),
        1,
        "a stopped answer teaches nothing"
    );
}

#[test]
fn one_conversation_is_exported_with_its_preset() {
    let (folder, store, id) = rich();
    let path = folder.file("one.json");
    store
        .export(&id, ExportFormat::Json, &path)
        .expect("exported");
    let (_other_folder, other) = super::store();
    let added = other.import(&path).expect("imported");
    assert_eq!(
        other.load(&added[0].id).expect("loaded"),
        store.load(&id).expect("loaded")
    );
    let empty = store.create().expect("created").id;
    for format in [
        ExportFormat::Markdown,
        ExportFormat::Json,
        ExportFormat::Jsonl,
    ] {
        store
            .export(&empty, format, &path)
            .expect("an empty conversation can be exported");
        assert_unknown(store.export("nobody", format, &path));
    }
}

#[test]
fn the_store_itself_is_not_written_over() {
    let (folder, store, id) = rich();
    let before = exported(&store, &folder);
    let around = folder.file("..").join("Şükrü Öğüt").join("r3mes.sqlite");
    for path in [
        folder.file("r3mes.sqlite"),
        folder.file("r3mes.sqlite-wal"),
        around,
    ] {
        for format in [ExportFormat::Markdown, ExportFormat::Json] {
            assert_refused(store.export(&id, format, &path), "expected another file");
        }
        assert_refused(store.export_everything(&path), "expected another file");
        assert_refused(store.backup(&path), "expected another file");
    }
    assert_eq!(exported(&store, &folder), before);
}
