//! `model.safetensors.index.json` beside a sound `config.json` and sound shards.

#![no_main]

use libfuzzer_sys::fuzz_target;
use r3mes_model_fuzz::{Folder, loads, seed};

fuzz_target!(|bytes: &[u8]| {
    let [first, second] = seed::SHARDS;
    let index = ("model.safetensors.index.json", bytes);
    let folder = Folder::with(&[("config.json", seed::CONFIG), index, first, second]);
    loads(folder.path());
});
