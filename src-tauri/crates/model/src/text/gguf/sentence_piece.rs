//! `tokenizer.ggml.model` = `llama`: SentencePiece BPE, where scores order the merges and bytes stand in for
//! characters the vocabulary lacks.

use std::cmp::Reverse;

use tokenizers::Tokenizer;
use tokenizers::decoders::byte_fallback::ByteFallback;
use tokenizers::decoders::fuse::Fuse;
use tokenizers::decoders::strip::Strip;
use tokenizers::models::bpe::{BPE, Merges};
use tokenizers::normalizers::{NormalizerWrapper, Prepend, Replace};

use super::{Metadata, TextError, Tokens, library};

/// Longest token whose splits are looked at, in bytes: SentencePiece's own `max_sentencepiece_length` is 16 characters.
const LONGEST: usize = 512;

pub(super) fn build(fields: &Metadata, tokens: &Tokens<'_>) -> Result<Tokenizer, TextError> {
    const PLACE: &str = "`tokenizer.ggml.tokens`";
    let scores = fields.floats("tokenizer.ggml.scores")?.unwrap_or(&[]);
    if scores.len() != tokens.list.len() {
        return Err(TextError::tokenizer(
            "`tokenizer.ggml.scores`",
            format!("{} scores", scores.len()),
            format!("one for each of {} tokens", tokens.list.len()),
        ));
    }
    let mut builder = BPE::builder()
        .vocab_and_merges(tokens.ids.clone(), merges(tokens, scores))
        .byte_fallback(true)
        .fuse_unk(true);
    if let Some(unknown) = tokens.special(fields, "tokenizer.ggml.unknown_token_id")? {
        builder = builder.unk_token(tokens.list[unknown as usize].clone());
    }
    let model = builder
        .build()
        .map_err(|error| library(PLACE.to_owned(), error))?;
    let mut tokenizer = Tokenizer::new(model);
    let failed = |error| library(PLACE.to_owned(), error);
    let mut steps: Vec<NormalizerWrapper> = Vec::new();
    let prefixed = fields
        .boolean("tokenizer.ggml.add_space_prefix")?
        .unwrap_or(true);
    if prefixed {
        steps.push(Prepend::new("▁".to_owned()).into());
    }
    steps.push(Replace::new(" ", "▁").map_err(failed)?.into());
    tokenizer
        .with_normalizer(Some(tokenizers::normalizers::Sequence::new(steps)))
        .map_err(failed)?;
    let mut decoder = vec![
        Replace::new("▁", " ").map_err(failed)?.into(),
        ByteFallback::new().into(),
        Fuse::new().into(),
    ];
    if prefixed {
        decoder.push(Strip::new(' ', 1, 0).into());
    }
    tokenizer.with_decoder(Some(tokenizers::decoders::sequence::Sequence::new(decoder)));
    Ok(tokenizer)
}

/// Every way to make a token of two others, the best score first, as transformers' `generate_merges` orders them.
fn merges(tokens: &Tokens<'_>, scores: &[f32]) -> Merges {
    let mut found = Vec::new();
    for (id, token) in tokens.list.iter().enumerate() {
        if token.len() > LONGEST || matches!(tokens.kinds.get(id), Some(2 | 3 | 6)) {
            continue;
        }
        let mut splits: Vec<(u32, u32)> = token
            .char_indices()
            .skip(1)
            .filter_map(|(at, _)| {
                let (left, right) = token.split_at(at);
                Some((*tokens.ids.get(left)?, *tokens.ids.get(right)?))
            })
            .collect();
        splits.sort_unstable();
        found.extend(
            splits
                .into_iter()
                .map(|(left, right)| (scores[id], left, right)),
        );
    }
    let characters = |id: u32| tokens.list[id as usize].chars().count();
    found.sort_by(|a, b| {
        b.0.total_cmp(&a.0).then_with(|| {
            let lengths =
                |merge: &(f32, u32, u32)| Reverse((characters(merge.1), characters(merge.2)));
            lengths(a).cmp(&lengths(b))
        })
    });
    found
        .into_iter()
        .map(|(_, left, right)| {
            let token = |id: u32| tokens.list[id as usize].clone();
            (token(left), token(right))
        })
        .collect()
}
