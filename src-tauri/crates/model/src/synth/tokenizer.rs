//! A byte-level BPE tokenizer of the right size: 256 bytes, generated merges, special tokens at the end.
//!
//! Merges join frequent letters into pairs and pairs into triples, so that text is shortened as by a real tokenizer; every
//! merge is reachable and no two tokens are the same string.

use serde_json::{Map, Value, json};

use super::shape::Dimensions;

/// Letters that merges are made of, `Ġ` standing for the space as byte-level BPE writes it.
const LETTERS: &str = "Ġetaoinshrdlcumwfgypbvkjxqz.,-'0123456789ETAOINSHRDLCUMWFGYPBVK";
/// Splits text as Llama 3 does. Source: its published tokenizer.json.
const SPLIT: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// The 2B-4T form: role capitalised, content trimmed, end of turn; the tokenizer adds the beginning.
const CHAT_TEMPLATE: &str = "{% for message in messages %}{{ message['role'] | capitalize + ': ' + message['content'] | trim + '<|eot_id|>' }}{% endfor %}{% if add_generation_prompt %}{{ 'Assistant: ' }}{% endif %}";
const BEGIN: &str = "<|begin_of_text|>";
const END: &str = "<|end_of_text|>";

/// `tokenizer.json`.
pub(super) fn tokenizer(dimensions: &Dimensions) -> Value {
    let (vocabulary, merges) = vocabulary(dimensions.ordinary_tokens());
    let special = special_tokens(dimensions);
    let added: Vec<Value> = special
        .iter()
        .map(|(id, content)| {
            json!({
                "id": id, "content": content, "single_word": false, "lstrip": false,
                "rstrip": false, "normalized": false, "special": true,
            })
        })
        .collect();
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added,
        "normalizer": null,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": SPLIT}, "behavior": "Isolated", "invert": false},
            {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false},
        ]},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": BEGIN, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [
                {"SpecialToken": {"id": BEGIN, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": BEGIN, "type_id": 1}}, {"Sequence": {"id": "B", "type_id": 1}},
            ],
            "special_tokens": {BEGIN: {"id": BEGIN, "ids": [dimensions.bos()], "tokens": [BEGIN]}},
        },
        "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
            "ignore_merges": true, "vocab": vocabulary, "merges": merges,
        },
    })
}

/// `tokenizer_config.json`.
pub(super) fn config(dimensions: &Dimensions) -> Value {
    json!({
        "bos_token": BEGIN,
        "eos_token": END,
        "chat_template": CHAT_TEMPLATE,
        "clean_up_tokenization_spaces": true,
        "model_input_names": ["input_ids", "attention_mask"],
        "model_max_length": dimensions.context,
        "tokenizer_class": "PreTrainedTokenizerFast",
    })
}

fn special_tokens(dimensions: &Dimensions) -> Vec<(usize, String)> {
    (dimensions.bos()..dimensions.vocab)
        .map(|id| {
            let name = if id == dimensions.bos() {
                BEGIN.into()
            } else if id == dimensions.eos() {
                END.into()
            } else if id == dimensions.eot() {
                "<|eot_id|>".into()
            } else {
                format!("<|reserved_special_token_{}|>", id - dimensions.bos())
            };
            (id, name)
        })
        .collect()
}

/// The first `size` tokens: bytes, then as many pairs and triples of letters as are wanted, with their merges.
fn vocabulary(size: usize) -> (Map<String, Value>, Vec<String>) {
    let letters: Vec<char> = LETTERS.chars().collect();
    let pairs = letters
        .iter()
        .flat_map(|a| letters.iter().map(move |b| (a.to_string(), *b)));
    let triples = pairs
        .clone()
        .flat_map(|(a, b)| letters.iter().map(move |c| (format!("{a}{b}"), *c)));
    let mut vocabulary: Map<String, Value> = byte_letters()
        .into_iter()
        .enumerate()
        .map(|(id, letter)| (letter.to_string(), json!(id)))
        .collect();
    let mut merges = Vec::new();
    for (left, right) in pairs.chain(triples).take(size - vocabulary.len()) {
        vocabulary.insert(format!("{left}{right}"), json!(vocabulary.len()));
        merges.push(format!("{left} {right}"));
    }
    assert_eq!(
        vocabulary.len(),
        size,
        "letters give enough tokens for every shape"
    );
    (vocabulary, merges)
}

/// The letter that byte-level BPE writes for each byte: printable Latin-1 as it is, the rest from U+0100 on.
/// Source: `bytes_to_unicode` of GPT-2's encoder.
fn byte_letters() -> Vec<char> {
    let mut next = 256;
    (0..256u32)
        .map(|byte| {
            let code = match byte {
                0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF => byte,
                _ => {
                    next += 1;
                    next - 1
                }
            };
            char::from_u32(code).expect("below the surrogates")
        })
        .collect()
}
