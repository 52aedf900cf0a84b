//! Random models of real shapes, in the published packed layout.
//!
//! Speed and memory do not depend on what the weights say, so a model of the exact shape with random weights stands for the
//! real one in measurements, and small ones stand for it in tests. Scales are chosen so that every activation keeps a
//! magnitude near one through all layers.
//!
//! Invariants: the same shape and seed give the same bytes on every platform (integers and single IEEE operations only); no
//! more than a few MiB are in memory at any time.

mod adapter;
mod config;
mod random;
mod shape;
mod tensors;
mod tokenizer;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

pub use adapter::{SynthAdapter, write_adapter};
pub use shape::{Shape, UnknownShape};

use shape::Dimensions;

/// Why a random model could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SynthError {
    /// The system refused a file or the folder.
    #[error("cannot write `{path}`")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The folder already holds a model.
    #[error("`{path}` already exists: expected a folder without a model")]
    Exists {
        /// The file that is there.
        path: PathBuf,
    },
    /// The caller asked to stop.
    #[error("writing the model was cancelled")]
    Cancelled,
}

/// Writes a model of `shape` into the folder `out`, which is created.
///
/// `progress` is told the bytes of weights written and their total; `Break` stops and leaves no weights behind.
///
/// # Errors
/// If the folder holds a model already, a file cannot be written, or `progress` broke off.
pub fn write(
    shape: Shape,
    seed: u64,
    out: &Path,
    progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<(), SynthError> {
    let dimensions = shape.dimensions();
    let weights = out.join("model.safetensors");
    if weights.exists() {
        return Err(SynthError::Exists { path: weights });
    }
    fs::create_dir_all(out).map_err(io_error(out))?;
    write_weights(&dimensions, seed, &weights, progress)?;
    let json = |name: &str, value: serde_json::Value| {
        let path = out.join(name);
        let text = serde_json::to_vec_pretty(&value).expect("a JSON value prints");
        fs::write(&path, text).map_err(io_error(&path))
    };
    json("generation_config.json", config::generation(&dimensions))?;
    json("tokenizer.json", tokenizer::tokenizer(&dimensions))?;
    json("tokenizer_config.json", tokenizer::config(&dimensions))?;
    // Last, because a folder counts as a model once it has this file.
    json("config.json", config::model(&dimensions))
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> SynthError {
    let path = path.to_owned();
    move |source| SynthError::Io {
        path: path.clone(),
        source,
    }
}

fn write_weights(
    dimensions: &Dimensions,
    seed: u64,
    path: &Path,
    progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<(), SynthError> {
    let partial = path.with_extension("safetensors.part");
    let tensors = tensors::all(dimensions);
    let result = (|| {
        let file = File::create(&partial).map_err(io_error(&partial))?;
        let mut file = BufWriter::with_capacity(1 << 20, file);
        file.write_all(&tensors::header(&tensors))
            .map_err(io_error(&partial))?;
        let total = tensors.iter().map(tensors::Tensor::bytes).sum();
        let (mut done, mut reported) = (0u64, 0u64);
        for (index, tensor) in tensors.iter().enumerate() {
            tensor.generate(seed, index as u64, &mut |bytes| {
                file.write_all(bytes).map_err(io_error(&partial))?;
                done += bytes.len() as u64;
                if done - reported >= (16 << 20) || done == total {
                    reported = done;
                    if progress(done, total).is_break() {
                        return Err(SynthError::Cancelled);
                    }
                }
                Ok(())
            })?;
        }
        let file = file
            .into_inner()
            .map_err(|error| io_error(&partial)(error.into_error()))?;
        file.sync_all().map_err(io_error(&partial))?;
        fs::rename(&partial, path).map_err(io_error(path))
    })();
    if result.is_err() {
        // The first error is the one to tell; the partial file may not even exist.
        fs::remove_file(&partial).ok();
    }
    result
}
