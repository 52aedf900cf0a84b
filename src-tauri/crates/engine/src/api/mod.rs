//! The types that hosts see, and the JSON that clients see.
//!
//! Everything here is plain data: no tensor, no file format, no handle.
//! Field names are public; scripts and clients are written against them.

mod answer;
mod bench;
mod chat;
pub mod conversation;
mod debug;
mod embed;
mod event;
mod expert;
mod hardware;
mod job;
mod known;
mod model;
mod pull;
mod query;
mod route;

pub use answer::*;
pub use bench::*;
pub use chat::*;
pub use debug::*;
pub use embed::*;
pub use event::*;
pub use expert::*;
pub use hardware::*;
pub use job::*;
pub use known::*;
pub use model::*;
pub use pull::*;
pub use query::*;
pub use route::*;
