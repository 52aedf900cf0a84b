//! Why a command ends before its end, and the exit code that says so.

use r3mes_engine::{EngineError, ErrorCode};
use std::io;
use std::process::ExitCode;

/// A command did what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done;

const FAILED: u8 = 1;
const BAD_USAGE: u8 = 2;
/// 128 + SIGINT, as shells report it.
pub const INTERRUPTED: u8 = 130;

/// Why a command ends before its end.
#[derive(Debug)]
pub enum Stop {
    /// The engine reports a failure.
    Engine(EngineError),
    /// An answer reports a failure.
    Answer { code: ErrorCode, message: String },
    /// The command itself found that it cannot be done; already in words.
    Failed(String),
    /// The arguments cannot be right.
    Usage(String),
    /// The person pressed Ctrl-C.
    Interrupted,
    /// Whoever read stdout is gone, as in `r3mes model list | head -1`.
    ReaderGone,
}

impl Stop {
    /// Tells the person on stderr and gives the exit code.
    pub fn report(&self) -> ExitCode {
        let (code, message) = match self {
            Stop::Engine(error) => (exit_code(error.code()), Some(error.report())),
            Stop::Answer { code, message } => (exit_code(*code), Some(message.clone())),
            Stop::Failed(message) => (FAILED, Some(message.clone())),
            Stop::Usage(message) => (BAD_USAGE, Some(message.clone())),
            Stop::Interrupted => (INTERRUPTED, None),
            Stop::ReaderGone => (0, None),
        };
        if let Some(message) = message {
            crate::output::tell(&format!("error: {message}"));
        }
        ExitCode::from(code)
    }
}

fn exit_code(code: ErrorCode) -> u8 {
    match code {
        ErrorCode::UnknownName | ErrorCode::BadRequest | ErrorCode::NameTaken => BAD_USAGE,
        ErrorCode::ContextLengthExceeded
        | ErrorCode::ModelUnusable
        | ErrorCode::ExpertUnusable
        | ErrorCode::Download
        | ErrorCode::Busy
        | ErrorCode::DiskFull
        | ErrorCode::Store
        | ErrorCode::Failed => FAILED,
    }
}

impl From<EngineError> for Stop {
    fn from(error: EngineError) -> Stop {
        Stop::Engine(error)
    }
}

impl From<io::Error> for Stop {
    /// For writes to stdout.
    fn from(error: io::Error) -> Stop {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Stop::ReaderGone,
            _ => Stop::Failed(format!("cannot write to stdout: {error}")),
        }
    }
}
