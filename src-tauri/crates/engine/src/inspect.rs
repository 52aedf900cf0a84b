//! The shape of a model, read from its headers without its weights.

use crate::api::ModelShape;
use crate::error::EngineError;
use crate::loaded::open_text;
use r3mes_model::inspect::{ModelSummary, inspect};
use std::path::Path;

/// Reads the headers and the tokenizer of a model folder or `.gguf` file.
///
/// # Errors
/// If the model cannot be used; the message names the file and what is wrong with it.
pub(crate) fn shape_of(path: &Path) -> Result<ModelShape, EngineError> {
    let summary = inspect(path)?;
    open_text(path)?.check_fits(summary.vocab)?;
    Ok(shape(summary))
}

fn shape(summary: ModelSummary) -> ModelShape {
    ModelShape {
        architecture: summary.family,
        layout: summary.layout,
        activation: summary.activation,
        hidden: summary.hidden,
        layers: summary.layers,
        heads: summary.heads,
        kv_heads: summary.kv_heads,
        head_dim: summary.head_dim,
        intermediate: summary.intermediate,
        vocab_size: summary.vocab,
        context_tokens: summary.context,
        tied_head: summary.tied,
        parameters: summary.parameters,
        ternary_parameters: summary.ternary_parameters,
        packed_copy_bytes: summary.packed_copy_bytes,
        licence: summary.licence,
    }
}
