//! The shape of a model, read from its headers without its weights.

use crate::api::ModelShape;
use crate::error::EngineError;
use std::path::Path;

/// Reads the headers of a model folder or `.gguf` file.
///
/// # Errors
/// If the model cannot be used; the message names the file and what is wrong with it.
pub(crate) fn shape_of(path: &Path) -> Result<ModelShape, EngineError> {
    Err(EngineError::Unreadable {
        path: path.to_owned(),
        reason: "no reader".into(),
    })
}
