//! An adapter in memory, ready to be mixed.

use std::path::Path;
use std::sync::Arc;

use r3mes_kernels::low_rank::{LowRank, LowRankPrecision, LowRankShape};
use r3mes_kernels::{AlignedBytes, Isa, Pool};

use super::base::Gains;
use super::compile::{Place, compile};
use super::config::{AdapterConfig, AdapterForm};
use super::error::{AdapterError, in_linear};
use super::file::AdapterFile;
use super::kept;
use super::linear::LinearName;
use crate::config::ModelConfig;
use crate::weights::Weights;

/// An adapter up to this size, in f32, keeps its numbers as they came.
const EXACT_BYTES: u64 = 32 << 20;

/// How the numbers of an adapter are kept in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// f32 while the adapter stays small (32 MiB), int8 with scales beyond.
    #[default]
    Auto,
    /// 4 bytes a number: what the published implementation computes.
    F32,
    /// About one byte a number.
    Int8,
}

/// What the files of an adapter say.
#[derive(Debug, Clone, PartialEq)]
pub struct AdapterInfo {
    /// How it changes a linear.
    pub form: AdapterForm,
    /// Its rank; some linears may have another.
    pub rank: usize,
    /// Its `alpha`; some linears may have another.
    pub alpha: f64,
    /// The model it was trained on, as the configuration names it.
    pub base_model: Option<String>,
    /// Linears it changes.
    pub linears: usize,
    /// Numbers in `A`, `B` and magnitudes.
    pub parameters: u64,
    /// Bytes of the tensor file.
    pub file_bytes: u64,
    /// Bytes it takes in memory.
    pub resident_bytes: u64,
}

/// An adapter in memory.
pub struct Adapter {
    name: String,
    info: AdapterInfo,
    layers: Vec<[Option<LowRank>; LinearName::ALL.len()]>,
    bytes: u64,
}

/// Reads configuration and header of the adapter in `folder` and compares them with the model; no numbers are read.
///
/// # Errors
/// If a file is missing or malformed, or a shape does not fit the model; the message names layer, found and expected.
pub fn inspect(
    folder: &Path,
    name: &str,
    model: &ModelConfig,
    precision: Precision,
) -> Result<AdapterInfo, AdapterError> {
    let config = AdapterConfig::read(folder)?;
    let file = AdapterFile::open(folder, name, &config, model)?;
    Ok(describe(&config, &file, model, precision))
}

/// As [`inspect`], and reads every number.
///
/// What only the model's weights can tell, [`load`] tells. `keep_going` is asked before every linear.
///
/// # Errors
/// As [`inspect`], and if a number is not finite or `keep_going` said no.
pub fn verify(
    folder: &Path,
    name: &str,
    model: &ModelConfig,
    precision: Precision,
    keep_going: &mut dyn FnMut() -> bool,
) -> Result<AdapterInfo, AdapterError> {
    let config = AdapterConfig::read(folder)?;
    let file = AdapterFile::open(folder, name, &config, model)?;
    for place in file.linears.keys() {
        if !keep_going() {
            return Err(AdapterError::Cancelled);
        }
        file.read(name, *place)?;
    }
    file.check_unchanged()?;
    Ok(describe(&config, &file, model, precision))
/// What loading an adapter may use.
#[derive(Clone, Copy)]
pub struct AdapterOptions<'a> {
    /// Instruction set of the kernels.
    pub isa: Isa,
    /// Threads.
    pub pool: &'a Pool,
    /// How numbers are kept.
    pub precision: Precision,
    /// Where the resident form is kept between loads.
    pub kept: Option<Kept<'a>>,
}

/// A file with the resident form of an adapter.
#[derive(Clone, Copy)]
pub struct Kept<'a> {
    /// The file; its folder exists.
    pub file: &'a Path,
    /// Names the content of the adapter's files: a file kept for another content is made anew.
    pub content: &'a [u8],
}

/// Brings the adapter in `folder` into memory for the model of `weights`.
///
/// `name` is what errors call it. `keep_going` is asked before every linear.
///
/// # Errors
/// As [`inspect`], and if a number is not finite, a magnitude belongs to no row, the magnitudes are those of another base, memory is
/// short or `keep_going` said no. That the resident form could not be kept is no error.
pub fn load(
    folder: &Path,
    name: &str,
    weights: &Weights,
    options: AdapterOptions<'_>,
    keep_going: &mut dyn FnMut() -> bool,
) -> Result<Adapter, AdapterError> {
    let model = &weights.config;
    let config = AdapterConfig::read(folder)?;
    let file = AdapterFile::open(folder, name, &config, model)?;
    let info = describe(&config, &file, model, options.precision);
    let shapes = shapes(&config, &file, model, options.precision);
    let bytes = shapes.iter().map(|(_, shape)| shape.bytes()).sum();
    let layers = model.layers;
    let key = options
        .kept
        .map(|kept| (kept.file, kept::key(kept.content, weights, &shapes)));
    if let Some((path, key)) = &key
        && let Some(memory) = kept::read(path, key, bytes, options.pool.threads())?
    {
        // What is not as it was written is made anew below.
        let taken = Adapter::from_memory(name, info.clone(), &shapes, Arc::new(memory), layers);
        if let Ok(adapter) = taken {
            return Ok(adapter);
        }
    }
    let mut memory = AlignedBytes::zeroed(bytes)?;
    let mut gains = Gains::default();
    let mut offset = 0;
    for &((layer, linear), shape) in &shapes {
        if !keep_going() {
            return Err(AdapterError::Cancelled);
        }
        let numbers = file.read(name, (layer, linear))?;
        let place = Place {
            adapter: name,
            layer,
            linear,
            form: config.form,
            scaling: config.scaling(layer, linear),
            rank: shape.rank,
        };
        let compiled = compile(options.isa, options.pool, weights, &place, &numbers)?;
        if let Some(gain) = &compiled.gain {
            gains.add(gain, compiled.untrained);
        }
        LowRank::write(
            &shape,
            &numbers.a,
            &numbers.b,
            &compiled.scales,
            compiled.gain.as_deref(),
            &mut memory,
            offset,
        )
        .map_err(|error| in_linear(name, (layer, linear.as_str()), error))?;
        offset += shape.bytes();
    }
    file.check_unchanged()?;
    gains.check(name)?;
    if let Some((path, key)) = &key {
        // A folder that cannot be written costs time at the next load, nothing else.
        let _not_kept = kept::write(path, key, &memory);
    }
    Adapter::from_memory(name, info, &shapes, Arc::new(memory), layers)
}

impl Adapter {
    fn from_memory(
        name: &str,
        info: AdapterInfo,
        shapes: &[((usize, LinearName), LowRankShape)],
        memory: Arc<AlignedBytes>,
        layers: usize,
    ) -> Result<Self, AdapterError> {
        let bytes = memory.len() as u64;
        let mut all: Vec<[Option<LowRank>; 7]> = (0..layers).map(|_| Default::default()).collect();
        let mut offset = 0;
        for &((layer, linear), shape) in shapes {
            let change = LowRank::new(Arc::clone(&memory), offset, shape)
                .map_err(|error| in_linear(name, (layer, linear.as_str()), error))?;
            all[layer][linear as usize] = Some(change);
            offset += shape.bytes();
        }
        Ok(Self {
            name: name.to_owned(),
            info,
            layers: all,
            bytes,
        })
    }

    /// What errors call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its files said.
    pub fn info(&self) -> &AdapterInfo {
        &self.info
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Layers of the model it was loaded for.
    pub(super) fn layers(&self) -> usize {
        self.layers.len()
    }

    /// Its part in a linear.
    pub(super) fn change(&self, layer: usize, linear: LinearName) -> Option<&LowRank> {
        self.layers[layer][linear as usize].as_ref()
    }
}

impl std::fmt::Debug for Adapter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Adapter({}, {} bytes)", self.name, self.bytes)
    }
}

fn describe(
    config: &AdapterConfig,
    file: &AdapterFile,
    model: &ModelConfig,
    precision: Precision,
) -> AdapterInfo {
    let parameters = |((_, linear), rank): ((usize, LinearName), usize)| {
        let (rows, columns) = linear.shape(model);
        let magnitude = if config.form == AdapterForm::LowRank {
            0
        } else {
            rows
        };
        (rank * (rows + columns) + magnitude) as u64
    };
    let ranks = file
        .linears
        .iter()
        .map(|(place, tensors)| (*place, tensors.rank));
    let shapes = shapes(config, file, model, precision);
    AdapterInfo {
        form: config.form,
        rank: config.usual_rank(),
        alpha: config.usual_alpha(),
        base_model: config.base_model.clone(),
        linears: file.linears.len(),
        parameters: ranks.map(parameters).sum(),
        file_bytes: file.bytes(),
        resident_bytes: shapes.iter().map(|(_, shape)| shape.bytes() as u64).sum(),
    }
}

/// The linears in the order in which a token needs them.
fn shapes(
    config: &AdapterConfig,
    file: &AdapterFile,
    model: &ModelConfig,
    precision: Precision,
) -> Vec<((usize, LinearName), LowRankShape)> {
    let with = |precision: LowRankPrecision| -> Vec<_> {
        let shape = |(place, rank): ((usize, LinearName), usize)| {
            let (out_features, in_features) = place.1.shape(model);
            let shape = LowRankShape {
                in_features,
                out_features,
                rank,
                has_gain: config.form == AdapterForm::WeightDecomposed,
                precision,
            };
            (place, shape)
        };
        let linears = file.linears.iter();
        linears
            .map(|(place, tensors)| shape((*place, tensors.rank)))
            .collect()
    };
    let exact = with(LowRankPrecision::F32);
    let bytes: u64 = exact.iter().map(|(_, shape)| shape.bytes() as u64).sum();
    match precision {
        Precision::F32 => exact,
        Precision::Auto if bytes <= EXACT_BYTES => exact,
        Precision::Auto | Precision::Int8 => with(LowRankPrecision::Int8),
    }
}
