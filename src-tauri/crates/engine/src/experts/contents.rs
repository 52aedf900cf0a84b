//! The files of an expert, installed or in a pack: their names and how large they may be.

/// How the adapter is to be read.
pub(crate) const CONFIG: &str = "adapter_config.json";
/// Its numbers.
pub(crate) const WEIGHTS: &str = "adapter_model.safetensors";
/// What it is, for people; and, where it is installed, when and from where.
pub(crate) const CARD: &str = "expert.json";
/// Example questions for the router, one JSON object a line.
pub(crate) const EXAMPLES: &str = "examples.jsonl";
/// The terms of use.
pub(crate) const LICENCE: &str = "LICENSE";
/// What was measured against the base model.
pub(crate) const EVALUATION: &str = "evaluation.json";

/// A file that an expert may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    /// Its name.
    pub name: &'static str,
    /// The largest it may be.
    pub most_bytes: u64,
    /// Whether no expert is without it.
    pub required: bool,
}

const fn content(name: &'static str, most_bytes: u64, required: bool) -> Content {
    Content {
        name,
        most_bytes,
        required,
    }
}

/// Every file an expert may have, in the order a pack holds them.
pub(crate) const CONTENTS: [Content; 6] = [
    content(CARD, 1 << 20, false),
    content(CONFIG, 1 << 20, true),
    content(EXAMPLES, 16 << 20, false),
    content(LICENCE, 1 << 20, false),
    content(EVALUATION, 1 << 20, false),
    // Rank 256 on every linear of the largest model this program reads, in f32, is below this.
    content(WEIGHTS, 8 << 30, true),
];

/// The file of that name.
pub(crate) fn find(name: &str) -> Option<Content> {
    CONTENTS.into_iter().find(|content| content.name == name)
}
