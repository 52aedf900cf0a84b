//! Loads a model and prints what it took: `cargo run --release --example load_time -- MODEL [THREADS] [--no-cache]`.
//!
//! `synth:SHAPE:FOLDER` writes a random model instead.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use r3mes_kernels::Pool;
use r3mes_model::load::{CacheUse, LoadOptions, load};
use r3mes_model::{inspect, synth};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let model = arguments.first().ok_or("expected a model")?;
    let start = Instant::now();
    if let Some((shape, folder)) = model
        .strip_prefix("synth:")
        .and_then(|rest| rest.split_once(':'))
    {
        synth::write(shape.parse()?, 1, Path::new(folder), &mut |_, _| {
            ControlFlow::Continue(())
        })?;
        println!(
            "written in {:.2?}, peak {} MiB",
            start.elapsed(),
            peak_mib()
        );
        return Ok(());
    }
    println!("{:#?}", inspect::inspect(Path::new(model))?);
    let threads = arguments.get(1).map_or(Ok(2), |text| text.parse())?;
    let pool = Pool::new(threads);
    let cache = match arguments.iter().any(|argument| argument == "--no-cache") {
        true => CacheUse::Off,
        false => CacheUse::beside_model(None),
    };
    let start = Instant::now();
    let weights = load(
        Path::new(model),
        &LoadOptions::new(&pool, cache),
        &mut |phase| {
            if std::env::var_os("VERBOSE").is_some() {
                eprintln!("{:.0?} {phase:?}", start.elapsed());
            }
            ControlFlow::Continue(())
        },
    )?;
    println!(
        "loaded in {:.3?}, {} layers, peak {} MiB",
        start.elapsed(),
        weights.layers.len(),
        peak_mib()
    );
    Ok(())
}

/// Largest resident size so far, where the system tells.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| {
        line.trim()
            .trim_end_matches("kB")
            .trim()
            .parse::<u64>()
            .ok()
    })
    .unwrap_or(0)
        / 1024
}
