//! BitNet b1.58 models: load any published layout, run prefill and decode, choose tokens, speak their text.
//!
//! Files become [`weights`] through [`load`](mod@load), weights and a tokenizer become a [`model`], a model and a prompt become
//! tokens in [`generate`](mod@generate); an [`adapter`] changes what the linears compute. candle serves where the README says; the hot path is `r3mes-kernels` on flat buffers.
//!
//! This crate does not know of data folders, downloads, settings, conversations or adapters' places on disk: it is given paths and
//! values. Invariants: model files are hostile until checked and never cause a panic; the same tokens give the same bits, however the
//! work was split.

pub mod adapter;
mod checksum;
pub mod config;
pub mod element;
pub mod embedding;
pub mod forward;
pub mod generate;
pub mod gguf;
pub mod inspect;
pub mod load;
pub mod model;
pub mod reference;
pub mod sampling;
pub mod synth;
pub mod table;
pub mod text;
pub mod traffic;
pub mod verify;
pub mod weights;
