//! `config.json` of an embedder: which kind it is, and its dimensions within bounds.

mod sentence;

use serde::Deserialize;
use serde_json::Value;

use super::EmbeddingError;
use super::files::Files;

const NAME: &str = "config.json";
/// Largest of the small JSON files read, in bytes.
const MOST_BYTES: u64 = 16 << 20;
/// The widest row accepted; published embedders reach 4096.
const MOST_DIMENSION: usize = 1 << 14;
/// The most tokens of a text accepted: published embedders reach 32768.
const MOST_TOKENS: usize = 1 << 16;
/// The most layers accepted; published embedders reach 24.
const MOST_LAYERS: usize = 256;
/// The widest feed-forward part accepted.
const MOST_INTERMEDIATE: usize = 1 << 16;
/// The most rows of a table accepted: eight times the largest published vocabulary.
const MOST_VOCABULARY: usize = 1 << 21;
/// Characters of a name that are kept.
const MOST_NAME_CHARS: usize = 96;

/// What `config.json` says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Settings {
    Static(StaticSettings),
    Bert(BertSettings),
}

/// Of a static embedder.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct StaticSettings {
    pub(super) dimension: usize,
    pub(super) max_tokens: usize,
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
}

/// Of a BERT encoder. `hidden` is a multiple of `heads`, `max_tokens` at most `positions`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct BertSettings {
    pub(super) hidden: usize,
    pub(super) layers: usize,
    pub(super) heads: usize,
    pub(super) intermediate: usize,
    pub(super) vocabulary: usize,
    pub(super) positions: usize,
    pub(super) types: usize,
    pub(super) eps: f32,
    pub(super) max_tokens: usize,
}

/// Fields as transformers' `BertConfig` names them, with its defaults.
#[derive(Deserialize)]
struct BertFile {
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    vocab_size: usize,
    max_position_embeddings: usize,
    #[serde(default = "two")]
    type_vocab_size: usize,
    #[serde(default = "tiny")]
    layer_norm_eps: f32,
    hidden_act: Option<String>,
    position_embedding_type: Option<String>,
    #[serde(default)]
    is_decoder: bool,
}

fn two() -> usize {
    2
}

fn tiny() -> f32 {
    1e-12
}

#[derive(Deserialize)]
struct StaticFile {
    dimension: usize,
    max_tokens: usize,
    name: Option<String>,
    version: Option<String>,
}

impl Settings {
    /// Reads and checks `config.json`.
    ///
    /// # Errors
    /// If it is missing or malformed, of a kind this build does not read, or a dimension is out of range.
    pub(super) fn read(files: &Files<'_>) -> Result<Settings, EmbeddingError> {
        let value: Value = json(files, NAME)?.ok_or_else(|| EmbeddingError::Missing {
            place: files.place(NAME),
            expected: super::files::EXPECTED,
        })?;
        let place = files.place(NAME);
        match value["model_type"].as_str() {
            Some("r3mes_static") => StaticSettings::read(value, place).map(Settings::Static),
            Some("bert") => BertSettings::read(files, value, place).map(Settings::Bert),
            _ => Err(EmbeddingError::malformed(
                place,
                "`model_type`",
                value["model_type"].to_string(),
                "`r3mes_static` or `bert`",
            )),
        }
    }
}

impl StaticSettings {
    fn read(value: Value, place: String) -> Result<StaticSettings, EmbeddingError> {
        let file: StaticFile = parsed(value, &place)?;
        within(&place, "`dimension`", file.dimension, MOST_DIMENSION)?;
        within(&place, "`max_tokens`", file.max_tokens, MOST_TOKENS)?;
        Ok(StaticSettings {
            dimension: file.dimension,
            max_tokens: file.max_tokens,
            name: file.name.map(plain),
            version: file.version.map(plain),
        })
    }
}

impl BertSettings {
    fn read(
        files: &Files<'_>,
        value: Value,
        place: String,
    ) -> Result<BertSettings, EmbeddingError> {
        let file: BertFile = parsed(value, &place)?;
        for (field, found, most) in [
            ("`hidden_size`", file.hidden_size, MOST_DIMENSION),
            ("`num_hidden_layers`", file.num_hidden_layers, MOST_LAYERS),
            (
                "`num_attention_heads`",
                file.num_attention_heads,
                MOST_DIMENSION,
            ),
            (
                "`intermediate_size`",
                file.intermediate_size,
                MOST_INTERMEDIATE,
            ),
            ("`vocab_size`", file.vocab_size, MOST_VOCABULARY),
            (
                "`max_position_embeddings`",
                file.max_position_embeddings,
                MOST_TOKENS,
            ),
            ("`type_vocab_size`", file.type_vocab_size, MOST_TOKENS),
        ] {
            within(&place, field, found, most)?;
        }
        let refuse = |field: &str, found: String, expected: &str| {
            Err(EmbeddingError::malformed(&place, field, found, expected))
        };
        if !file.hidden_size.is_multiple_of(file.num_attention_heads) {
            let expected = format!("a divisor of the hidden size {}", file.hidden_size);
            let found = file.num_attention_heads.to_string();
            return refuse("`num_attention_heads`", found, &expected);
        }
        if !(file.layer_norm_eps.is_finite() && file.layer_norm_eps > 0.0) {
            let found = file.layer_norm_eps.to_string();
            return refuse("`layer_norm_eps`", found, "a positive number");
        }
        if let Some(activation) = file.hidden_act.filter(|name| name != "gelu") {
            return refuse("`hidden_act`", format!("`{activation}`"), "`gelu`");
        }
        if let Some(kind) = file
            .position_embedding_type
            .filter(|name| name != "absolute")
        {
            return refuse(
                "`position_embedding_type`",
                format!("`{kind}`"),
                "`absolute`",
            );
        }
        if file.is_decoder {
            return refuse("`is_decoder`", "true".into(), "an encoder");
        }
        sentence::check(files)?;
        Ok(BertSettings {
            hidden: file.hidden_size,
            layers: file.num_hidden_layers,
            heads: file.num_attention_heads,
            intermediate: file.intermediate_size,
            vocabulary: file.vocab_size,
            positions: file.max_position_embeddings,
            types: file.type_vocab_size,
            eps: file.layer_norm_eps,
            max_tokens: sentence::max_tokens(files)?.min(file.max_position_embeddings),
        })
    }
}

/// A JSON file of the folder, nothing when there is none.
///
/// # Errors
/// If it is too large, unreadable or not JSON.
fn json(files: &Files<'_>, name: &str) -> Result<Option<Value>, EmbeddingError> {
    let Some(bytes) = files.read(name, MOST_BYTES)? else {
        return Ok(None);
    };
    let parsed = serde_json::from_slice(&bytes).map_err(|source| EmbeddingError::Json {
        place: files.place(name),
        source,
    })?;
    Ok(Some(parsed))
}

fn parsed<T: serde::de::DeserializeOwned>(value: Value, place: &str) -> Result<T, EmbeddingError> {
    serde_json::from_value(value).map_err(|source| EmbeddingError::Json {
        place: place.to_owned(),
        source,
    })
}

fn within(place: &str, field: &str, found: usize, most: usize) -> Result<(), EmbeddingError> {
    match found == 0 || found > most {
        false => Ok(()),
        true => Err(EmbeddingError::malformed(
            place,
            field,
            found.to_string(),
            format!("1 to {most}"),
        )),
    }
}

/// A name that can be shown: one line, not endless.
fn plain(text: String) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(MOST_NAME_CHARS)
        .collect()
}
