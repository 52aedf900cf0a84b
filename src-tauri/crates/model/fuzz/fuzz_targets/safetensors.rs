//! `model.safetensors` beside a sound `config.json`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use r3mes_model_fuzz::{Folder, loads, seed};

fuzz_target!(|bytes: &[u8]| {
    let folder = Folder::with(&[("config.json", seed::CONFIG), ("model.safetensors", bytes)]);
    loads(folder.path());
});
