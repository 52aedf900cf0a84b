//! `tokenizer.json`, the serialised pipeline of the `tokenizers` library.
//!
//! The file is parsed here and the pipeline built from its parts, instead of by the library's own reader, because
//! that one panics on a merge longer than every token, and keeps padding and truncation that a prompt must not have.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Value, json};
use tokenizers::models::bpe::{BPE, Merges, Vocab};
use tokenizers::{AddedToken, ModelWrapper, Tokenizer};

use super::TextError;
use super::around::Around;

/// Highest token id accepted: eight times the largest published vocabulary. Tables here are indexed by id.
pub(super) const HIGHEST_ID: u32 = (1 << 21) - 1;

/// How much longer normalisation may make a text: real ones replace a space by three bytes.
const MOST_GROWTH: usize = 64;

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    added_tokens: Vec<Added>,
    #[serde(default)]
    normalizer: Value,
    #[serde(default)]
    pre_tokenizer: Value,
    #[serde(default)]
    post_processor: Value,
    #[serde(default)]
    decoder: Value,
    model: ModelFile,
}

#[derive(Deserialize)]
struct Added {
    id: u32,
    #[serde(flatten)]
    token: AddedToken,
}

#[derive(Deserialize)]
struct ModelFile {
    #[serde(rename = "type")]
    kind: Option<String>,
    vocab: Vocabulary,
    #[serde(default)]
    merges: Option<Vec<Merge>>,
    dropout: Option<f32>,
    unk_token: Option<String>,
    unk_id: Option<usize>,
    continuing_subword_prefix: Option<String>,
    end_of_word_suffix: Option<String>,
    max_input_chars_per_word: Option<usize>,
    #[serde(default)]
    fuse_unk: bool,
    #[serde(default)]
    byte_fallback: bool,
    #[serde(default)]
    ignore_merges: bool,
}

/// `{"token": id}`, or `[["token", score]]` of unigram models.
enum Vocabulary {
    Ids(Vocab),
    Scores(Vec<(String, f64)>),
}

impl<'de> Deserialize<'de> for Vocabulary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Vocabulary;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a map of tokens to ids or a list of tokens and scores")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vocabulary, A::Error> {
                let mut ids = Vocab::default();
                while let Some((token, id)) = map.next_entry::<String, u32>()? {
                    if let Some(other) = ids.insert(token.clone(), id)
                        && other != id
                    {
                        return Err(A::Error::custom(format!(
                            "token `{token}` has two ids: {other} and {id}"
                        )));
                    }
                }
                Ok(Vocabulary::Ids(ids))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vocabulary, A::Error> {
                let mut scores = Vec::new();
                while let Some(entry) = seq.next_element()? {
                    scores.push(entry);
                }
                Ok(Vocabulary::Scores(scores))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// `"a b"` in older files, `["a", "b"]` in newer ones.
struct Merge(String, String);

impl<'de> Deserialize<'de> for Merge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Merge;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a merge of two tokens")
            }

            fn visit_str<E: serde::de::Error>(self, joined: &str) -> Result<Merge, E> {
                match joined.split_once(' ') {
                    Some((left, right)) if !right.contains(' ') => {
                        Ok(Merge(left.to_owned(), right.to_owned()))
                    }
                    _ => Err(E::custom(format!(
                        "merge `{joined}`, expected two tokens separated by one space"
                    ))),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Merge, A::Error> {
                let missing = |at| A::Error::invalid_length(at, &"two tokens");
                let left = seq.next_element()?.ok_or_else(|| missing(0))?;
                let right = seq.next_element()?.ok_or_else(|| missing(1))?;
                Ok(Merge(left, right))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// Builds the pipeline, and what is added around a text, from the bytes of a `tokenizer.json`; `place` names the file in errors.
pub(crate) fn read(bytes: &[u8], place: &str) -> Result<(Tokenizer, Around), TextError> {
    let file: File = serde_json::from_slice(bytes).map_err(|source| TextError::Json {
        place: place.to_owned(),
        source,
    })?;
    let growth = growth(&file.normalizer);
    if growth > MOST_GROWTH {
        return Err(TextError::tokenizer(
            format!("`{place}`, normalizer"),
            format!("steps that can make a text {growth} times as long"),
            format!("at most {MOST_GROWTH} times"),
        ));
    }
    let around = Around::read(&file.post_processor, place)?;
    let mut tokenizer = Tokenizer::new(model(file.model, place)?);
    let part = |name: &str| format!("{place}, {name}");
    tokenizer
        .with_normalizer(component::<tokenizers::NormalizerWrapper>(
            file.normalizer,
            part("normalizer"),
        )?)
        .map_err(|error| library(part("normalizer"), error))?;
    tokenizer.with_pre_tokenizer(component::<tokenizers::PreTokenizerWrapper>(
        file.pre_tokenizer,
        part("pre_tokenizer"),
    )?);
    tokenizer.with_decoder(component::<tokenizers::DecoderWrapper>(
        file.decoder,
        part("decoder"),
    )?);
    if let Some(added) = file.added_tokens.iter().find(|added| added.id > HIGHEST_ID) {
        return Err(id_too_high(place, &added.token.content, added.id));
    }
    tokenizer
        .add_tokens(file.added_tokens.into_iter().map(|added| added.token))
        .map_err(|error| library(part("added_tokens"), error))?;
    Ok((tokenizer, around))
}

fn model(file: ModelFile, place: &str) -> Result<ModelWrapper, TextError> {
    let place = format!("{place}, model");
    match (file.kind.as_deref(), file.vocab) {
        (Some("BPE") | None, Vocabulary::Ids(vocab)) => {
            let merges = file.merges.unwrap_or_default();
            let merges: Merges = merges
                .into_iter()
                .map(|Merge(left, right)| (left, right))
                .collect();
            let mut builder = BPE::builder()
                .fuse_unk(file.fuse_unk)
                .byte_fallback(file.byte_fallback)
                .ignore_merges(file.ignore_merges);
            if file.dropout.is_some_and(|dropout| dropout != 0.0) {
                return Err(TextError::tokenizer(
                    place,
                    "a dropout",
                    "none: tokenisation must be repeatable",
                ));
            }
            if let Some(unknown) = file.unk_token {
                builder = builder.unk_token(unknown);
            }
            if let Some(suffix) = file.end_of_word_suffix.filter(|suffix| !suffix.is_empty()) {
                builder = builder.end_of_word_suffix(suffix);
            }
            let prefix = file.continuing_subword_prefix.unwrap_or_default();
            check_bpe(&vocab, &merges, &prefix, &place)?;
            if !prefix.is_empty() {
                builder = builder.continuing_subword_prefix(prefix);
            }
            let model = builder
                .vocab_and_merges(vocab, merges)
                .build()
                .map_err(|error| library(place, error))?;
            Ok(model.into())
        }
        (Some("Unigram"), Vocabulary::Scores(vocab)) => {
            check_count(vocab.len(), &place)?;
            let model =
                tokenizers::models::unigram::Unigram::from(vocab, file.unk_id, file.byte_fallback)
                    .map_err(|error| library(place, error))?;
            Ok(model.into())
        }
        (Some(kind @ ("WordLevel" | "WordPiece")), Vocabulary::Ids(vocab)) => {
            check_ids(&vocab, &place)?;
            let vocab: serde_json::Map<String, Value> = vocab
                .into_iter()
                .map(|(token, id)| (token, id.into()))
                .collect();
            let value = json!({
                "type": kind,
                "vocab": vocab,
                "unk_token": file.unk_token,
                "continuing_subword_prefix": file.continuing_subword_prefix.unwrap_or_else(|| "##".to_owned()),
                "max_input_chars_per_word": file.max_input_chars_per_word.unwrap_or(100),
            });
            serde_json::from_value(value).map_err(|source| TextError::Json { place, source })
        }
        (kind, _) => Err(TextError::tokenizer(
            format!("`{place}`"),
            format!(
                "type `{}` with a vocabulary of another form",
                kind.unwrap_or("none")
            ),
            "`BPE`, `WordLevel` or `WordPiece` with a map, or `Unigram` with a list",
        )),
    }
}

/// What the library's builder indexes without checking, and the ids.
pub(super) fn check_bpe(
    vocab: &Vocab,
    merges: &Merges,
    prefix: &str,
    place: &str,
) -> Result<(), TextError> {
    check_ids(vocab, place)?;
    let longest = vocab.keys().map(String::len).max().unwrap_or(0);
    for (left, right) in merges {
        let rest = right.get(prefix.len()..);
        if rest.is_none_or(|rest| left.len() + rest.len() > longest) {
            return Err(TextError::tokenizer(
                format!("`{place}`, merges"),
                format!(
                    "`{left}` with `{right}`, which make a token that is not in the vocabulary"
                ),
                "tokens of the vocabulary",
            ));
        }
    }
    Ok(())
}

fn check_ids(vocab: &Vocab, place: &str) -> Result<(), TextError> {
    match vocab.iter().find(|&(_, &id)| id > HIGHEST_ID) {
        Some((token, &id)) => Err(id_too_high(place, token, id)),
        None => Ok(()),
    }
}

fn check_count(tokens: usize, place: &str) -> Result<(), TextError> {
    if tokens <= HIGHEST_ID as usize + 1 {
        return Ok(());
    }
    Err(TextError::tokenizer(
        format!("`{place}`"),
        format!("{tokens} tokens"),
        format!("at most {}", HIGHEST_ID + 1),
    ))
}

fn id_too_high(place: &str, token: &str, id: u32) -> TextError {
    TextError::tokenizer(
        format!("`{place}`"),
        format!("token `{token}` with id {id}"),
        format!("ids up to {HIGHEST_ID}"),
    )
}

/// A bound on how many times longer a normaliser's steps can make a text.
fn growth(normalizer: &Value) -> usize {
    let steps = normalizer["normalizers"].as_array();
    let own = match normalizer["type"].as_str() {
        Some("Replace") => {
            let content = normalizer["content"].as_str().map_or(0, str::len);
            match normalizer["pattern"]["String"].as_str().map_or(0, str::len) {
                // An expression can match between any two characters.
                0 => 1 + content,
                replaced => content.div_ceil(replaced).max(1),
            }
        }
        Some("Prepend") => {
            1 + normalizer["prepend"]
                .as_str()
                .map_or(0, |prepend| prepend.len())
        }
        _ => 1,
    };
    steps
        .into_iter()
        .flatten()
        .fold(own, |product, step| product.saturating_mul(growth(step)))
}

fn component<T: serde::de::DeserializeOwned>(
    value: Value,
    place: String,
) -> Result<Option<T>, TextError> {
    if value.is_null() {
        return Ok(None);
    }
    serde_json::from_value(value)
        .map(Some)
        .map_err(|source| TextError::Json { place, source })
}

pub(super) fn library(place: String, error: tokenizers::Error) -> TextError {
    TextError::Library {
        place,
        message: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::growth;
    use serde_json::{Value, json};

    fn replace(pattern: Value, content: &str) -> Value {
        json!({"type": "Replace", "pattern": pattern, "content": content})
    }

    #[test]
    fn a_text_grows_by_what_each_step_can_add() {
        let of = |text: &str| json!({"String": text});
        let steps = |steps: Vec<Value>| json!({"type": "Sequence", "normalizers": steps});
        for (normalizer, expected) in [
            (Value::Null, 1),
            (replace(of("ı"), "i"), 1),
            (replace(of(" "), "▁"), 3),
            (replace(of(""), "ab"), 3),
            (replace(json!({"Regex": "x*"}), "ab"), 3),
            (steps(vec![replace(of("ß"), "ss"); 40]), 1),
            (steps(vec![replace(of("a"), "aaaa"); 4]), 256),
            (json!({"type": "Prepend", "prepend": "▁"}), 4),
        ] {
            assert_eq!(growth(&normalizer), expected, "{normalizer}");
        }
    }
}
