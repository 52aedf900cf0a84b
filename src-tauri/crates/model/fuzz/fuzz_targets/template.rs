//! A chat template: compiled and rendered.

#![no_main]

use libfuzzer_sys::fuzz_target;
use r3mes_model::text::{ChatTemplate, GenerationPrompt, Message, TemplateOrigin};

fuzz_target!(|source: &str| {
    let Ok(template) = ChatTemplate::new(source.to_owned(), TemplateOrigin::Gguf) else {
        return;
    };
    let turns = [
        Message::new("system", "Be brief."),
        Message::new("user", "Şeker nedir?"),
        Message::new("assistant", " A \"sugar\" <b>. "),
    ];
    for prompt in [GenerationPrompt::Add, GenerationPrompt::Omit] {
        // Any outcome is right as long as there is one.
        drop(template.render(&turns, prompt));
    }
});
