//! `chat`: a conversation in the terminal.
//!
//! Lines that begin with `/` are commands, all others are for the model. Ctrl-C stops the answer; pressed again, it leaves.
//! With stdin redirected, each line is one message and answers go to stdout undecorated.

mod conversation;
mod input;

use super::open;
use crate::arguments::ChatOptions;
use crate::interrupt::Interrupt;
use crate::output::tell;
use crate::stop::{Done, Stop};
use conversation::Conversation;
use input::{Input, Line};
use r3mes_engine::BUILTIN;
use std::path::PathBuf;

const HELP: &str = "\
/new            begin a new conversation
/again          answer the last question once more
/undo           take back the last question and its answer
/system [TEXT]  show or set the instructions; `/system clear` removes them
/model [NAME]   show the model, or answer with another one
/set KEY VALUE  temperature, top_p, top_k, min_p, repetition_penalty, seed, max_tokens
/stats          about the last answer
/help           this list
/exit           leave (also Ctrl-D)";

pub fn run(
    home: Option<PathBuf>,
    options: ChatOptions,
    interrupt: &Interrupt,
) -> Result<Done, Stop> {
    let engine = open(home, &options.run)?;
    let model = engine
        .settings()
        .model
        .clone()
        .unwrap_or_else(|| BUILTIN.into());
    // A wrong name is told now, not after the first question.
    engine.models().locate(&model)?;
    let mut input = Input::open(&engine.settings().home.chat_history())?;
    if input.is_interactive() {
        tell(&format!(
            "model `{model}`; /help lists commands, Ctrl-C stops an answer, /exit leaves"
        ));
    }
    let mut conversation = Conversation::new(&engine, options);
    let mut failed = None;
    loop {
        let line = match input.read()? {
            Line::End => break,
            Line::Interrupted => return Err(Stop::Interrupted),
            Line::Text(line) => line,
        };
        let line = line.trim();
        let outcome = match line.strip_prefix('/') {
            _ if line.is_empty() => Ok(()),
            None => conversation.say(line, interrupt),
            Some(command) => match command.split_once(' ').unwrap_or((command, "")) {
                ("exit" | "quit", _) => break,
                ("help", _) => {
                    tell(HELP);
                    Ok(())
                }
                (name, value) => conversation.command(name, value.trim(), interrupt),
            },
        };
        match outcome {
            Ok(()) => {}
            Err(Stop::ReaderGone) => return Err(Stop::ReaderGone),
            Err(stop) => {
                // The conversation goes on; a script still learns of it at the end.
                let _told = stop.report();
                failed = Some(stop);
            }
        }
    }
    match failed.filter(|_| !input.is_interactive()) {
        Some(_) => Err(Stop::Failed("not every line was answered".into())),
        None => Ok(Done),
    }
}
