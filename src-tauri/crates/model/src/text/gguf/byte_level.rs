//! `tokenizer.ggml.model` = `gpt2`: byte-level BPE.

use tokenizers::Tokenizer;
use tokenizers::models::bpe::{BPE, Merges};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;

use super::splitter::{self, Splitter};
use super::{Metadata, TextError, Tokens, library};
use crate::text::tokenizer_json::check_bpe;

/// The tokenizer, and whether BOS is added where the file does not say.
pub(super) fn build(
    fields: &Metadata,
    tokens: &Tokens<'_>,
) -> Result<(Tokenizer, bool), TextError> {
    const PLACE: &str = "tokenizer.ggml.merges";
    let splitter = splitter(fields, tokens)?;
    let merges = fields
        .strings(PLACE)?
        .ok_or_else(|| TextError::tokenizer(format!("`{PLACE}`"), "nothing", "a list of merges"))?
        .iter()
        .map(|merge| match merge.split_once(' ') {
            Some((left, right)) if !right.contains(' ') => Ok((left.to_owned(), right.to_owned())),
            _ => Err(TextError::tokenizer(
                format!("`{PLACE}`"),
                format!("`{merge}`"),
                "two tokens separated by one space",
            )),
        })
        .collect::<Result<Merges, TextError>>()?;
    check_bpe(&tokens.ids, &merges, "", PLACE)?;
    let model = BPE::builder()
        .vocab_and_merges(tokens.ids.clone(), merges)
        .ignore_merges(splitter.ignore_merges)
        .build()
        .map_err(|error| library(format!("`{PLACE}`"), error))?;
    let mut tokenizer = Tokenizer::new(model);
    tokenizer.with_pre_tokenizer(Some(splitter.pre_tokenizer()?));
    tokenizer.with_decoder(Some(ByteLevel::new(false, false, false)));
    Ok((tokenizer, splitter.adds_bos))
}

/// The splitter the file names. The published BitNet 2B-4T file names none: it is known by its vocabulary. Other
/// files without a name get what llama.cpp gives them.
fn splitter(fields: &Metadata, tokens: &Tokens<'_>) -> Result<Splitter, TextError> {
    const KEY: &str = "tokenizer.ggml.pre";
    let bitnet = fields.string("general.architecture")? == Some("bitnet-b1.58");
    let name = match fields.string(KEY)? {
        Some(name) => name,
        None if bitnet || tokens.is_llama3() => "llama-bpe",
        None => "default",
    };
    splitter::named(name).ok_or_else(|| {
        TextError::tokenizer(
            format!("`{KEY}`"),
            format!("`{name}`"),
            "a splitter this build knows, such as `llama-bpe`, `gpt-2`, `falcon3`, `qwen2` or `default`",
        )
    })
}
