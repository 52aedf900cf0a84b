//! `config.json` beside sound weights.

#![no_main]

use libfuzzer_sys::fuzz_target;
use r3mes_model_fuzz::{Folder, loads, seed};

fuzz_target!(|bytes: &[u8]| {
    let folder = Folder::with(&[("config.json", bytes), ("model.safetensors", seed::TENSORS)]);
    loads(folder.path());
});
