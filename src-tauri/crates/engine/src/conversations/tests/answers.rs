//! Questions are stored before they are answered, and whatever happens then is told.

use super::*;
use crate::api::conversation::{MessageError, MessageMetrics};

#[test]
fn a_question_is_stored_with_its_running_answer() {
    let (_folder, store) = store();
    let id = store.create().expect("created").id;
    store.save_draft(&id, " Merhaba? ").expect("saved");
    let asked = store.ask(&id, None, "Merhaba?", "tiny").expect("stored");
    let loaded = store.load(&id).expect("loaded");
    assert_eq!(
        loaded.messages,
        [asked.question.clone(), asked.answer.clone()]
    );
    assert_eq!(loaded.leaf.as_deref(), Some(asked.answer.id.as_str()));
    assert_eq!(
        asked.answer.parent.as_deref(),
        Some(asked.question.id.as_str())
    );
    assert_eq!(asked.answer.state, MessageState::Running);
    assert_eq!(asked.answer.model.as_deref(), Some("tiny"));
    assert_eq!(
        (loaded.summary.title.as_str(), loaded.draft.as_str()),
        ("Merhaba?", "")
    );
    assert_eq!(loaded.summary.message_count, 2);
}

#[test]
fn another_text_in_the_composer_stays_when_a_question_is_edited() {
    let (_folder, store) = store();
    let (id, _) = talked(&store, "first", "one");
    store.save_draft(&id, "half a thought").expect("saved");
    store
        .ask(&id, None, "first, better", "tiny")
        .expect("stored");
    assert_eq!(store.load(&id).expect("loaded").draft, "half a thought");
}

#[test]
fn a_finished_answer_is_kept_with_all_that_is_known_of_it() {
    let (_folder, store) = store();
    let id = store.create().expect("created").id;
    let asked = store.ask(&id, None, "why?", "tiny").expect("stored");
    store
        .checkpoint_answer(&asked.answer.id, "beca")
        .expect("kept");
    assert_eq!(store.load(&id).expect("loaded").messages[1].content, "beca");
    let end = AnswerEnd {
        metrics: Some(MessageMetrics {
            total_time_ms: 12.5,
            completion_tokens: 3,
            ..MessageMetrics::default()
        }),
        ..whole("because")
    };
    let finished = store
        .finish_answer(&asked.answer.id, &end)
        .expect("finished");
    assert_eq!(finished.answer.metrics, end.metrics);
    assert_eq!(finished.answer.seed, Some(u64::MAX));
    assert_eq!(finished.answer.finish_reason, Some(FinishReason::Stop));
    assert_eq!(
        store.load(&id).expect("loaded").messages[1],
        finished.answer
    );
    assert_eq!(finished.summary, store.summary(&id).expect("there"));
}

#[test]
fn a_late_checkpoint_does_not_touch_a_finished_answer() {
    let (_folder, store) = store();
    let (id, asked) = talked(&store, "why?", "because");
    assert_refused(
        store.checkpoint_answer(&asked.answer.id, "bec"),
        "one that has ended",
    );
    assert_refused(
        store.finish_answer(&asked.answer.id, &whole("x")),
        "one that has ended",
    );
    assert_eq!(
        store.load(&id).expect("loaded").messages[1].content,
        "because"
    );
}

#[test]
fn a_failed_answer_keeps_its_error_and_is_not_told_to_the_model() {
    let (_folder, store) = store();
    let id = store.create().expect("created").id;
    let asked = store.ask(&id, None, "why?", "tiny").expect("stored");
    let end = AnswerEnd {
        state: MessageState::Failed,
        finish_reason: None,
        error: Some(MessageError {
            code: "failed".into(),
            message: "needs 3.1 GB\nhint: less".into(),
        }),
        ..whole("half")
    };
    let answer = store
        .finish_answer(&asked.answer.id, &end)
        .expect("finished")
        .answer;
    assert_eq!(answer.error, end.error);
    let branch = store.branch(&id, &answer.id).expect("a branch");
    assert_eq!(contents(&branch), ["why?"]);
}

#[test]
fn the_model_is_told_what_was_said_on_the_branch() {
    let (_folder, store) = store();
    let (id, first) = talked(&store, "one", "1");
    let stopped = store
        .ask(&id, Some(&first.answer.id), "two", "tiny")
        .expect("stored");
    let end = AnswerEnd {
        state: MessageState::Cancelled,
        finish_reason: Some(FinishReason::Cancelled),
        ..whole("2 an")
    };
    store
        .finish_answer(&stopped.answer.id, &end)
        .expect("finished");
    let empty = store
        .ask(&id, Some(&stopped.answer.id), "three", "tiny")
        .expect("stored");
    let end = AnswerEnd {
        state: MessageState::Cancelled,
        ..whole("  ")
    };
    store
        .finish_answer(&empty.answer.id, &end)
        .expect("finished");
    let running = store
        .ask(&id, Some(&empty.answer.id), "four", "tiny")
        .expect("stored");
    store
        .checkpoint_answer(&running.answer.id, "so far")
        .expect("kept");
    talk(&store, &id, Some(&first.answer.id), "another two", "II");
    let branch = store.branch(&id, &running.answer.id).expect("a branch");
    assert_eq!(
        contents(&branch),
        ["one", "1", "two", "2 an", "three", "four"]
    );
}

#[test]
fn an_answer_made_again_is_a_sibling() {
    let (_folder, store) = store();
    let (id, asked) = talked(&store, "why?", "because");
    let again = store
        .answer_again(&id, &asked.question.id, "other")
        .expect("stored");
    assert_eq!(again.parent.as_deref(), Some(asked.question.id.as_str()));
    assert_eq!(
        store.load(&id).expect("loaded").leaf,
        Some(again.id.clone())
    );
    assert_eq!(
        contents(&store.branch(&id, &again.id).expect("a branch")),
        ["why?"]
    );
    assert_refused(
        store.answer_again(&id, &asked.answer.id, "x"),
        "expected a question",
    );
}

#[test]
fn running_answers_are_interrupted_after_a_crash_and_keep_their_text() {
    let (folder, store) = store();
    let id = store.create().expect("created").id;
    let asked = store.ask(&id, None, "why?", "tiny").expect("stored");
    store
        .checkpoint_answer(&asked.answer.id, "because the gökyüzü")
        .expect("kept");
    drop(store);
    let store = folder.open();
    let answer = store.load(&id).expect("loaded").messages.remove(1);
    assert_eq!(
        (answer.content.as_str(), answer.state),
        ("because the gökyüzü", MessageState::Interrupted)
    );
    assert_eq!(store.search("gokyuzu").expect("found").len(), 1);
    assert_eq!(
        contents(&store.branch(&id, &answer.id).expect("a branch")).len(),
        2
    );
}

#[test]
fn what_cannot_be_right_is_refused() {
    let (_folder, store) = store();
    let (id, asked) = talked(&store, "why?", "because");
    let (other, _) = talked(&store, "else", "where");
    assert_refused(
        store.ask(&id, None, " \n", "tiny"),
        "question: nothing, expected a text",
    );
    assert_unknown(store.ask("nobody", None, "x", "tiny"));
    assert_unknown(store.ask(&id, Some("nobody"), "x", "tiny"));
    assert_unknown(store.ask(&other, Some(&asked.answer.id), "x", "tiny"));
    assert_unknown(store.branch(&other, &asked.answer.id));
    assert_unknown(store.show_branch(&other, &asked.answer.id));
    assert_unknown(store.checkpoint_answer("nobody\n", "x"));
    assert_unknown(store.checkpoint_answer(&asked.question.id, "x"));
    assert_unknown(store.finish_answer("nobody", &whole("x")));
    let running = store.ask(&id, None, "x", "tiny").expect("stored").answer;
    let end = AnswerEnd {
        state: MessageState::Running,
        ..whole("x")
    };
    assert_refused(
        store.finish_answer(&running.id, &end),
        "how the answer ended",
    );
    assert_whole(&store);
}

#[test]
fn any_text_is_kept_as_it_was() {
    let (_folder, store) = store();
    let text = "a\0b \u{feff}\r\n\u{202e}rtl 👩‍👩‍👧 '); DROP TABLE messages;--";
    let (id, _) = talked(&store, text, text);
    assert_eq!(
        contents(&store.load(&id).expect("loaded").messages),
        [text, text]
    );
}
