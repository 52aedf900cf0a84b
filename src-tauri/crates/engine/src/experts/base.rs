//! The model that experts are compared with.

use super::card::Card;
use super::id::shown;
use r3mes_model::config::ModelConfig;

/// A model, as far as experts are concerned.
#[derive(Debug, PartialEq)]
pub(crate) struct Base {
    /// How it is called here.
    pub name: String,
    /// Its dimensions.
    pub config: ModelConfig,
    /// Hash of its weight files, where known.
    pub hash: Option<String>,
}

/// Whether an expert that states the hash of its base model was made for this one.
///
/// # Errors
/// What it states, and what this model is.
pub(super) fn same_base(card: &Card, base: &Base) -> Result<(), (String, String)> {
    let stated = card.base_model.as_ref().and_then(|base| base.hash.as_ref());
    match (stated, &base.hash) {
        (Some(stated), Some(found)) if stated != found => Err((
            format!(
                "an adapter made for the model with hash `{}`",
                shown(stated)
            ),
            format!("one for `{}`, whose hash is `{found}`", base.name),
        )),
        _ => Ok(()),
    }
}
