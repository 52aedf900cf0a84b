//! `tokenizer.json`: read, and if that works, text to tokens and back.

#![no_main]

use libfuzzer_sys::fuzz_target;
use r3mes_model::text::{SpecialTokens, Text};
use r3mes_model_fuzz::Folder;

fuzz_target!(|bytes: &[u8]| {
    let folder = Folder::with(&[("tokenizer.json", bytes)]);
    let Ok(text) = Text::load_hub(folder.path()) else {
        return;
    };
    for sample in ["", "a b", "aaaa  <s>ş\n\n12345 🙂'll"] {
        let Ok(ids) = text.encode(sample, SpecialTokens::Add) else {
            continue;
        };
        assert!(ids.iter().all(|&id| (id as usize) < text.rows()));
        text.decode(&ids);
    }
});
