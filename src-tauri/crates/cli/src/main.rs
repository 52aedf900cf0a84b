//! The `r3mes` command line: the engine in a terminal.
//!
//! parse → open the engine → run one command → exit code. Data goes to stdout, everything else to stderr.
//! Exit codes: 0 done, 1 failed, 2 bad usage or an unknown name, 130 interrupted.
//!
//! This crate does not know of tensors, file formats or the network; it shows what the engine reports.

mod arguments;
mod commands;
mod interrupt;
mod output;
mod stop;
mod table;
mod units;

use arguments::{Arguments, Command};
use clap::Parser;
use interrupt::Interrupt;
use std::process::ExitCode;
use stop::{Done, Stop};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let interrupt = match Interrupt::install() {
        Ok(interrupt) => interrupt,
        Err(stop) => return stop.report(),
    };
    match run(arguments, &interrupt) {
        Ok(Done) => ExitCode::SUCCESS,
        Err(stop) => stop.report(),
    }
}

fn run(arguments: Arguments, interrupt: &Interrupt) -> Result<Done, Stop> {
    let home = arguments.home;
    match arguments.command {
        Command::Chat(options) => commands::chat::run(home, options, interrupt),
        Command::Inference(command) => commands::inference::run(home, command, interrupt),
        Command::Model(command) => commands::model::run(home, command, interrupt),
        Command::Route(options) => commands::route::run(home, options),
        Command::Embed(options) => commands::embed::run(home, options),
        Command::Embedder(command) => commands::embedder::run(home, command, interrupt),
        Command::Adapter(command) => commands::adapter::run(home, command, interrupt),
        Command::Doctor(options) => commands::doctor::run(home, options),
        Command::Bench(options) => commands::bench::run(home, options, interrupt),
        Command::Debug(command) => commands::debug::run(home, command, interrupt),
    }
}
