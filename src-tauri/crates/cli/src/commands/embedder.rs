//! `embedder …`: which embedders are installed, and which one is used.

use super::fetch::fetch;
use super::open_with;
use crate::arguments::{EmbedderCommand, Output};
use crate::interrupt::Interrupt;
use crate::output::{print, print_json, print_line, tell};
use crate::stop::{Done, Stop};
use crate::table::table;
use crate::units;
use r3mes_engine::api::{ModelState, PullRequest};
use r3mes_engine::{BUILTIN, Engine, Shelf};
use serde_json::json;
use std::path::PathBuf;

pub fn run(
    home: Option<PathBuf>,
    command: EmbedderCommand,
    interrupt: &Interrupt,
) -> Result<Done, Stop> {
    let engine = open_with(home, None)?;
    match command {
        EmbedderCommand::List { output } => list(&engine, output),
        EmbedderCommand::Pull {
            repo,
            revision,
            name,
            output,
        } => {
            let request = PullRequest {
                repo,
                revision,
                file: None,
                name,
            };
            fetch(Shelf::Embedders, output, interrupt, |cancel, events| {
                engine.pull_embedder(&request, cancel, events)
            })
        }
        EmbedderCommand::Import { path, name, output } => {
            if !path.exists() {
                return Err(Stop::Usage(format!("`{}` does not exist", path.display())));
            }
            fetch(Shelf::Embedders, output, interrupt, |cancel, events| {
                let embedders = engine.embedders();
                embedders.import(&path, name.as_deref(), cancel, events)
            })
        }
        EmbedderCommand::Remove { name, output } => remove(&engine, &name, output),
        EmbedderCommand::Use { name, output } => choose(&engine, &name, output),
    }
}

fn list(engine: &Engine, output: Output) -> Result<Done, Stop> {
    let chosen = engine.settings().embedder.clone();
    let active = chosen.unwrap_or_else(|| BUILTIN.into());
    let embedders = engine.embedders().list(Some(&active))?;
    let unfinished = engine.embedders().unfinished()?;
    if output.json {
        print_json(&json!({"active": active, "embedders": embedders, "unfinished": unfinished}))?;
        return Ok(Done);
    }
    let mut rows = vec![
        ["", "NAME", "SIZE", "STATE", "SOURCE"]
            .map(String::from)
            .to_vec(),
    ];
    rows.extend(embedders.iter().map(|embedder| {
        vec![
            if embedder.active { "*" } else { "" }.to_owned(),
            embedder.name.clone(),
            units::bytes(embedder.size_bytes),
            match &embedder.state {
                ModelState::Ready => "ready".to_owned(),
                ModelState::Broken { reason } => format!("broken: {reason}"),
            },
            embedder.source.clone(),
        ]
    }));
    print(&table(&rows))?;
    for download in unfinished {
        tell(&format!(
            "unfinished: {}; `r3mes embedder pull {}` continues, `r3mes embedder remove {}` deletes it",
            download.name,
            download.source.trim_start_matches("hub:"),
            download.name
        ));
    }
    Ok(Done)
}

fn remove(engine: &Engine, name: &str, output: Output) -> Result<Done, Stop> {
    let (name, freed_bytes) = engine.embedders().remove(name)?;
    if engine.settings().embedder.as_deref() == Some(name.as_str()) {
        engine.embedders().choose(BUILTIN)?;
        tell(&format!("`{BUILTIN}` is used from now on"));
    }
    if output.json {
        print_json(&json!({"removed": name, "freed_bytes": freed_bytes}))?;
    } else {
        let freed = units::bytes(freed_bytes);
        print_line(&format!("removed {name}, {freed} freed"))?;
    }
    Ok(Done)
}

fn choose(engine: &Engine, name: &str, output: Output) -> Result<Done, Stop> {
    let embedder = engine.embedders().choose(name)?;
    if output.json {
        print_json(&embedder)?;
    } else {
        print_line(&embedder.name)?;
    }
    Ok(Done)
}
