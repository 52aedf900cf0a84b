//! `doctor`: what this machine is, what of it is used, and what stands in the way.

use super::open;
use crate::arguments::DoctorOptions;
use crate::output::{print, print_json};
use crate::stop::{Done, Stop};
use crate::table::table;
use crate::units;
use r3mes_engine::api::{DoctorReport, ModelState};
use std::path::PathBuf;

pub fn run(home: Option<PathBuf>, options: DoctorOptions) -> Result<Done, Stop> {
    let engine = open(home, &options.run)?;
    let report = engine.doctor();
    if options.output.json {
        print_json(&report)?;
    } else {
        print(&table(&rows(&report)))?;
    }
    match report.problems.as_slice() {
        [] => Ok(Done),
        problems => Err(Stop::Failed(problems.join("\n"))),
    }
}

fn rows(report: &DoctorReport) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut add = |name: &str, value: String| rows.push(vec![name.to_owned(), value]);
    let cpu = &report.cpu;
    add("r3mes", report.version.clone());
    add(
        "system",
        format!("{}, {}", report.system.name, report.system.architecture),
    );
    add(
        "processor",
        format!(
            "{}, {} cores, {} hardware threads",
            cpu.name, cpu.physical_cores, cpu.logical_cores
        ),
    );
    add("threads", format!("{} in use", cpu.threads));
    add(
        "instruction set",
        format!("{} ({})", cpu.isa, cpu.isa_reason),
    );
    add("available sets", cpu.isa_available.join(", "));
    add(
        "memory",
        format!(
            "{} available of {}",
            units::bytes(report.memory.available_bytes),
            units::bytes(report.memory.total_bytes)
        ),
    );
    for device in &report.gpu.devices {
        add(
            "graphics",
            format!(
                "{}, {} free of {}, driver {}",
                device.name,
                units::bytes(device.free_bytes),
                units::bytes(device.total_bytes),
                device.driver
            ),
        );
    }
    add("graphics", report.gpu.reason.clone());
    add("backend", report.backend.clone());
    let folders = &report.folders;
    add(
        "data folder",
        format!("{} ({})", folders.home.display(), folders.home_reason),
    );
    if let Some(free) = folders.free_bytes {
        add("free disk space", units::bytes(free));
    }
    let state = match &report.model.state {
        ModelState::Ready => "ready".to_owned(),
        ModelState::Broken { reason } => format!("broken: {reason}"),
    };
    add(
        "model",
        format!("{}, {state} ({})", report.model.name, report.model.reason),
    );
    let verdict = match report.problems.as_slice() {
        [] => "all is well".to_owned(),
        problems => format!("{} to solve", problems.len()),
    };
    add("problems", verdict);
    rows
}
