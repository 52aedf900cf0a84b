//! `tokenizer_config.json` and `special_tokens_map.json`: what transformers keeps beside a tokenizer.
//!
//! `add_bos_token` is not read: where a `tokenizer.json` exists its post-processor alone decides which tokens are
//! added around a text (transformers 5.23 `PreTrainedTokenizerBase._from_pretrained` drops the setting).

use serde_json::{Map, Value};
use tokenizers::AddedToken;

use super::TextError;
use super::around::shortened;

/// Names under which special tokens are kept, and given to chat templates.
const NAMES: [&str; 7] = [
    "bos_token",
    "eos_token",
    "unk_token",
    "sep_token",
    "pad_token",
    "cls_token",
    "mask_token",
];

/// Special tokens by name (`bos_token`, `eos_token`, …), as chat templates see them.
pub(super) type Named = Vec<(&'static str, String)>;

/// What the settings say, tokens as written.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) named: Named,
    /// Declared id and token, by id.
    pub(super) added: Vec<(u32, AddedToken)>,
    /// `chat_template`: one template, or several by name.
    pub(super) templates: Vec<(String, String)>,
}

impl Settings {
    /// Reads the JSON of both files; `Null` for one that does not exist.
    pub(super) fn read(
        config: &Value,
        special: &Value,
        place: &str,
    ) -> Result<Settings, TextError> {
        let named = NAMES
            .into_iter()
            .filter_map(|name| {
                let content = content(&config[name]).or_else(|| content(&special[name]))?;
                Some((name, content.to_owned()))
            })
            .collect();
        let mut added = Vec::new();
        let declared = config["added_tokens_decoder"].as_object();
        for (id, token) in declared.unwrap_or(&Map::new()) {
            added.push(added_token(id, token, place)?);
        }
        added.sort_by_key(|(id, _)| *id);
        Ok(Settings {
            named,
            added,
            templates: templates(&config["chat_template"], place)?,
        })
    }
}

/// The text of a special token, given as a string or as an object with `content`.
fn content(token: &Value) -> Option<&str> {
    token.as_str().or_else(|| token["content"].as_str())
}

fn added_token(id: &str, token: &Value, place: &str) -> Result<(u32, AddedToken), TextError> {
    let wrong = || {
        TextError::tokenizer(
            format!("`{place}`, added_tokens_decoder"),
            format!("`{id}`: {}", shortened(token)),
            "an id and an object with `content`",
        )
    };
    let id: u32 = id.parse().map_err(|_| wrong())?;
    let content = token["content"].as_str().ok_or_else(wrong)?;
    let flag = |name: &str| token[name].as_bool();
    let special = flag("special").unwrap_or(false);
    Ok((
        id,
        AddedToken::from(content, special)
            .single_word(flag("single_word").unwrap_or(false))
            .lstrip(flag("lstrip").unwrap_or(false))
            .rstrip(flag("rstrip").unwrap_or(false))
            .normalized(flag("normalized").unwrap_or(!special)),
    ))
}

fn templates(value: &Value, place: &str) -> Result<Vec<(String, String)>, TextError> {
    let wrong = |found: &Value| {
        TextError::tokenizer(
            format!("`{place}`, chat_template"),
            shortened(found),
            "a string or a list of objects with `name` and `template`",
        )
    };
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(template) => Ok(vec![("default".to_owned(), template.clone())]),
        Value::Array(list) => list
            .iter()
            .map(|entry| {
                let name = entry["name"].as_str().ok_or_else(|| wrong(entry))?;
                let template = entry["template"].as_str().ok_or_else(|| wrong(entry))?;
                Ok((name.to_owned(), template.to_owned()))
            })
            .collect(),
        Value::Object(map) => map
            .iter()
            .map(|(name, template)| {
                let template = template.as_str().ok_or_else(|| wrong(template))?;
                Ok((name.clone(), template.to_owned()))
            })
            .collect(),
        other => Err(wrong(other)),
    }
}
