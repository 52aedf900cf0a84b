//! Branches, and that no order of doings loses a message.

use super::*;
use std::collections::HashMap;

#[test]
fn a_trashed_answer_gives_way_to_its_neighbour() {
    let (_folder, store) = store();
    let (id, first) = talked(&store, "one", "1");
    let again = store
        .answer_again(&id, &first.question.id, "tiny")
        .expect("stored");
    store
        .finish_answer(&again.id, &whole("I"))
        .expect("finished");
    let below = talk(&store, &id, Some(&again.id), "two", "2");
    store.trash_message(&id, &again.id).expect("trashed");
    let loaded = store.load(&id).expect("loaded");
    assert_eq!(contents(&loaded.messages), ["one", "1"]);
    assert_eq!(loaded.leaf, Some(first.answer.id));
    assert_eq!(loaded.summary.message_count, 2);
    assert!(
        store
            .search("two")
            .expect("searched")
            .iter()
            .all(|hit| hit.message_id.is_none())
    );
    assert_unknown(store.trash_message(&id, &below.answer.id));
    store.restore_message(&id, &again.id).expect("restored");
    let loaded = store.load(&id).expect("loaded");
    assert_eq!(contents(&loaded.messages), ["one", "1", "I", "two", "2"]);
    assert_eq!(loaded.leaf, Some(below.answer.id));
    assert_whole(&store);
}

#[test]
fn a_branch_that_is_not_shown_can_go_without_notice() {
    let (_folder, store) = store();
    let (id, first) = talked(&store, "one", "1");
    let second = talk(&store, &id, None, "other", "2");
    store
        .trash_message(&id, &first.question.id)
        .expect("trashed");
    assert_eq!(
        store.load(&id).expect("loaded").leaf,
        Some(second.answer.id)
    );
    store
        .trash_message(&id, &second.question.id)
        .expect("trashed");
    let loaded = store.load(&id).expect("loaded");
    assert_eq!((loaded.leaf, loaded.messages.len()), (None, 0));
}

#[test]
fn what_was_trashed_before_stays_when_its_parent_comes_back() {
    let (_folder, store) = store();
    let (id, first) = talked(&store, "one", "1");
    let second = talk(&store, &id, Some(&first.answer.id), "two", "2");
    store
        .trash_message(&id, &second.question.id)
        .expect("trashed");
    store.trash_message(&id, &first.answer.id).expect("trashed");
    store
        .restore_message(&id, &first.answer.id)
        .expect("restored");
    assert_eq!(
        contents(&store.load(&id).expect("loaded").messages),
        ["one", "1"]
    );
    store.trash_message(&id, &first.answer.id).expect("trashed");
    store
        .restore_message(&id, &second.question.id)
        .expect("restored with what is above it");
    assert_eq!(
        contents(&store.load(&id).expect("loaded").messages),
        ["one", "1", "two", "2"]
    );
    assert_whole(&store);
}

#[test]
fn the_chosen_branch_is_shown_again() {
    let (folder, store) = store();
    let (id, first) = talked(&store, "one", "1");
    talk(&store, &id, None, "one, better", "2");
    store.show_branch(&id, &first.answer.id).expect("shown");
    drop(store);
    assert_eq!(
        folder.open().load(&id).expect("loaded").leaf,
        Some(first.answer.id)
    );
}

/// A small generator, so that a failure can be repeated by its seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

#[test]
fn no_order_of_doings_loses_a_message_or_makes_a_circle() {
    for seed in 0..12 {
        let (_folder, store) = store();
        let id = store.create().expect("created").id;
        let mut dice = Dice(seed);
        let mut all: Vec<Message> = Vec::new();
        for turn in 0..60 {
            let shown = store.load(&id).expect("loaded").messages;
            match (dice.below(10), shown.len()) {
                (0..5, _) | (_, 0) => {
                    let parent = match dice.below(shown.len() + 1) {
                        0 => None,
                        at => Some(shown[at - 1].id.as_str()),
                    };
                    let asked = talk(&store, &id, parent, &format!("soru {turn}"), "cevap");
                    all.extend([asked.question, asked.answer]);
                }
                (5..7, count) => {
                    let message = &shown[dice.below(count)];
                    store.trash_message(&id, &message.id).expect("trashed");
                }
                (7..9, _) if !all.is_empty() => {
                    let message = &all[dice.below(all.len())];
                    store.restore_message(&id, &message.id).expect("restored");
                    let shown = store.load(&id).expect("loaded").messages;
                    assert!(
                        shown.iter().any(|shown| shown.id == message.id),
                        "seed {seed}"
                    );
                }
                (_, count) => {
                    let message = &shown[dice.below(count)];
                    store.show_branch(&id, &message.id).expect("shown");
                }
            }
            let loaded = store.load(&id).expect("loaded");
            assert_reachable(&loaded.messages, &format!("seed {seed}, turn {turn}"));
            let leaf_there = loaded
                .messages
                .iter()
                .any(|message| Some(&message.id) == loaded.leaf.as_ref());
            assert_eq!(
                leaf_there,
                !loaded.messages.is_empty(),
                "seed {seed}, turn {turn}"
            );
        }
        assert_whole(&store);
        for message in &all {
            store.restore_message(&id, &message.id).expect("restored");
        }
        let back = store.load(&id).expect("loaded").messages;
        assert_eq!(back, all, "seed {seed}");
        assert_eq!(
            store.search("soru").expect("searched").len().min(50),
            50.min(1 + all.len() / 2),
            "seed {seed}"
        );
    }
}

/// Each message's parent stands before it, so every way up ends.
fn assert_reachable(messages: &[Message], place: &str) {
    let mut seen: HashMap<&str, ()> = HashMap::new();
    for message in messages {
        let parent = message.parent.as_deref();
        assert!(
            parent.is_none_or(|parent| seen.contains_key(parent)),
            "{place}"
        );
        seen.insert(&message.id, ());
    }
}
