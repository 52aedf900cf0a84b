//! The window: the engine behind typed commands, in a web view that can reach nothing else.
//!
//! A command is one line over the engine. What is decided here is what only a window has: its look and place, its
//! settings, its start, the files a person picks. This crate never sees a tensor or a file format of models.
//!
//! Invariants:
//! - The window is there before anything is opened; commands wait for what they need.
//! - Nothing that a person typed is written to a log.
//! - The web view may listen to announcements and call these commands; everything else is denied (`capabilities/`).

mod backup;
mod bindings;
#[allow(
    clippy::let_underscore_must_use,
    reason = "the macro of a command writes such a line"
)]
mod commands;
mod desk;
mod diagnostics;
mod expert_settings;
mod files;
mod log;
mod redact;
mod settings;
mod shell;
mod watchdog;
mod webkit;
mod window;

pub use bindings::typescript;
pub use shell::run;
