//! Loading: every layout gives the same weights, every bad file gives one clear error.

mod fixture;
mod gguf_file;
mod hostile_cache;
mod hostile_gguf;
mod hostile_hub;
mod layouts;
mod synthetic;
