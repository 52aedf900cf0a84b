//! The list, the trash and the presets.

use super::*;
use crate::api::conversation::{Preset, SamplingOverrides};

fn ids(
    list: Result<Vec<crate::api::conversation::ConversationSummary>, EngineError>,
) -> Vec<String> {
    list.expect("a list")
        .into_iter()
        .map(|summary| summary.id)
        .collect()
}

#[test]
fn pinned_ones_come_first_then_the_newest() {
    let (_folder, store) = store();
    let (a, first) = talked(&store, "a", "a");
    let (b, _) = talked(&store, "b", "b");
    let (c, _) = talked(&store, "c", "c");
    store.set_pinned(&b, true).expect("pinned");
    talk(&store, &a, Some(&first.answer.id), "again", "a");
    assert_eq!(ids(store.list()), [&b, &a, &c].map(String::clone));
    store.set_pinned(&b, false).expect("unpinned");
    assert_eq!(ids(store.list()), [a, c, b]);
}

#[test]
fn a_title_is_typed_or_made_from_the_first_question() {
    let (_folder, store) = store();
    let (id, _) = talked(&store, "**Işık** nedir?", "ışık");
    let title = || store.summary(&id).expect("there").title;
    assert_eq!(title(), "Işık nedir?");
    store.rename(&id, "  Fizik\n notları ").expect("renamed");
    assert_eq!(title(), "Fizik notları");
    talk(&store, &id, None, "another first question", "x");
    assert_eq!(title(), "Fizik notları");
    store.rename(&id, " \t").expect("renamed");
    assert_eq!(title(), "Işık nedir?");
    let empty = store.create().expect("created").id;
    store.rename(&empty, "").expect("renamed");
    assert_eq!(store.summary(&empty).expect("there").title, "");
}

#[test]
fn parameters_and_presets_are_kept() {
    let (folder, store) = store();
    let id = store.create().expect("created").id;
    let sampling = SamplingOverrides {
        temperature: Some(0.7),
        top_k: Some(40),
        seed: Some(u64::MAX),
        ..SamplingOverrides::default()
    };
    let preset = Preset {
        id: String::new(),
        name: " Kısa ".into(),
        system_prompt: "Kısa yaz.".into(),
        sampling: sampling.clone(),
    };
    let mut preset = store.save_preset(&preset).expect("saved");
    assert_eq!(preset.name, "Kısa");
    store
        .save_parameters(&id, "Be brief.", Some(&preset.id), &sampling)
        .expect("saved");
    store.save_draft(&id, "yarım").expect("saved");
    preset.name = "Uzun".into();
    store.save_preset(&preset).expect("saved");
    drop(store);
    let store = folder.open();
    let loaded = store.load(&id).expect("loaded");
    assert_eq!(loaded.sampling, sampling);
    assert_eq!(
        (loaded.system_prompt.as_str(), loaded.draft.as_str()),
        ("Be brief.", "yarım")
    );
    assert_eq!(loaded.preset_id.as_ref(), Some(&preset.id));
    assert_eq!(store.presets().expect("presets"), [preset.clone()]);
    store.delete_preset(&preset.id).expect("deleted");
    let loaded = store.load(&id).expect("loaded");
    assert_eq!(
        (loaded.preset_id, loaded.system_prompt.as_str()),
        (None, "Be brief.")
    );
    assert_unknown(store.delete_preset(&preset.id));
    assert_unknown(store.save_preset(&preset));
    assert_unknown(store.save_parameters(&id, "", Some("nobody"), &sampling));
    assert_refused(
        store.save_preset(&Preset {
            id: String::new(),
            name: " ".into(),
            ..preset
        }),
        "a name",
    );
}

#[test]
fn a_trashed_conversation_comes_back_whole() {
    let (_folder, store) = store();
    let (id, _) = talked(&store, "elma nedir", "armut değil");
    let before = store.load(&id).expect("loaded");
    store.trash(&id).expect("trashed");
    assert_eq!(ids(store.list()), [""; 0]);
    assert_eq!(ids(store.list_trash()), std::slice::from_ref(&id));
    assert_unknown(store.load(&id));
    assert_unknown(store.trash(&id));
    assert!(store.search("elma").expect("searched").is_empty());
    store.restore(&id).expect("restored");
    assert_eq!(store.load(&id).expect("loaded"), before);
    assert_eq!(store.search("elma").expect("searched").len(), 2);
    assert_unknown(store.restore("nobody"));
    assert_whole(&store);
}

#[test]
fn an_answer_that_ends_in_the_trash_is_kept_there() {
    let (_folder, store) = store();
    let id = store.create().expect("created").id;
    let asked = store.ask(&id, None, "why?", "tiny").expect("stored");
    store.trash(&id).expect("trashed");
    store
        .finish_answer(&asked.answer.id, &whole("because"))
        .expect("finished");
    assert!(store.search("because").expect("searched").is_empty());
    store.restore(&id).expect("restored");
    assert_eq!(store.search("because").expect("searched").len(), 1);
}

#[test]
fn emptied_trash_is_gone_from_the_files() {
    let (folder, store) = store();
    let (secret, _) = talked(&store, "gizlikelime bir", "gizlikelime iki");
    let (kept, asked) = talked(&store, "açık", "gizlikelime üç");
    store.trash(&secret).expect("trashed");
    store
        .trash_message(&kept, &asked.answer.id)
        .expect("trashed");
    assert_eq!(store.empty_trash().expect("emptied"), 1);
    assert_eq!(store.empty_trash().expect("emptied"), 0);
    assert_eq!(ids(store.list_trash()), [""; 0]);
    assert_unknown(store.restore(&secret));
    assert_unknown(store.restore_message(&kept, &asked.answer.id));
    for entry in std::fs::read_dir(folder.home().path).expect("a folder") {
        let bytes = std::fs::read(entry.expect("a file").path()).expect("readable");
        let found = bytes.windows(11).any(|bytes| bytes == b"gizlikelime");
        assert!(!found, "deleted words are still on the disk");
    }
    assert_whole(&store);
}

#[test]
fn trash_goes_after_30_days() {
    let (folder, store) = store();
    let (old, _) = talked(&store, "old", "old");
    let (young, asked) = talked(&store, "young", "young");
    store.trash(&old).expect("trashed");
    store
        .trash_message(&young, &asked.answer.id)
        .expect("trashed");
    folder.pass(29 * DAY_MS);
    let (last, _) = talked(&store, "last", "last");
    store.trash(&last).expect("trashed");
    drop(store);
    let store = folder.open();
    assert_eq!(ids(store.list_trash()), [last.clone(), old]);
    folder.pass(DAY_MS);
    drop(store);
    let store = folder.open();
    assert_eq!(ids(store.list_trash()), [last]);
    assert_unknown(store.restore_message(&young, &asked.answer.id));
    assert_eq!(store.load(&young).expect("loaded").messages.len(), 1);
    assert_whole(&store);
}

#[test]
fn threads_share_a_store() {
    fn shared<T: Send + Sync>(_: &T) {}
    let (_folder, store) = store();
    shared(&store);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let store = &store;
            scope.spawn(move || {
                for _ in 0..10 {
                    let (id, _) = talked(store, &format!("soru {thread}"), "cevap");
                    store.search("soru").expect("searched");
                    store.load(&id).expect("loaded");
                }
            });
        }
    });
    assert_eq!(store.list().expect("a list").len(), 40);
    assert_whole(&store);
}
