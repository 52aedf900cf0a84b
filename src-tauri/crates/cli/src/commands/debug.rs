//! `debug …`: random models, exact logits, token ids.

use super::{open, phase};
use crate::arguments::{AdapterFlags, DebugCommand, LogitsOptions, Output, Run, TokenizeFlags};
use crate::interrupt::Interrupt;
use crate::output::{Status, print_json, print_line};
use crate::stop::{Done, Stop};
use r3mes_engine::api::{LogitsReport, LogitsRequest, LogitsStop, TokenizeInput, Turn};
use r3mes_engine::{Cancel, synth};
use serde_json::json;
use std::io::Read;
use std::path::{Path, PathBuf};

pub fn run(
    home: Option<PathBuf>,
    command: DebugCommand,
    interrupt: &Interrupt,
) -> Result<Done, Stop> {
    match command {
        DebugCommand::Synth {
            shape,
            seed,
            out,
            output,
        } => write_random(&shape, seed, &out, output, interrupt),
        DebugCommand::Adapter(flags) => write_adapter(home, &flags, interrupt),
        DebugCommand::Logits(options) => logits(home, options, interrupt),
        DebugCommand::Tokenize { run, input, output } => tokenize(home, &run, input, output),
    }
}

fn write_random(
    shape: &str,
    seed: u64,
    out: &Path,
    output: Output,
    interrupt: &Interrupt,
) -> Result<Done, Stop> {
    let cancel = Cancel::new();
    let mut status = Status::new();
    let written = interrupt.guard(&cancel, || {
        synth(shape, seed, out, &cancel, &mut |step| {
            status.update(&phase(&step))
        })
    })?;
    drop(status);
    match written {
        false => return Err(Stop::Interrupted),
        true if output.json => print_json(&json!({"path": out, "shape": shape, "seed": seed}))?,
        true => print_line(&out.display().to_string())?,
    }
    Ok(Done)
}

fn write_adapter(
    home: Option<PathBuf>,
    flags: &AdapterFlags,
    interrupt: &Interrupt,
) -> Result<Done, Stop> {
    let engine = open(home, &flags.run)?;
    let cancel = Cancel::new();
    let written = interrupt.guard(&cancel, || {
        engine.synth_adapter(&flags.form, flags.rank, flags.seed, &flags.out, &cancel)
    })?;
    match written {
        false => return Err(Stop::Interrupted),
        true if flags.output.json => print_json(&json!({"path": flags.out}))?,
        true => print_line(&flags.out.display().to_string())?,
    }
    Ok(Done)
}

fn logits(
    home: Option<PathBuf>,
    options: LogitsOptions,
    interrupt: &Interrupt,
) -> Result<Done, Stop> {
    let engine = open(home, &options.run)?;
    let request = LogitsRequest {
        prompt_ids: options.prompt_ids,
        max_new_tokens: options.max_new_tokens,
        top_k: options.top_k,
        dump: options.dump_logits,
        ignore_eos: options.ignore_eos,
        adapters: options.adapter,
    };
    let cancel = Cancel::new();
    let mut status = Status::new();
    let report = interrupt.guard(&cancel, || {
        engine.logits(&request, &cancel, &mut |loading| {
            status.update(&phase(&loading))
        })
    })?;
    drop(status);
    let Some(report) = report else {
        return Err(Stop::Interrupted);
    };
    if options.output.json {
        print_json(&report)?;
    } else {
        print_line(&in_words(&report))?;
    }
    Ok(Done)
}

fn in_words(report: &LogitsReport) -> String {
    let mut lines: Vec<String> = report
        .top
        .iter()
        .map(|(id, logit)| format!("{id:>8}  {logit}"))
        .collect();
    if !report.generated.is_empty() {
        let ids: Vec<String> = report.generated.iter().map(u32::to_string).collect();
        let stop = match report.stop {
            LogitsStop::Length => "length",
            LogitsStop::Eos => "eos",
        };
        lines.push(format!("generated ({stop}): {}", ids.join(",")));
    }
    lines.join("\n")
}

fn tokenize(
    home: Option<PathBuf>,
    run: &Run,
    flags: TokenizeFlags,
    output: Output,
) -> Result<Done, Stop> {
    let input = match (flags.text, flags.chat) {
        (Some(text), _) => TokenizeInput::Text(text),
        (None, Some(file)) => TokenizeInput::Chat(messages(&file)?),
        (None, None) => return Err(Stop::Usage("--text or --chat is needed".into())),
    };
    let report = open(home, run)?.tokenize(&input)?;
    if output.json {
        print_json(&report)?;
    } else {
        let ids: Vec<String> = report.ids.iter().map(u32::to_string).collect();
        print_line(&ids.join(","))?;
    }
    Ok(Done)
}

fn messages(file: &Path) -> Result<Vec<Turn>, Stop> {
    let unreadable =
        |error: std::io::Error| Stop::Usage(format!("cannot read `{}`: {error}", file.display()));
    let mut bytes = Vec::new();
    match file == Path::new("-") {
        true => std::io::stdin()
            .read_to_end(&mut bytes)
            .map_err(unreadable)?,
        false => std::fs::File::open(file)
            .and_then(|mut file| file.read_to_end(&mut bytes))
            .map_err(unreadable)?,
    };
    serde_json::from_slice(&bytes).map_err(|error| {
        Stop::Usage(format!(
            "`{}`: {error}, expected a JSON list of messages with `role` and `content`",
            file.display()
        ))
    })
}
