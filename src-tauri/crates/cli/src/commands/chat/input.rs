//! Lines from the person: edited, with history, or plain when stdin is no terminal.

use crate::output::tell;
use crate::stop::Stop;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{
    Behavior, Cmd, ConditionalEventHandler, Config, Editor, Event, EventContext, EventHandler,
    KeyEvent, Movement, RepeatCount,
};
use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};

const PROMPT: &str = "> ";

/// What was typed.
pub enum Line {
    Text(String),
    /// Ctrl-C twice on empty lines.
    Interrupted,
    /// Ctrl-D, or the end of a file.
    End,
}

/// Where lines come from.
pub enum Input {
    Terminal {
        editor: Box<Editor<(), FileHistory>>,
        history: PathBuf,
    },
    Plain,
}

impl Input {
    /// A line editor with the history of earlier conversations, or plain lines.
    pub fn open(history: &Path) -> Result<Input, Stop> {
        if !std::io::stdin().is_terminal() {
            return Ok(Input::Plain);
        }
        let config = Config::builder().behavior(Behavior::PreferTerm).build();
        let mut editor: Editor<(), FileHistory> = Editor::with_config(config)
            .map_err(|error| Stop::Failed(format!("cannot read the terminal: {error}")))?;
        let clear = EventHandler::Conditional(Box::new(ClearFirst));
        editor.bind_sequence(KeyEvent::ctrl('C'), clear);
        // The first conversation has no history yet.
        let _absent = editor.load_history(history);
        Ok(Input::Terminal {
            editor: Box::new(editor),
            history: history.to_owned(),
        })
    }

    /// Whether a person types.
    pub fn is_interactive(&self) -> bool {
        matches!(self, Input::Terminal { .. })
    }

    /// The next line.
    pub fn read(&mut self) -> Result<Line, Stop> {
        match self {
            Input::Plain => plain(),
            Input::Terminal { editor, history } => {
                let mut interrupted = false;
                loop {
                    match editor.readline(PROMPT) {
                        Ok(line) => {
                            if !line.trim().is_empty() {
                                remember(editor, history, &line);
                            }
                            return Ok(Line::Text(line));
                        }
                        Err(ReadlineError::Interrupted) if interrupted => {
                            return Ok(Line::Interrupted);
                        }
                        Err(ReadlineError::Interrupted) => {
                            interrupted = true;
                            tell("Ctrl-C again leaves");
                        }
                        Err(ReadlineError::Eof) => return Ok(Line::End),
                        Err(error) => {
                            return Err(Stop::Failed(format!("cannot read the terminal: {error}")));
                        }
                    }
                }
            }
        }
    }
}

/// Ctrl-C takes away what was typed; only on an empty line does it ask to leave.
struct ClearFirst;

impl ConditionalEventHandler for ClearFirst {
    fn handle(
        &self,
        _: &Event,
        _: RepeatCount,
        _: bool,
        context: &EventContext<'_>,
    ) -> Option<Cmd> {
        let typed = !context.line().is_empty();
        typed.then_some(Cmd::Kill(Movement::WholeBuffer))
    }
}

/// Keeps the line for the next conversation too. A history that cannot be written is no reason to stop talking.
fn remember(editor: &mut Editor<(), FileHistory>, history: &Path, line: &str) {
    let _repeated = editor.add_history_entry(line);
    if let Some(folder) = history.parent() {
        let _unwritable = std::fs::create_dir_all(folder);
    }
    let _unwritable = editor.save_history(history);
}

fn plain() -> Result<Line, Stop> {
    let mut bytes = Vec::new();
    let read = std::io::stdin()
        .lock()
        .read_until(b'\n', &mut bytes)
        .map_err(|error| Stop::Failed(format!("cannot read stdin: {error}")))?;
    match read {
        0 => Ok(Line::End),
        _ => Ok(Line::Text(String::from_utf8_lossy(&bytes).into_owned())),
    }
}
