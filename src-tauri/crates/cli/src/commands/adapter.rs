//! `adapter …`: experts that are installed, where they came from, how they come into memory.

use super::{open, phase};
use crate::arguments::{AdapterCommand, AdapterImport, Output, Run};
use crate::interrupt::Interrupt;
use crate::output::{Status, print, print_json, print_line, tell};
use crate::stop::{Done, Stop};
use crate::table::table;
use crate::units;
use r3mes_engine::api::{ExpertEntry, ExpertImport, PreloadReport, Tier};
use r3mes_engine::{Cancel, Engine};
use serde_json::json;
use std::path::PathBuf;

pub fn run(
    home: Option<PathBuf>,
    command: AdapterCommand,
    interrupt: &Interrupt,
) -> Result<Done, Stop> {
    let run = match &command {
        AdapterCommand::Import(AdapterImport { run, .. }) | AdapterCommand::Preload { run, .. } => {
            run.clone()
        }
        _ => Run::default(),
    };
    let engine = open(home, &run)?;
    match command {
        AdapterCommand::List { output } => list(&engine, output),
        AdapterCommand::Info { id, output } => info(&engine, &id, output),
        AdapterCommand::Import(options) => import(&engine, options, interrupt),
        AdapterCommand::Export { id, path, output } => {
            let path = path.unwrap_or_else(|| PathBuf::from("."));
            let export = engine.experts().export(&id, &path)?;
            if output.json {
                print_json(&export)?;
            } else {
                print_line(&export.path.display().to_string())?;
                tell(&format!("wrote {}", units::bytes(export.size_bytes)));
            }
            Ok(Done)
        }
        AdapterCommand::Preload {
            ids, tier, output, ..
        } => preload(&engine, &ids, tier, output, interrupt),
        AdapterCommand::Unload { id, output } => unload(&engine, &id, output),
        AdapterCommand::Remove { id, output } => {
            let freed_bytes = engine.experts().remove(&id)?;
            if output.json {
                print_json(&json!({"removed": id, "freed_bytes": freed_bytes}))?;
            } else {
                print_line(&format!(
                    "removed {id}, {} freed",
                    units::bytes(freed_bytes)
                ))?;
            }
            Ok(Done)
        }
    }
}

fn list(engine: &Engine, output: Output) -> Result<Done, Stop> {
    let experts = engine.experts().list()?;
    if output.json {
        let tiers = engine.experts().tiers()?;
        print_json(&json!({"total": experts.len(), "experts": experts, "tiers": tiers}))?;
        return Ok(Done);
    }
    let mut rows = vec![["ID", "DOMAIN", "SIZE", "STATE"].map(String::from).to_vec()];
    rows.extend(experts.iter().map(|expert| {
        vec![
            expert.expert_id.clone(),
            expert.domain.clone(),
            match expert.registered {
                true => units::bytes(expert.size_bytes),
                false => String::new(),
            },
            state(expert),
        ]
    }));
    print(&table(&rows)).map(|()| Done)
}

fn state(expert: &ExpertEntry) -> String {
    let pinned = if expert.pinned { ", pinned" } else { "" };
    match (&expert.error, expert.registered, expert.tier) {
        (Some(error), _, _) => format!("broken: {error}"),
        (None, false, _) => "not installed".to_owned(),
        (None, true, Some(Tier::Vram)) => format!("in video memory{pinned}"),
        (None, true, Some(Tier::Ram)) => format!("in memory{pinned}"),
        (None, true, _) => format!("ready{pinned}"),
    }
}

fn info(engine: &Engine, id: &str, output: Output) -> Result<Done, Stop> {
    let expert = engine.experts().info(id)?;
    if output.json {
        print_json(&expert)?;
    } else {
        print(&table(&rows(&expert)))?;
    }
    Ok(Done)
}

fn rows(expert: &ExpertEntry) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut add = |name: &str, value: String| rows.push(vec![name.to_owned(), value]);
    add("id", expert.expert_id.clone());
    add("name", expert.name.clone());
    add("domain", expert.domain.clone());
    add("state", state(expert));
    if !expert.registered {
        return rows;
    }
    if !expert.description.is_empty() {
        add("description", expert.description.clone());
    }
    for (name, value) in [
        ("licence", &expert.licence),
        ("base model", &expert.base_model),
    ] {
        if let Some(value) = value {
            add(name, value.clone());
        }
    }
    add("size", units::bytes(expert.size_bytes));
    if let Some(bytes) = expert.resident_bytes {
        add("in memory", units::bytes(bytes));
    }
    if let (Some(kind), Some(rank)) = (expert.kind, expert.rank) {
        let kind = match kind {
            r3mes_engine::api::AdapterKind::WeightDecomposed => "DoRA",
            r3mes_engine::api::AdapterKind::Additive => "additive DoRA",
            r3mes_engine::api::AdapterKind::LowRank => "LoRA",
        };
        add("form", format!("{kind}, rank {rank}"));
    }
    add("generation", expert.generation.clone());
    if expert.examples > 0 {
        add("examples", expert.examples.to_string());
    }
    for figure in &expert.evaluation {
        let better = if figure.lower_is_better {
            "lower"
        } else {
            "higher"
        };
        add(
            &figure.name,
            format!(
                "{} (base model {}), {better} is better",
                figure.expert, figure.base
            ),
        );
    }
    rows
}

fn import(engine: &Engine, options: AdapterImport, interrupt: &Interrupt) -> Result<Done, Stop> {
    if !options.path.exists() {
        let path = options.path.display();
        return Err(Stop::Usage(format!("`{path}` does not exist")));
    }
    let request = ExpertImport {
        path: options.path,
        id: options.id,
        name: options.name,
        domain: options.domain,
        description: options.description,
        licence: options.licence,
    };
    let cancel = Cancel::new();
    let installed = interrupt.guard(&cancel, || engine.experts().import(&request, &cancel))?;
    let Some(expert) = installed else {
        return Err(Stop::Interrupted);
    };
    if options.output.json {
        print_json(&expert)?;
    } else {
        print_line(&expert.expert_id)?;
        tell(&format!(
            "installed `{}`, {}",
            expert.expert_id,
            units::bytes(expert.size_bytes)
        ));
    }
    Ok(Done)
}

fn preload(
    engine: &Engine,
    ids: &[String],
    tier: Option<Tier>,
    output: Output,
    interrupt: &Interrupt,
) -> Result<Done, Stop> {
    let cancel = Cancel::new();
    let mut status = Status::new();
    let reports = interrupt.guard(&cancel, || {
        engine
            .experts()
            .preload(ids, tier, &cancel, &mut |loading| {
                status.update(&phase(&loading));
            })
    })?;
    drop(status);
    if output.json {
        print_json(&json!({"experts": reports}))?;
    } else {
        print(&table(&reports.iter().map(row).collect::<Vec<_>>()))?;
    }
    if cancel.is_set() {
        return Err(Stop::Interrupted);
    }
    tell(
        "the memory is given back when this command ends; `r3mes serve` and the app keep experts in memory",
    );
    match reports
        .iter()
        .filter(|report| report.error.is_some())
        .count()
    {
        0 => Ok(Done),
        failed => Err(Stop::Failed(format!(
            "{failed} of {} could not be brought into memory",
            ids.len()
        ))),
    }
}

fn row(report: &PreloadReport) -> Vec<String> {
    let place = match (&report.error, report.tier) {
        (Some(error), _) => error.clone(),
        (None, Some(Tier::Vram)) => "in video memory".to_owned(),
        (None, _) => "in memory".to_owned(),
    };
    vec![
        report.expert_id.clone(),
        format!("{:.1} ms", report.ms),
        place,
    ]
}

fn unload(engine: &Engine, id: &str, output: Output) -> Result<Done, Stop> {
    let unloaded = engine.experts().unload(id)?;
    if output.json {
        print_json(&json!({"expert_id": id, "unloaded": unloaded}))?;
    } else {
        let words = match unloaded {
            true => "unloaded",
            false => "was not in memory",
        };
        print_line(&format!("{id} {words}"))?;
    }
    if !unloaded {
        tell("each command has its own memory; this one began without experts in it");
    }
    Ok(Done)
}
