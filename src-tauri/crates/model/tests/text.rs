//! Tokenizers and chat templates against what `tokenizers` and transformers give (`text/make.py`).

#[path = "text/gguf.rs"]
mod gguf;
#[path = "text/hostile.rs"]
mod hostile;

use std::collections::BTreeMap;
use std::path::Path;

use r3mes_model::text::{
    ChatTemplate, GenerationPrompt, Message, SpecialTokens, TemplateOrigin, Text,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Expected {
    byte_level: Vec<Case>,
    sentence_piece: Vec<Case>,
    templates: BTreeMap<String, String>,
    chats: BTreeMap<String, Vec<Message>>,
    rendered: Vec<Rendered>,
}

#[derive(Deserialize)]
struct Case {
    text: String,
    ids: Vec<u32>,
    plain: Vec<u32>,
    decoded: String,
}

#[derive(Deserialize)]
struct Rendered {
    template: String,
    chat: String,
    generation_prompt: bool,
    rendered: Option<String>,
    plain: Option<Vec<u32>>,
}

fn expected() -> Expected {
    serde_json::from_str(include_str!("text/expected.json")).expect("expected.json is ours")
}

/// A model folder with this tokenizer and these other files.
fn folder(tokenizer: &str, files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("tokenizer.json"), tokenizer).unwrap();
    for (name, content) in files {
        std::fs::write(dir.path().join(name), content).unwrap();
    }
    dir
}

const BYTE_LEVEL: &str = include_str!("text/byte_level.json");
const SENTENCE_PIECE: &str = include_str!("text/sentence_piece.json");
const NAMED: &str =
    r#"{"bos_token": "<|begin_of_text|>", "eos_token": {"content": "<|end_of_text|>"}}"#;

fn check(text: &Text, cases: &[Case]) {
    for case in cases {
        let what = &case.text;
        let ids = text.encode(what, SpecialTokens::Add).unwrap();
        assert_eq!(ids, case.ids, "{what:?}");
        let plain = text.encode(what, SpecialTokens::Omit).unwrap();
        assert_eq!(plain, case.plain, "{what:?}");
        assert_eq!(text.decode(&ids), case.decoded, "{what:?}");
    }
}

#[test]
fn byte_level_tokens_are_those_of_the_library() {
    let dir = folder(BYTE_LEVEL, &[]);
    check(&Text::load_hub(dir.path()).unwrap(), &expected().byte_level);
}

#[test]
fn sentence_piece_tokens_are_those_of_the_library() {
    let dir = folder(SENTENCE_PIECE, &[]);
    check(
        &Text::load_hub(dir.path()).unwrap(),
        &expected().sentence_piece,
    );
}

#[test]
fn conversations_are_rendered_and_refused_as_transformers_does() {
    let expected = expected();
    for case in &expected.rendered {
        let what = format!(
            "{} / {} / {}",
            case.template, case.chat, case.generation_prompt
        );
        let template = &expected.templates[&case.template];
        let dir = folder(
            BYTE_LEVEL,
            &[
                ("tokenizer_config.json", NAMED),
                ("chat_template.jinja", template),
            ],
        );
        let text = match Text::load_hub(dir.path()) {
            Ok(text) => text,
            Err(error) => {
                assert_eq!(case.rendered, None, "{what}: {error}");
                continue;
            }
        };
        let prompt = match case.generation_prompt {
            true => GenerationPrompt::Add,
            false => GenerationPrompt::Omit,
        };
        let rendered = text.render(&expected.chats[&case.chat], prompt);
        assert_eq!(
            rendered.as_ref().ok(),
            case.rendered.as_ref(),
            "{what}: {rendered:?}"
        );
        if let (Ok(rendered), Some(plain)) = (rendered, &case.plain) {
            let ids = text.encode(&rendered, SpecialTokens::Omit).unwrap();
            assert_eq!(&ids, plain, "{what}");
        }
    }
}

/// A template's source, as a named entry of a list in `tokenizer_config.json`.
fn config_with_templates(entries: &[(&str, &str)]) -> String {
    let list: Vec<_> = entries
        .iter()
        .map(|(name, template)| serde_json::json!({"name": name, "template": template}))
        .collect();
    let mut config: serde_json::Value = serde_json::from_str(NAMED).unwrap();
    config["chat_template"] = list.into();
    config.to_string()
}

#[test]
fn a_prompt_has_exactly_one_bos_whoever_writes_it() {
    let expected = expected();
    for name in ["bitnet 2b-4t", "llama 3"] {
        let config = config_with_templates(&[("default", &expected.templates[name])]);
        let dir = folder(BYTE_LEVEL, &[("tokenizer_config.json", &config)]);
        let text = Text::load_hub(dir.path()).unwrap();
        let bos = text.bos().unwrap();
        let ids = text.encode_chat(&expected.chats["system"]).unwrap();
        assert_eq!(ids[0], bos, "{name}");
        assert_eq!(ids.iter().filter(|&&id| id == bos).count(), 1, "{name}");
    }
    let template = "{{ bos_token }}{{ bos_token }}{{ messages[0].content }}";
    let dir = folder(
        BYTE_LEVEL,
        &[
            ("tokenizer_config.json", NAMED),
            ("chat_template.jinja", template),
        ],
    );
    let text = Text::load_hub(dir.path()).unwrap();
    let ids = text.encode_chat(&[Message::new("user", "x")]).unwrap();
    assert_eq!(ids.len(), 2, "{ids:?}");
}

#[test]
fn an_answer_ends_at_the_configured_ids_the_end_of_text_and_the_end_of_the_turn() {
    let expected = expected();
    let dir = folder(
        BYTE_LEVEL,
        &[
            ("tokenizer_config.json", NAMED),
            ("chat_template.jinja", &expected.templates["llama 3"]),
        ],
    );
    let text = Text::load_hub(dir.path()).unwrap();
    let id = |token: &str| text.encode(token, SpecialTokens::Omit).unwrap()[0];
    let (end_of_text, end_of_turn) = (id("<|end_of_text|>"), id("<|eot_id|>"));
    assert_eq!(
        text.stop_ids(&[end_of_text, 7]),
        [7, end_of_text, end_of_turn]
    );
    let plain = folder(BYTE_LEVEL, &[]);
    assert_eq!(Text::load_hub(plain.path()).unwrap().stop_ids(&[]), [0; 0]);
}

#[test]
fn the_template_file_goes_before_the_settings_and_the_default_before_other_names() {
    let origin = |files: &[(&str, &str)]| {
        let dir = folder(BYTE_LEVEL, files);
        let text = Text::load_hub(dir.path()).unwrap();
        let rendered = text.render(&[], GenerationPrompt::Add).unwrap();
        let origin = text.template_origin().clone();
        (
            rendered,
            origin
                .to_string()
                .replace(dir.path().to_str().unwrap(), "."),
        )
    };
    let several = config_with_templates(&[("tool_use", "tools"), ("default", "ours")]);
    for (files, rendered, place) in [
        (
            &[
                ("chat_template.jinja", "file"),
                ("tokenizer_config.json", &several),
            ][..],
            "file",
            "`./chat_template.jinja`",
        ),
        (
            &[("tokenizer_config.json", &several)],
            "ours",
            "`./tokenizer_config.json`",
        ),
        (
            &[("tokenizer_config.json", r#"{"chat_template": "one"}"#)],
            "one",
            "`./tokenizer_config.json`",
        ),
        (&[], "Assistant:", "the plain fallback"),
    ] {
        assert_eq!(origin(files), (rendered.to_owned(), place.to_owned()));
    }
}

#[test]
fn streaming_gives_the_same_text_as_decoding_at_once() {
    let expected = expected();
    for (tokenizer, cases) in [
        (BYTE_LEVEL, expected.byte_level),
        (SENTENCE_PIECE, expected.sentence_piece),
    ] {
        let dir = folder(tokenizer, &[]);
        let text = Text::load_hub(dir.path()).unwrap();
        for case in cases {
            let mut decoder = text.decoder();
            let mut streamed = String::new();
            for &id in &case.ids {
                let piece = decoder.push(id).unwrap_or_default();
                assert!(
                    !piece.contains('\u{fffd}'),
                    "{:?} in {:?}",
                    piece,
                    case.text
                );
                streamed += &piece;
            }
            assert_eq!(streamed, case.decoded);
        }
        let mut decoder = text.decoder();
        assert_eq!(decoder.push(u32::MAX), None);
    }
}

#[test]
fn a_tokenizer_larger_than_the_embedding_is_refused_with_both_numbers() {
    let dir = folder(BYTE_LEVEL, &[]);
    let text = Text::load_hub(dir.path()).unwrap();
    let rows = text.rows();
    assert!(text.check_fits(rows).is_ok() && text.check_fits(rows + 59).is_ok());
    assert_eq!(
        text.check_fits(rows - 5).unwrap_err().to_string(),
        format!(
            "tokenizer and model do not match: highest token id {} (`<|eot_id|>`), the embedding has {} rows",
            rows - 1,
            rows - 5
        ),
    );
}

#[test]
fn a_folder_without_a_tokenizer_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let error = Text::load_hub(Path::new(dir.path()))
        .unwrap_err()
        .to_string();
    assert!(error.ends_with("has no `tokenizer.json`"), "{error}");
}

#[test]
fn the_published_template_of_bitnet_2b4t_is_ours() {
    let expected = expected();
    let published = ChatTemplate::new(
        expected.templates["bitnet 2b-4t"].clone(),
        TemplateOrigin::Gguf,
    )
    .unwrap();
    for messages in expected.chats.values() {
        for prompt in [GenerationPrompt::Add, GenerationPrompt::Omit] {
            assert_eq!(
                ChatTemplate::bitnet_2b4t()
                    .render(messages, prompt)
                    .unwrap(),
                published.render(messages, prompt).unwrap()
            );
        }
    }
}
