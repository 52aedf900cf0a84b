//! Tokenisation and chat rendering, token for token and character for character.

use r3mes_model::text::{GenerationPrompt, Message, SpecialTokens};
use serde::Deserialize;

use crate::case::{Case, data, read_json};

#[derive(Deserialize)]
struct Expected {
    texts: Vec<Encoded>,
    chats: Vec<Chat>,
}

#[derive(Deserialize)]
struct Encoded {
    text: String,
    /// With the special tokens that the tokenizer adds.
    ids: Vec<u32>,
    plain: Vec<u32>,
    decoded: String,
}

#[derive(Deserialize)]
struct Chat {
    messages: Vec<Message>,
    rendered: String,
    ids: Vec<u32>,
}

/// Calls `check` for every layout that has a table.
fn tables(least: usize, check: impl Fn(&Case, Expected)) {
    let names: Vec<&str> = crate::LAYOUTS
        .iter()
        .copied()
        .filter(|name| data().join(name).join("text.json").exists())
        .collect();
    assert!(names.len() >= least, "tables: {names:?}");
    for name in names {
        check(
            &Case::open(name),
            read_json(&data().join(name).join("text.json")),
        );
    }
}

#[test]
fn texts_become_the_published_tokens() {
    tables(6, |case, expected| {
        let text = case.text();
        for Encoded {
            text: input,
            ids,
            plain,
            ..
        } in expected.texts
        {
            let found = text
                .encode(&input, SpecialTokens::Add)
                .expect("an encodable text");
            assert_eq!(found, ids, "{}: {input:?}", case.name);
            let found = text
                .encode(&input, SpecialTokens::Omit)
                .expect("an encodable text");
            assert_eq!(found, plain, "{}: {input:?}", case.name);
        }
    });
}

#[test]
fn tokens_become_the_published_text() {
    tables(6, |case, expected| {
        let text = case.text();
        for Encoded { ids, decoded, .. } in expected.texts {
            assert_eq!(text.decode(&ids), decoded, "{}: {ids:?}", case.name);
        }
    });
}

#[test]
fn conversations_are_rendered_and_encoded_as_published() {
    tables(6, |case, expected| {
        let text = case.text();
        for Chat {
            messages,
            rendered,
            ids,
        } in expected.chats
        {
            let found = text
                .render(&messages, GenerationPrompt::Add)
                .expect("a rendered conversation");
            assert_eq!(found, rendered, "{}", case.name);
            assert_eq!(
                text.encode_chat(&messages).expect("a prompt"),
                ids,
                "{}: {rendered:?}",
                case.name
            );
        }
    });
}
