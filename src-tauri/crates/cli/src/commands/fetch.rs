//! Downloads and imports while they go on, of models and of embedders.

use crate::arguments::Output;
use crate::interrupt::Interrupt;
use crate::output::{Status, print_json, print_line, tell};
use crate::stop::{Done, Stop};
use crate::units;
use r3mes_engine::api::{ModelEntry, PullEvent, PullOutcome};
use r3mes_engine::{Cancel, EngineError, Shelf};

/// Runs a download or an import and tells how it goes.
pub fn fetch(
    shelf: Shelf,
    output: Output,
    interrupt: &Interrupt,
    work: impl FnOnce(&Cancel, &mut dyn FnMut(PullEvent)) -> Result<PullOutcome, EngineError>,
) -> Result<Done, Stop> {
    let cancel = Cancel::new();
    let mut status = Status::new();
    let outcome = interrupt.guard(&cancel, || {
        work(&cancel, &mut |event| show(&mut status, &event))
    })?;
    drop(status);
    match outcome {
        PullOutcome::Installed(model) => installed(shelf, &model, output),
        PullOutcome::Cancelled { kept_bytes } => {
            if kept_bytes > 0 {
                tell(&format!(
                    "stopped; {} are kept and the same command continues there",
                    units::bytes(kept_bytes)
                ));
            }
            Err(Stop::Interrupted)
        }
    }
}

fn installed(shelf: Shelf, model: &ModelEntry, output: Output) -> Result<Done, Stop> {
    if output.json {
        print_json(model)?;
    } else {
        print_line(&model.name)?;
        tell(&format!(
            "installed `{}`, {}; `r3mes {shelf} use {}` makes it the one that {}",
            model.name,
            units::bytes(model.size_bytes),
            model.name,
            match shelf {
                Shelf::Models => "answers",
                Shelf::Embedders => "is used",
            }
        ));
    }
    Ok(Done)
}

fn show(status: &mut Status, event: &PullEvent) {
    match event {
        PullEvent::Planned {
            name,
            files,
            total_bytes,
            resumed_bytes,
        } => {
            let resumed = match resumed_bytes {
                0 => String::new(),
                bytes => format!(", {} of them here already", units::bytes(*bytes)),
            };
            status.say(&format!(
                "`{name}`: {files} files, {}{resumed}",
                units::bytes(*total_bytes)
            ));
        }
        PullEvent::Progress {
            file,
            done_bytes,
            total_bytes,
            bytes_per_second,
            eta,
        } => {
            let percent = done_bytes * 100 / (*total_bytes).max(1);
            let eta = eta.map_or(String::new(), |eta| {
                format!(", {} left", units::duration(eta))
            });
            status.update(&format!(
                "{percent:3} %  {} of {}, {}/s{eta}  {file}",
                units::bytes(*done_bytes),
                units::bytes(*total_bytes),
                units::bytes(*bytes_per_second as u64),
            ));
        }
        PullEvent::Retrying { file, reason, wait } => {
            let wait = wait.as_secs_f64();
            status.say(&format!("{file}: {reason}; again in {wait:.1} s"));
        }
        PullEvent::Checking => status.update("checking the files"),
    }
}
