//! What sentence-transformers writes beside an encoder: how long a text may be, and how its tokens become one vector.
//!
//! A plain transformers folder has none of these files; it is read as the published MiniLM is: 256 tokens, their mean.

use serde_json::Value;

use super::{MOST_TOKENS, json, within};
use crate::embedding::EmbeddingError;
use crate::embedding::files::Files;

const LENGTH: &str = "sentence_bert_config.json";
const MODULES: &str = "modules.json";
const POOLING: &str = "1_Pooling/config.json";
/// Tokens of a text that are read when nothing says otherwise: all-MiniLM-L6-v2's.
const MAX_TOKENS: usize = 256;

/// Tokens of a text that are read.
///
/// # Errors
/// If the file is malformed or its number is out of range.
pub(super) fn max_tokens(files: &Files<'_>) -> Result<usize, EmbeddingError> {
    let file = json(files, LENGTH)?.unwrap_or_default();
    let value = &file["max_seq_length"];
    if value.is_null() {
        return Ok(MAX_TOKENS);
    }
    let place = files.place(LENGTH);
    let Some(found) = value.as_u64().and_then(|found| usize::try_from(found).ok()) else {
        return Err(EmbeddingError::malformed(
            place,
            "`max_seq_length`",
            value.to_string(),
            "a number of tokens",
        ));
    };
    within(&place, "`max_seq_length`", found, MOST_TOKENS)?;
    Ok(found)
}

/// Makes sure that the model's own way from tokens to a vector is the one this build computes.
///
/// # Errors
/// If it is another, or a file is malformed.
pub(super) fn check(files: &Files<'_>) -> Result<(), EmbeddingError> {
    let modules = json(files, MODULES)?.unwrap_or_default();
    for module in modules.as_array().into_iter().flatten() {
        let kind = module["type"].as_str().unwrap_or_default();
        let last = kind.rsplit('.').next().unwrap_or_default();
        if !matches!(last, "Transformer" | "Pooling" | "Normalize") {
            return Err(EmbeddingError::malformed(
                files.place(MODULES),
                "`type`",
                module["type"].to_string(),
                "`Transformer`, `Pooling` and `Normalize` only",
            ));
        }
    }
    let pooling = json(files, POOLING)?.unwrap_or_default();
    for (field, value) in pooling.as_object().into_iter().flatten() {
        let fits = match field.as_str() {
            "pooling_mode" => value == "mean",
            "pooling_mode_mean_tokens" => *value == Value::Bool(true),
            other if other.starts_with("pooling_mode_") => *value == Value::Bool(false),
            _ => true,
        };
        if !fits {
            return Err(EmbeddingError::malformed(
                files.place(POOLING),
                format!("`{field}`"),
                value.to_string(),
                "the mean over tokens and nothing else",
            ));
        }
    }
    Ok(())
}
