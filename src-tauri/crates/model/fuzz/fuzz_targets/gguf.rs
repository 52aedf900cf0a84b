//! A `.gguf` file: header, tokenizer, weights.

#![no_main]

use libfuzzer_sys::fuzz_target;
use r3mes_model::gguf::Gguf;
use r3mes_model::text::Text;
use r3mes_model_fuzz::{Folder, loads};

fuzz_target!(|bytes: &[u8]| {
    let folder = Folder::with(&[("model.gguf", bytes)]);
    let path = folder.path().join("model.gguf");
    if let Ok(gguf) = Gguf::open(&path) {
        drop(Text::from_gguf(&gguf.metadata));
    }
    loads(&path);
});
