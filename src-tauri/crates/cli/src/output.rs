//! Data on stdout, everything else on stderr. Nothing here panics when a reader is gone.

use crate::stop::Stop;
use serde::Serialize;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Writes data and passes it on at once.
pub fn print(text: &str) -> Result<(), Stop> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    Ok(())
}

/// Writes a line of data.
pub fn print_line(text: &str) -> Result<(), Stop> {
    print(&format!("{text}\n"))
}

/// Writes one JSON value: one line for programs, indented for people.
pub fn print_json<T: Serialize>(value: &T) -> Result<(), Stop> {
    let text = match io::stdout().is_terminal() {
        true => serde_json::to_string_pretty(value),
        false => serde_json::to_string(value),
    };
    let text = text.map_err(|error| Stop::Failed(format!("cannot write JSON: {error}")))?;
    print_line(&text)
}

/// Writes a line for the person.
pub fn tell(text: &str) {
    // Nobody is left to be told when stderr is closed.
    let _unheard = writeln!(io::stderr(), "{text}");
}

/// A line on stderr that is rewritten while something goes on; on anything but a terminal, a new line now and then.
pub struct Status {
    terminal: bool,
    last: Option<Instant>,
    open: bool,
}

const ON_TERMINAL: Duration = Duration::from_millis(100);
const ELSEWHERE: Duration = Duration::from_secs(5);

impl Status {
    /// Shows nothing yet. What is over within seconds leaves no line in a log.
    pub fn new() -> Status {
        let terminal = io::stderr().is_terminal();
        Status {
            terminal,
            last: (!terminal).then(Instant::now),
            open: false,
        }
    }

    /// Shows `text` if enough time has passed since the last one.
    pub fn update(&mut self, text: &str) {
        let pause = if self.terminal {
            ON_TERMINAL
        } else {
            ELSEWHERE
        };
        if self.last.is_some_and(|last| last.elapsed() < pause) {
            return;
        }
        self.last = Some(Instant::now());
        if self.terminal {
            let _unheard = write!(io::stderr(), "\r\x1b[2K{text}");
            self.open = true;
        } else {
            tell(text);
        }
    }

    /// Takes the line away, for data or a lasting message.
    pub fn clear(&mut self) {
        if self.open {
            let _unheard = write!(io::stderr(), "\r\x1b[2K");
            self.open = false;
        }
    }

    /// Shows a message that stays.
    pub fn say(&mut self, text: &str) {
        self.clear();
        tell(text);
    }
}

impl Drop for Status {
    fn drop(&mut self) {
        self.clear();
    }
}
