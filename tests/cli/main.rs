//! The `r3mes` binary as scripts and people use it: arguments in, exit code, stdout and stderr out.
//!
//! Hermetic: every test has its own data folder, models are tiny and random, the hub is a stand-in on loopback.

mod adapters;
mod answers;
mod download;
mod downloads_resumed;
mod embed;
mod embedders;
mod hub;
mod inspection;
mod interrupted;
mod models;
mod route;
mod support;
#[cfg(unix)]
mod terminal;
mod usage;
