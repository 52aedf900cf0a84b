//! The same tokenizers, described by GGUF metadata.

use r3mes_model::gguf::{Metadata, Value as Field};
use r3mes_model::text::{GenerationPrompt, Message, SpecialTokens, Text};
use serde_json::Value;

use super::{BYTE_LEVEL, SENTENCE_PIECE, check, expected};

/// Metadata as the converters write it for a `tokenizer.json`.
fn fields(model: &str, tokenizer: &str, control: &[&str], extra: &[(&str, Field)]) -> Metadata {
    let tokenizer: Value = serde_json::from_str(tokenizer).unwrap();
    let added = tokenizer["added_tokens"].as_array().unwrap();
    let added = added.iter().map(|token| {
        (
            token["content"].as_str().unwrap(),
            token["id"].as_u64().unwrap(),
        )
    });
    let vocab = tokenizer["model"]["vocab"].as_object().unwrap();
    let vocab = vocab
        .iter()
        .map(|(token, id)| (token.as_str(), id.as_u64().unwrap()));
    let mut tokens: Vec<(u64, &str)> = vocab.chain(added).map(|(token, id)| (id, token)).collect();
    tokens.sort_unstable();
    tokens.dedup();
    let kind = |token: &str| match token {
        "<unk>" => 2,
        _ if control.contains(&token) => 3,
        _ if token.starts_with("<0x") => 6,
        _ => 1,
    };
    let kinds = tokens.iter().map(|(_, token)| kind(token)).collect();
    let merges = tokenizer["model"]["merges"].as_array().unwrap().iter();
    let merges = merges
        .map(|pair| {
            format!(
                "{} {}",
                pair[0].as_str().unwrap(),
                pair[1].as_str().unwrap()
            )
        })
        .collect();
    let scores = tokens.iter().map(|(id, _)| -(*id as f32)).collect();
    let list = tokens.iter().map(|(_, token)| token.to_string()).collect();
    let mut entries = vec![
        ("tokenizer.ggml.model", Field::String(model.to_owned())),
        ("tokenizer.ggml.tokens", Field::Strings(list)),
        ("tokenizer.ggml.token_type", Field::Integers(kinds)),
    ];
    entries.push(match model {
        "llama" => ("tokenizer.ggml.scores", Field::Floats(scores)),
        _ => ("tokenizer.ggml.merges", Field::Strings(merges)),
    });
    entries.extend_from_slice(extra);
    entries
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

const CONTROL: [&str; 5] = [
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
];
/// Ids of the first and second control token of the byte-level vocabulary.
const BOS: i128 = 400;
const EOS: i128 = 401;

/// The byte-level vocabulary, with these entries besides.
fn byte_level(extra: &[(&str, Field)]) -> Metadata {
    let mut entries = vec![
        ("tokenizer.ggml.bos_token_id", Field::Integer(BOS)),
        ("tokenizer.ggml.eos_token_id", Field::Integer(EOS)),
    ];
    entries.extend_from_slice(extra);
    fields("gpt2", BYTE_LEVEL, &CONTROL, &entries)
}

fn string(text: &str) -> Field {
    Field::String(text.to_owned())
}

#[test]
fn byte_level_tokens_are_those_of_the_library_with_and_without_the_splitters_name() {
    for extra in [
        vec![("tokenizer.ggml.pre", string("llama-bpe"))],
        vec![("general.architecture", string("bitnet-b1.58"))],
        vec![],
    ] {
        let text = Text::from_gguf(&byte_level(&extra)).unwrap();
        check(&text, &expected().byte_level);
    }
}

#[test]
fn sentence_piece_tokens_are_those_of_the_library() {
    let extra = [
        ("tokenizer.ggml.bos_token_id", Field::Integer(1)),
        ("tokenizer.ggml.unknown_token_id", Field::Integer(0)),
    ];
    let metadata = fields("llama", SENTENCE_PIECE, &["<s>", "</s>"], &extra);
    check(
        &Text::from_gguf(&metadata).unwrap(),
        &expected().sentence_piece,
    );
}

#[test]
fn every_splitter_builds_and_loses_no_text() {
    for pre in [
        "llama3",
        "falcon3",
        "qwen2",
        "gpt-2",
        "smollm",
        "falcon",
        "default",
        "dbrx",
        "starcoder",
    ] {
        let text = Text::from_gguf(&byte_level(&[("tokenizer.ggml.pre", string(pre))])).unwrap();
        for case in expected().byte_level {
            let ids = text.encode(&case.text, SpecialTokens::Omit).unwrap();
            assert_eq!(text.decode(&ids), case.decoded, "{pre}");
        }
    }
}

#[test]
fn digits_are_grouped_as_the_splitter_says() {
    for (pre, words) in [
        ("llama-bpe", &["123", "456", "7"][..]),
        ("qwen2", &["1", "2", "3", "4", "5", "6", "7"]),
        ("gpt-2", &["1234567"]),
        ("falcon", &["123", "456", "7"]),
    ] {
        // One token for every word that a splitter could make of the number.
        let mut metadata: Vec<(String, Field)> = Vec::new();
        let mut tokens: Vec<String> = "1234567".chars().map(String::from).collect();
        let mut merges = Vec::new();
        for word in ["1234567", "456"] {
            for end in 2..=word.len() {
                if !tokens.contains(&word[..end].to_owned()) {
                    tokens.push(word[..end].to_owned());
                    merges.push(format!("{} {}", &word[..end - 1], &word[end - 1..end]));
                }
            }
        }
        metadata.push(("tokenizer.ggml.model".to_owned(), string("gpt2")));
        metadata.push(("tokenizer.ggml.pre".to_owned(), string(pre)));
        metadata.push(("tokenizer.ggml.tokens".to_owned(), Field::Strings(tokens)));
        metadata.push(("tokenizer.ggml.merges".to_owned(), Field::Strings(merges)));
        let text = Text::from_gguf(&metadata.into_iter().collect()).unwrap();
        let ids = text.encode("1234567", SpecialTokens::Omit).unwrap();
        let found: Vec<String> = ids.iter().map(|&id| text.token(id).unwrap()).collect();
        assert_eq!(found, words, "{pre}");
    }
}

#[test]
fn bitnets_placeholder_template_is_replaced_by_the_published_one() {
    let placeholder = "{% for message in messages %}{{ 'Human: ' + message['content'] + '\n\nBITNETAssistant: ' }}{% endfor %}";
    for (extra, rendered) in [
        (
            vec![("tokenizer.chat_template", string(placeholder))],
            "User: hi<|eot_id|>Assistant: ",
        ),
        (
            vec![("general.architecture", string("bitnet-b1.58"))],
            "User: hi<|eot_id|>Assistant: ",
        ),
        (
            vec![("tokenizer.chat_template", string("{{ bos_token }}own"))],
            "<|begin_of_text|>own",
        ),
        (vec![], "User: hi\n\nAssistant:"),
    ] {
        let text = Text::from_gguf(&byte_level(&extra)).unwrap();
        let turns = [Message::new("user", "hi")];
        assert_eq!(
            text.render(&turns, GenerationPrompt::Add).unwrap(),
            rendered
        );
        let ids = text.encode_chat(&turns).unwrap();
        assert_eq!(ids.iter().filter(|&&id| i128::from(id) == BOS).count(), 1);
    }
    let published = Text::from_gguf(&byte_level(&[(
        "tokenizer.chat_template",
        string(placeholder),
    )]));
    assert_eq!(published.unwrap().stop_ids(&[]), [401, 404]);
}

#[test]
fn bos_and_eos_are_added_as_the_file_says() {
    for (extra, ids) in [
        (vec![], &[400, 72][..]),
        (
            vec![("tokenizer.ggml.add_bos_token", Field::Boolean(false))],
            &[72],
        ),
        (
            vec![("tokenizer.ggml.add_eos_token", Field::Boolean(true))],
            &[400, 72, 401],
        ),
        (vec![("tokenizer.ggml.pre", string("gpt-2"))], &[72]),
    ] {
        let text = Text::from_gguf(&byte_level(&extra)).unwrap();
        let found = text.encode("i", SpecialTokens::Add).unwrap();
        assert_eq!(found, ids, "{extra:?}");
    }
}

#[test]
fn metadata_that_contradicts_itself_is_refused_by_name() {
    let strings = |list: &[&str]| Field::Strings(list.iter().map(|s| s.to_string()).collect());
    for (key, value, fragment) in [
        (
            "tokenizer.ggml.model",
            string("bert"),
            "`tokenizer.ggml.model`: `bert`, expected",
        ),
        (
            "tokenizer.ggml.model",
            Field::Integer(1),
            "`tokenizer.ggml.model`",
        ),
        (
            "tokenizer.ggml.pre",
            string("no-such"),
            "`tokenizer.ggml.pre`: `no-such`, expected",
        ),
        (
            "tokenizer.ggml.tokens",
            strings(&[]),
            "0 tokens, expected 1 to",
        ),
        (
            "tokenizer.ggml.tokens",
            strings(&["a", "b", "a"]),
            "types, expected one for each of 3",
        ),
        (
            "tokenizer.ggml.tokens",
            Field::Integers(vec![1]),
            "`tokenizer.ggml.tokens`",
        ),
        (
            "tokenizer.ggml.token_type",
            Field::Integers(vec![1; 3]),
            "3 types, expected one for each of 405",
        ),
        (
            "tokenizer.ggml.merges",
            strings(&["ab"]),
            "`ab`, expected two tokens",
        ),
        (
            "tokenizer.ggml.merges",
            strings(&["a b c"]),
            "`a b c`, expected two tokens",
        ),
        (
            "tokenizer.ggml.merges",
            strings(&["a nowhere"]),
            "`tokenizer.ggml.merges`",
        ),
        (
            "tokenizer.ggml.merges",
            strings(&["Ã Ã"]),
            "`tokenizer.ggml.merges`",
        ),
        (
            "tokenizer.ggml.bos_token_id",
            Field::Integer(405),
            "token 405, expected one of 405 tokens",
        ),
        (
            "tokenizer.ggml.eos_token_id",
            Field::Integer(-1),
            "`tokenizer.ggml.eos_token_id`",
        ),
        (
            "tokenizer.chat_template",
            string("{% if %}"),
            "line 1: syntax error",
        ),
    ] {
        let mut entries = vec![(key, value.clone())];
        if key == "tokenizer.ggml.tokens" && value == strings(&["a", "b", "a"]) {
            entries.push(("tokenizer.ggml.merges", strings(&[])));
        }
        let error = Text::from_gguf(&byte_level(&entries))
            .unwrap_err()
            .to_string();
        assert!(error.contains(fragment), "{key}: {error}");
    }
    let twice = [
        ("tokenizer.ggml.model", string("gpt2")),
        ("tokenizer.ggml.tokens", strings(&["a", "b", "a"])),
        ("tokenizer.ggml.merges", strings(&[])),
    ];
    let twice = twice
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    let error = Text::from_gguf(&twice).unwrap_err().to_string();
    assert!(
        error.contains("`a` as 0 and as 2, expected each token once"),
        "{error}"
    );
}
