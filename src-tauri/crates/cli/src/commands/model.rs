//! `model …`: what is installed, where it came from, whether it is whole.

use super::fetch::fetch;
use super::open;
use crate::arguments::{ModelCommand, Output, Run};
use crate::interrupt::Interrupt;
use crate::output::{Status, print, print_json, print_line, tell};
use crate::stop::{Done, Stop};
use crate::table::table;
use crate::units;
use r3mes_engine::api::{ModelReport, ModelState, PullRequest};
use r3mes_engine::{BUILTIN, Cancel, Engine, Shelf};
use serde_json::json;
use std::path::PathBuf;

pub fn run(
    home: Option<PathBuf>,
    command: ModelCommand,
    interrupt: &Interrupt,
) -> Result<Done, Stop> {
    let engine = open(home, &Run::default())?;
    match command {
        ModelCommand::List { output } => list(&engine, output),
        ModelCommand::Info { name, output } => info(&engine, name, output),
        ModelCommand::Pull {
            repo,
            revision,
            file,
            name,
            output,
        } => {
            let request = PullRequest {
                repo,
                revision,
                file,
                name,
            };
            fetch(Shelf::Models, output, interrupt, |cancel, events| {
                engine.pull(&request, cancel, events)
            })
        }
        ModelCommand::Import { path, name, output } => {
            if !path.exists() {
                return Err(Stop::Usage(format!("`{}` does not exist", path.display())));
            }
            fetch(Shelf::Models, output, interrupt, |cancel, events| {
                engine
                    .models()
                    .import(&path, name.as_deref(), cancel, events)
            })
        }
        ModelCommand::Remove { name, output } => remove(&engine, &name, output),
        ModelCommand::Use { name, output } => choose(&engine, &name, output),
        ModelCommand::Verify { name, output } => verify(&engine, name, output, interrupt),
    }
}

fn chosen(engine: &Engine) -> String {
    engine
        .settings()
        .model
        .clone()
        .unwrap_or_else(|| BUILTIN.into())
}

fn list(engine: &Engine, output: Output) -> Result<Done, Stop> {
    let active = chosen(engine);
    let models = engine.models().list(Some(&active))?;
    let unfinished = engine.models().unfinished()?;
    if output.json {
        print_json(&json!({"active": active, "models": models, "unfinished": unfinished}))?;
        return Ok(Done);
    }
    let mut rows = vec![
        ["", "NAME", "SIZE", "STATE", "SOURCE"]
            .map(String::from)
            .to_vec(),
    ];
    rows.extend(models.iter().map(|model| {
        vec![
            if model.active { "*" } else { "" }.to_owned(),
            model.name.clone(),
            units::bytes(model.size_bytes),
            match &model.state {
                ModelState::Ready => "ready".to_owned(),
                ModelState::Broken { reason } => format!("broken: {reason}"),
            },
            model.source.clone(),
        ]
    }));
    print(&table(&rows))?;
    for download in unfinished {
        let repo = download.source.trim_start_matches("hub:").to_owned();
        tell(&format!(
            "unfinished: {} ({} of {}); `r3mes model pull {repo}` continues, `r3mes model remove {}` deletes it",
            download.name,
            units::bytes(download.done_bytes),
            units::bytes(download.total_bytes),
            download.name
        ));
    }
    Ok(Done)
}

fn info(engine: &Engine, name: Option<String>, output: Output) -> Result<Done, Stop> {
    let active = chosen(engine);
    let name = name.unwrap_or_else(|| active.clone());
    let report = engine.models().info(&name, Some(&active))?;
    if output.json {
        print_json(&report)?;
    } else {
        print(&table(&rows(&report)))?;
    }
    Ok(Done)
}

fn rows(report: &ModelReport) -> Vec<Vec<String>> {
    let entry = &report.entry;
    let mut rows = Vec::new();
    let mut add = |name: &str, value: String| rows.push(vec![name.to_owned(), value]);
    add("name", entry.name.clone());
    add(
        "state",
        match &entry.state {
            ModelState::Ready if entry.active => "ready, in use".into(),
            ModelState::Ready => "ready".into(),
            ModelState::Broken { reason } => format!("broken: {reason}"),
        },
    );
    add("source", entry.source.clone());
    for (name, value) in [("revision", &entry.revision), ("licence", &entry.licence)] {
        if let Some(value) = value {
            add(name, value.clone());
        }
    }
    add("size", units::bytes(entry.size_bytes));
    add("path", entry.path.display().to_string());
    if let Some(shape) = &report.shape {
        add(
            "layout",
            format!("{}, {}", shape.architecture, shape.layout),
        );
        add(
            "parameters",
            format!(
                "{}, {} of them ternary",
                units::count(shape.parameters),
                units::count(shape.ternary_parameters)
            ),
        );
        add(
            "layers",
            format!(
                "{}, {} wide, feed-forward {}",
                shape.layers, shape.hidden, shape.intermediate
            ),
        );
        add(
            "attention",
            format!(
                "{} heads of {}, {} for keys and values",
                shape.heads, shape.head_dim, shape.kv_heads
            ),
        );
        add("vocabulary", format!("{} rows", shape.vocab_size));
        add("context", format!("{} tokens", shape.context_tokens));
        if shape.packed_copy_bytes > 0 {
            add("packed copy", units::bytes(shape.packed_copy_bytes));
        }
    }
    for file in &report.files {
        let short = file.sha256.get(..12).unwrap_or(&file.sha256);
        add(
            "file",
            format!(
                "{}, {}, sha256 {short}…",
                file.path,
                units::bytes(file.size)
            ),
        );
    }
    rows
}

fn remove(engine: &Engine, name: &str, output: Output) -> Result<Done, Stop> {
    let (name, freed_bytes) = engine.models().remove(name)?;
    if engine.settings().model.as_deref() == Some(name.as_str()) {
        engine.models().choose(BUILTIN)?;
        tell(&format!("`{BUILTIN}` answers from now on"));
    }
    if output.json {
        print_json(&json!({"removed": name, "freed_bytes": freed_bytes}))?;
    } else {
        print_line(&format!(
            "removed {name}, {} freed",
            units::bytes(freed_bytes)
        ))?;
    }
    Ok(Done)
}

fn choose(engine: &Engine, name: &str, output: Output) -> Result<Done, Stop> {
    let model = engine.models().choose(name)?;
    if output.json {
        print_json(&model)?;
    } else {
        print_line(&model.name)?;
    }
    Ok(Done)
}

fn verify(
    engine: &Engine,
    name: Option<String>,
    output: Output,
    interrupt: &Interrupt,
) -> Result<Done, Stop> {
    let name = name.unwrap_or_else(|| chosen(engine));
    let cancel = Cancel::new();
    let mut status = Status::new();
    let verification = interrupt.guard(&cancel, || {
        engine.models().verify(&name, &cancel, &mut |done, total| {
            status.update(&format!("reading: {} %", done * 100 / total.max(1)));
        })
    })?;
    drop(status);
    let Some(verification) = verification else {
        return Err(Stop::Interrupted);
    };
    if output.json {
        print_json(&verification)?;
    } else {
        let mut rows: Vec<Vec<String>> = verification
            .files
            .iter()
            .map(|file| {
                let state = file.problem.clone().unwrap_or_else(|| "ok".into());
                vec![file.path.clone(), units::bytes(file.size), state]
            })
            .collect();
        rows.extend(verification.error.iter().map(|error| vec![error.clone()]));
        print(&table(&rows))?;
    }
    match verification.ok {
        true => Ok(Done),
        false => Err(Stop::Failed(format!(
            "model `{}` is not what its record says",
            verification.name
        ))),
    }
}
