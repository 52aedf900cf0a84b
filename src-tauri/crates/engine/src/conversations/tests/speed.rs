//! What must not be felt: a long conversation opens, a large store is searched. On a quiet machine each of these takes
//! less than 10 ms; the limits let a busy one pass, and not a missing index.

use super::*;
use crate::api::Role;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_millis(100);

/// Fills a conversation without one transaction for each message.
fn fill(store: &Conversations, messages: usize) -> String {
    let words = [
        "elma",
        "armut",
        "kitap",
        "deniz",
        "güneş",
        "yağmur",
        "şehir",
        "İstanbul",
        "ışık",
        "bilgi",
        "orman",
        "köprü",
    ];
    let id = store.create().expect("created").id;
    store
        .write(|transaction| {
            let conversation = super::super::list::row_of(transaction, &id)?;
            let mut parent = None;
            for at in 0..messages {
                let text: Vec<&str> = (0..60)
                    .map(|word| words[(at * 7 + word * word + at * word) % words.len()])
                    .collect();
                let message = Message {
                    id: crate::random::uuid(),
                    parent: None,
                    role: if at % 2 == 0 {
                        Role::User
                    } else {
                        Role::Assistant
                    },
                    content: format!("{} sıra{at}", text.join(" ")),
                    created_at: BEGIN_MS + at as i64,
                    state: MessageState::Complete,
                    model: None,
                    finish_reason: None,
                    seed: None,
                    error: None,
                    metrics: None,
                };
                let row =
                    super::super::messages::insert(transaction, conversation, parent, &message)?;
                super::super::index::put_message(transaction, row, &message.content)?;
                parent = Some(row);
            }
            Ok(super::super::tree::show(transaction, conversation, parent)?)
        })
        .expect("filled");
    id
}

/// The best of several tries: other processes only ever make one slower.
fn best(mut act: impl FnMut()) -> Duration {
    let mut times = [Duration::MAX; 7];
    for time in &mut times {
        let begin = Instant::now();
        act();
        *time = begin.elapsed();
    }
    times.into_iter().min().expect("several tries")
}

#[test]
fn two_thousand_messages_open_at_once() {
    let (_folder, store) = store();
    let id = fill(&store, 2000);
    let leaf = store.load(&id).expect("loaded").leaf.expect("a leaf");
    let open = best(|| assert_eq!(store.load(&id).expect("loaded").messages.len(), 2000));
    let branch = best(|| assert_eq!(store.branch(&id, &leaf).expect("a branch").len(), 2000));
    eprintln!("load {open:?}, branch {branch:?}");
    assert!(open < LIMIT, "{open:?}");
    assert!(branch < LIMIT, "{branch:?}");
}

#[test]
fn twenty_thousand_messages_are_searched_at_once() {
    let (_folder, store) = store();
    for _ in 0..10 {
        fill(&store, 2000);
    }
    for query in ["istanbul", "sıra1234", "s", "elma armut ki", "e", "nothing"] {
        let search = best(|| drop(store.search(query).expect("searched")));
        let list = best(|| assert_eq!(store.list().expect("a list").len(), 10));
        eprintln!("{query}: {search:?}, list {list:?}");
        assert!(search < LIMIT, "{query}: {search:?}");
        assert!(list < LIMIT, "{list:?}");
    }
    // As after a crash: the whole file is looked through.
    let check = best(|| {
        let whole = store.read(|connection| {
            let path = store.path();
            Ok(super::super::open::check_whole(connection, path)?)
        });
        whole.expect("whole");
    });
    eprintln!("check {check:?}");
}
