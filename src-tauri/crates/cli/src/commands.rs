//! One file for each command.

pub mod adapter;
pub mod bench;
pub mod chat;
pub mod debug;
pub mod doctor;
pub mod embed;
pub mod embedder;
mod fetch;
pub mod inference;
pub mod model;
pub mod route;

use crate::arguments::{Run, SamplingFlags};
use crate::stop::Stop;
use r3mes_engine::api::{Loading, SamplingChoice};
use r3mes_engine::{Engine, Flags, Settings};
use std::path::PathBuf;

/// Settings of this process, and an engine with them.
fn open(home: Option<PathBuf>, run: &Run) -> Result<Engine, Stop> {
    let flags = Flags {
        home,
        threads: run.threads,
        kv: run.kv,
        model: run.model.clone(),
        embedder: None,
    };
    Ok(Engine::open(Settings::resolve(&flags)?)?)
}

/// An engine with this embedder, or the one that settings name.
fn open_with(home: Option<PathBuf>, embedder: Option<String>) -> Result<Engine, Stop> {
    let flags = Flags {
        home,
        embedder,
        ..Flags::default()
    };
    Ok(Engine::open(Settings::resolve(&flags)?)?)
}

fn sampling(flags: &SamplingFlags) -> SamplingChoice {
    SamplingChoice {
        temperature: flags.temperature,
        top_p: flags.top_p,
        top_k: flags.top_k,
        min_p: flags.min_p,
        repetition_penalty: flags.repetition_penalty,
        seed: flags.seed,
        stop: flags.stop.clone(),
    }
}

/// A phase of loading in one line.
fn phase(loading: &Loading) -> String {
    match (loading.done * 100).checked_div(loading.total) {
        Some(percent) => format!("{}: {percent} %", loading.phase),
        None => loading.phase.clone(),
    }
}
