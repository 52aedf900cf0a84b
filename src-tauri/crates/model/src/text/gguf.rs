//! The tokenizer and chat template that GGUF metadata describes.
//!
//! `gpt2` is byte-level BPE with a splitter named by `tokenizer.ggml.pre`; `llama` is SentencePiece BPE with scores
//! and byte fallback. Token types: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.
//!
//! Source: ggml `docs/gguf.md`; llama.cpp `src/llama-vocab.cpp`.

mod byte_level;
mod sentence_piece;

use tokenizers::AddedToken;
use tokenizers::models::bpe::Vocab;

use super::around::Around;
use super::settings::Named;
use super::splitter;
use super::template::{ChatTemplate, TemplateOrigin};
use super::tokenizer_json::{HIGHEST_ID, library};
use super::{Parts, Text, TextError};
use crate::gguf::Metadata;

const UNKNOWN: i64 = 2;
const CONTROL: i64 = 3;
const USER_DEFINED: i64 = 4;

/// The token list and what the file says of each token.
struct Tokens<'a> {
    list: &'a [String],
    kinds: &'a [i64],
    ids: Vocab,
}

pub(super) fn load(fields: &Metadata) -> Result<Text, TextError> {
    let model = fields.string("tokenizer.ggml.model")?.unwrap_or_default();
    let tokens = Tokens::read(fields)?;
    let (mut tokenizer, adds_bos) = match model {
        "gpt2" => byte_level::build(fields, &tokens)?,
        "llama" => (sentence_piece::build(fields, &tokens)?, true),
        other => {
            return Err(TextError::tokenizer(
                "`tokenizer.ggml.model`",
                format!("`{other}`"),
                "`gpt2` or `llama`",
            ));
        }
    };
    tokenizer
        .add_tokens(tokens.added())
        .map_err(|error| library("`tokenizer.ggml.tokens`".to_owned(), error))?;
    let special = |key: &str| tokens.special(fields, key);
    let bos = special("tokenizer.ggml.bos_token_id")?;
    let eos = special("tokenizer.ggml.eos_token_id")?;
    let eot = special("tokenizer.ggml.eot_token_id")?;
    let unknown = special("tokenizer.ggml.unknown_token_id")?;
    let pad = special("tokenizer.ggml.padding_token_id")?;
    let adds_bos = fields
        .boolean("tokenizer.ggml.add_bos_token")?
        .unwrap_or(adds_bos);
    let adds_eos = fields
        .boolean("tokenizer.ggml.add_eos_token")?
        .unwrap_or(false);
    let named: Named = [
        ("bos_token", bos),
        ("eos_token", eos),
        ("unk_token", unknown),
        ("pad_token", pad),
    ]
    .into_iter()
    .filter_map(|(name, id)| Some((name, tokens.list[id? as usize].clone())))
    .collect();
    Text::assemble(Parts {
        tokenizer,
        around: Around {
            before: bos.filter(|_| adds_bos).into_iter().collect(),
            after: eos.filter(|_| adds_eos).into_iter().collect(),
        },
        named,
        end_of_text: eos.into_iter().chain(eot).collect(),
        template: template(fields, &tokens)?,
    })
}

/// The file's own template, or the published one where BitNet 2B-4T's file carries a placeholder or nothing.
fn template(fields: &Metadata, tokens: &Tokens<'_>) -> Result<Option<ChatTemplate>, TextError> {
    let source = fields.string("tokenizer.chat_template")?;
    let bitnet = fields.string("general.architecture")? == Some("bitnet-b1.58");
    match source {
        Some(source) if ChatTemplate::is_bitnet_placeholder(source) => {
            Ok(Some(ChatTemplate::bitnet_2b4t()))
        }
        None if bitnet && tokens.is_llama3() => Ok(Some(ChatTemplate::bitnet_2b4t())),
        None => Ok(None),
        Some(source) => ChatTemplate::new(source.to_owned(), TemplateOrigin::Gguf).map(Some),
    }
}

impl<'a> Tokens<'a> {
    fn read(fields: &'a Metadata) -> Result<Tokens<'a>, TextError> {
        const KEY: &str = "`tokenizer.ggml.tokens`";
        let list = fields.strings("tokenizer.ggml.tokens")?.unwrap_or(&[]);
        if list.is_empty() || list.len() > HIGHEST_ID as usize + 1 {
            return Err(TextError::tokenizer(
                KEY,
                format!("{} tokens", list.len()),
                format!("1 to {} tokens", HIGHEST_ID + 1),
            ));
        }
        let kinds = fields.integers("tokenizer.ggml.token_type")?.unwrap_or(&[]);
        if !kinds.is_empty() && kinds.len() != list.len() {
            return Err(TextError::tokenizer(
                "`tokenizer.ggml.token_type`",
                format!("{} types", kinds.len()),
                format!("one for each of {} tokens", list.len()),
            ));
        }
        let mut ids = Vocab::default();
        for (id, token) in list.iter().enumerate() {
            if let Some(first) = ids.insert(token.clone(), id as u32) {
                return Err(TextError::tokenizer(
                    KEY,
                    format!("`{token}` as {first} and as {id}"),
                    "each token once",
                ));
            }
        }
        Ok(Tokens { list, kinds, ids })
    }

    /// Tokens found in a text before it is split; all but the user-defined ones are never shown.
    fn added(&self) -> Vec<AddedToken> {
        let kinds = self.kinds.iter().zip(self.list);
        kinds
            .filter(|(kind, _)| matches!(**kind, UNKNOWN | CONTROL | USER_DEFINED))
            .map(|(kind, token)| {
                AddedToken::from(token.as_str(), *kind != USER_DEFINED).normalized(false)
            })
            .collect()
    }

    /// The id under `key`, checked to be one of the tokens.
    fn special(&self, fields: &Metadata, key: &str) -> Result<Option<u32>, TextError> {
        match fields.id(key)? {
            Some(id) if id as usize >= self.list.len() => Err(TextError::tokenizer(
                format!("`{key}`"),
                format!("token {id}"),
                format!("one of {} tokens", self.list.len()),
            )),
            id => Ok(id),
        }
    }

    /// Whether this is the vocabulary of Llama 3, which BitNet b1.58 2B-4T shares.
    fn is_llama3(&self) -> bool {
        ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"]
            .iter()
            .all(|token| self.ids.contains_key(*token))
    }
}
