//! Answers a query: settings, model catalogue, downloads, the thread that owns the model.
//!
//! Hosts (terminal, window, server) call this crate and nothing below it. They see plain data and events, never a tensor
//! or a file format. This crate never sees a terminal, a window or a socket it serves.
//!
//! Invariants:
//! - [`Engine::open`] builds everything or fails; settings are resolved before it, once.
//! - One thread owns the model. Dropping an [`Answer`] stops the work behind it.
//! - What the catalogue lists as ready is whole; downloads become visible by one rename.

pub mod api;
mod ask;
mod bench;
mod budget;
mod cancel;
mod catalogue;
mod chat;
mod context;
mod conversations;
mod debug;
mod download;
mod embedder;
mod engine;
mod error;
mod experts;
mod folders;
mod gating;
mod hardware;
mod help;
mod inspect;
mod jobs;
mod loaded;
mod memory;
mod probe;
mod random;
pub mod router;
mod routing;
mod sequences;
mod settings;
mod tiers;

pub use budget::{ManualBudget, MemoryBudget, TierBudget};
pub use cancel::Cancel;
pub use catalogue::{BUILTIN, Catalogue, Located, Shelf};
pub use chat::Chat;
pub use conversations::{AnswerEnd, Asked, Conversations, Finished, Label};
pub use debug::synth;
pub use download::{DownloadError, outbound_hosts};
pub use embedder::RECOMMENDED_EMBEDDER;
pub use engine::{Answer, Engine, MOST_QUERY_CHARS, Waited};
pub use error::{EngineError, ErrorCode};
pub use experts::Experts;
pub use folders::Home;
pub use gating::{ExpertFacts, MOST_EXPERTS, Plan, Planned, Policy, plan};
pub use jobs::{Announce, Jobs};
pub use probe::{MemoryFacts, MemoryProbe};
pub use settings::{
    DownloadSettings, ExpertSettings, Flags, KvFormat, RouterSettings, SamplingDefaults, Settings,
    SettingsLock, most_threads,
};
