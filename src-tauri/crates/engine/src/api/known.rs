//! Published models this program knows of, and whether they fit this machine.

use serde::Serialize;

/// How a model fits the memory that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub enum Fit {
    /// With room for everything else.
    Comfortable,
    /// Other programs may have to give way.
    Tight,
    /// It would not run, or only by swapping.
    TooLarge,
}

/// A published model this program knows of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct KnownModel {
    /// `owner/name` on the hub.
    pub repo: String,
    /// The file to fetch, when the repository holds several.
    pub file: Option<String>,
    /// What people call it.
    pub name: String,
    /// Its size as people say it.
    pub parameters: String,
    /// Bytes to fetch.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub download_bytes: u64,
    /// Memory while it answers.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub memory_bytes: u64,
    /// The longest conversation.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub context_tokens: usize,
    /// As its publisher states it.
    pub licence: String,
    /// The one to begin with.
    pub recommended: bool,
    /// Whether it fits here.
    pub fit: Fit,
    /// Memory that is there now.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub free_bytes: u64,
    /// Whether it is installed already.
    pub installed: bool,
}

/// The model in memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct LoadedModel {
    /// Its name.
    pub name: String,
    /// `cpu` and the instruction set, in words.
    pub backend: String,
}

/// Everything about models at once.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ModelsView {
    /// Installed ones, the built-in one first.
    pub installed: Vec<super::ModelEntry>,
    /// Downloads that can go on.
    pub unfinished: Vec<super::Unfinished>,
    /// Published ones.
    pub known: Vec<KnownModel>,
    /// The one in memory.
    pub loaded: Option<LoadedModel>,
}

/// How the next question would fill the context; tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ContextUse {
    /// The longest conversation of the model.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub limit: usize,
    /// The system prompt.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub system: usize,
    /// The messages so far.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub history: usize,
    /// The question in the making.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub draft: usize,
    /// Kept free for the answer.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub answer: usize,
}
