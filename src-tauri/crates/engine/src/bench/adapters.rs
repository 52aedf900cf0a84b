//! Random adapters to measure with, and what bringing them in costs.

use super::median;
use crate::api::{AdapterBench, BenchOptions};
use crate::cancel::Cancel;
use crate::error::EngineError;
use r3mes_model::adapter::{
    Adapter, AdapterForm, AdapterOptions, Kept, MOST_ADAPTERS, Mix, Precision, load,
};
use r3mes_model::model::Model;
use r3mes_model::synth::{SynthAdapter, write_adapter};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Rank of the adapters.
const RANK: usize = 16;
/// Swaps that are timed.
const SWAPS: usize = 20;

/// The mix that is measured, and with adapters what swapping them costs.
type Prepared = (Arc<Mix>, Option<AdapterBench>);

/// The mix that is measured; nothing when it was cancelled. The speeds in the report are left 0.
pub(super) fn prepare(
    model: &Model,
    options: &BenchOptions,
    cancel: &Cancel,
    progress: &mut dyn FnMut(&str),
) -> Result<Option<Prepared>, EngineError> {
    let count = options.adapters;
    if count > MOST_ADAPTERS {
        return Err(EngineError::BadRequest {
            field: "--adapters".into(),
            found: count.to_string(),
            expected: format!("0 to {MOST_ADAPTERS}"),
        });
    }
    if count == 0 {
        return Ok(Some((Arc::new(Mix::base()), None)));
    }
    let folder = tempfile::tempdir().map_err(EngineError::io("make", std::env::temp_dir()))?;
    let kept = folder.path().join("resident");
    let mut adapters = Vec::new();
    let mut first_load = Vec::new();
    for index in 0..count {
        progress(&format!("making adapter {} of {count}", index + 1));
        let what = SynthAdapter {
            form: AdapterForm::WeightDecomposed,
            rank: RANK,
            seed: index as u64,
        };
        let files = folder.path().join(index.to_string());
        let machine = (model.isa(), model.pool());
        write_adapter(&model.weights(), machine, what, &files)?;
        if cancel.is_set() {
            return Ok(None);
        }
        let started = Instant::now();
        adapters.push(Arc::new(bring(model, &files, &kept, index)?));
        first_load.push(milliseconds(started));
    }
    let share = 1.0 / count as f32;
    let with_shares: Vec<(Arc<Adapter>, f32)> = adapters
        .iter()
        .map(|one| (Arc::clone(one), share))
        .collect();
    let mut resident = Vec::new();
    let mut mix = Mix::base();
    for _ in 0..SWAPS {
        let started = Instant::now();
        mix = Mix::compile(model.config(), &with_shares)?;
        resident.push(milliseconds(started));
    }
    let mut disk = Vec::new();
    let last = count - 1;
    let files = folder.path().join(last.to_string());
    for _ in 0..SWAPS {
        if cancel.is_set() {
            return Ok(None);
        }
        let started = Instant::now();
        let adapter = Arc::new(bring(model, &files, &kept, last)?);
        Mix::compile(model.config(), &[(adapter, 1.0)])?;
        disk.push(milliseconds(started));
    }
    let report = AdapterBench {
        base_decode_tokens_per_second: 0.0,
        decode_ratio: 0.0,
        resident_bytes: adapters[0].bytes(),
        swap_resident_ms: median(resident),
        swap_from_disk_ms: median(disk),
        first_load_ms: median(first_load),
    };
    Ok(Some((Arc::new(mix), Some(report))))
}

fn bring(model: &Model, files: &Path, kept: &Path, index: usize) -> Result<Adapter, EngineError> {
    let options = AdapterOptions {
        isa: model.isa(),
        pool: model.pool(),
        precision: Precision::Auto,
        kept: Some(Kept {
            file: kept,
            content: &index.to_le_bytes(),
        }),
    };
    Ok(load(
        files,
        "random",
        &model.weights(),
        options,
        &mut || true,
    )?)
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}
