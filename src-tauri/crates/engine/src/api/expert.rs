//! Experts as hosts see them: what is installed, where it is, how it is doing.

use super::Route;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The fallback when no expert is sure.
pub const FALLBACK_EXPERT: &str = "general_dora";

/// The ids every installation knows, whether their files are there or not, with their domains.
pub const KNOWN_EXPERTS: [(&str, &str); 7] = [
    ("medical_dora", "medical"),
    ("legal_dora", "legal"),
    ("coding_dora", "coding"),
    ("finance_dora", "finance"),
    ("turkish_dora", "turkish"),
    (FALLBACK_EXPERT, "general"),
    ("science_dora", "science"),
];

/// Where an adapter is resident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub enum Tier {
    /// Memory of a graphics processor.
    Vram,
    /// Main memory.
    Ram,
    /// Its files only.
    Disk,
}

/// How an adapter changes a linear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub enum AdapterKind {
    /// DoRA as PEFT stores it.
    WeightDecomposed,
    /// The R3MES form: a low-rank direction with its own magnitude, added.
    Additive,
    /// Plain LoRA.
    LowRank,
}

/// One expert, installed or known by name only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ExpertEntry {
    /// Its id.
    pub expert_id: String,
    /// Its field, in one word.
    pub domain: String,
    /// Whether its files are installed.
    pub registered: bool,
    /// Where it is now; absent when nothing is installed or it is broken.
    pub tier: Option<Tier>,
    /// Bytes of its files.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub size_bytes: u64,
    /// Bytes it takes in memory; absent when not installed or broken.
    #[cfg_attr(feature = "specta", specta(type = Option<specta_typescript::Number>))]
    pub resident_bytes: Option<u64>,
    /// Version of its files: `sha256:…` of their content; empty when not installed.
    pub generation: String,
    /// Whether it stays in memory whatever happens.
    pub pinned: bool,
    /// Why it cannot be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Name for people.
    pub name: String,
    /// What it is good for, in a sentence; may be empty.
    pub description: String,
    /// Licence of its files, where stated.
    pub licence: Option<String>,
    /// The model it was made for, where stated.
    pub base_model: Option<String>,
    /// How it changes a linear; absent when not installed or broken.
    pub kind: Option<AdapterKind>,
    /// Its rank; absent when not installed or broken.
    #[cfg_attr(feature = "specta", specta(type = Option<specta_typescript::Number>))]
    pub rank: Option<usize>,
    /// Example questions it brings for the router.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub examples: usize,
    /// Perplexity or other figures against the base model, as its evaluation states them.
    pub evaluation: Vec<EvaluationFigure>,
    /// Questions that found it in memory, since the program started.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub hits: u64,
    /// Questions that had to fetch it from disk, since the program started.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub misses: u64,
    /// When it last helped, in milliseconds since 1970; absent when it has not since the program started.
    #[cfg_attr(feature = "specta", specta(type = Option<specta_typescript::Number>))]
    pub last_used_ms: Option<u64>,
}

/// One figure of an expert's evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct EvaluationFigure {
    /// What was measured.
    pub name: String,
    /// With the base model.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub base: f64,
    /// With the expert.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub expert: f64,
    /// Whether less is better.
    pub lower_is_better: bool,
}

/// What a tier holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct TierReport {
    /// Which.
    pub tier: Tier,
    /// Whether this machine has it.
    pub present: bool,
    /// Why, or why not, and where the budget comes from.
    pub reason: String,
    /// Bytes we may use for adapters; 0 when absent, the free space for the disk.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub budget_bytes: u64,
    /// Bytes adapters use now.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub used_bytes: u64,
    /// Adapters there.
    pub experts: Vec<String>,
    /// Requests served from here, since the program started.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub hits: u64,
    /// Adapters pushed out of here, since the program started.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub evictions: u64,
}

/// How a preload of one expert went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct PreloadReport {
    /// The expert.
    pub expert_id: String,
    /// Where it is now; absent when it failed.
    pub tier: Option<Tier>,
    /// How long it took, in milliseconds.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub ms: f64,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// An expert to install: a folder as PEFT or the R3MES trainer leaves it, or a `.r3mes-expert` pack. What is not said here
/// is taken from what the files say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(default)]
pub struct ExpertImport {
    /// The folder or pack.
    pub path: PathBuf,
    /// Its id here.
    pub id: Option<String>,
    /// Name for people.
    pub name: Option<String>,
    /// Its field, in one word.
    pub domain: Option<String>,
    /// What it is good for, in a sentence.
    pub description: Option<String>,
    /// Licence of its files.
    pub licence: Option<String>,
}

/// A pack that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ExpertExport {
    /// The expert.
    pub expert_id: String,
    /// The file.
    pub path: PathBuf,
    /// Its bytes.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub size_bytes: u64,
}

/// Who is to answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "lowercase")]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub enum ExpertChoice {
    /// Whoever the router finds.
    #[default]
    Auto,
    /// These, or an error; equal shares.
    Pinned {
        /// Their ids.
        ids: Vec<String>,
    },
    /// The model alone.
    Base,
}

/// An expert that helps with an answer, and where it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct PlannedExpert {
    /// Its id.
    pub expert_id: String,
    /// Its share of the mix.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub weight: f32,
    /// Which version of its files.
    pub generation: String,
    /// Where it computes.
    pub tier: Tier,
    /// Bytes it takes there.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub resident_bytes: u64,
    /// Whether it had to be read from disk for this answer.
    pub fetched: bool,
}

/// Who was considered for an answer, and who helps.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Routing {
    /// Who was considered, and why.
    pub route: Route,
    /// Who helps, best first; nobody is the base model.
    pub experts: Vec<PlannedExpert>,
    /// What the gate decided, in words with bytes.
    pub verdict: String,
}

/// Who should have answered, as a person says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ExpertLabel {
    /// The expert; none is the base model.
    pub expert_id: Option<String>,
}

/// What a refit of the router brought: shares of the labels that are routed right, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct RefitReport {
    /// Labels it saw.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub labels: usize,
    /// Before it.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub before: f64,
    /// After it, each label judged without itself.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub after: f64,
}

/// Labels that people gave.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct RouterLabels {
    /// Answers that carry a label.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub total: usize,
    /// Those of them that no refit has seen.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub unused: usize,
    /// The refit in use, which can be undone.
    pub refit: Option<RefitReport>,
}

/// A file of questions whose expert is known, routed one by one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct RouteFileReport {
    /// Questions.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub rows: usize,
    /// Those routed to their expert.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub correct: usize,
    /// Lines that could not be read or name no known expert.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub skipped: usize,
    /// Mean of the experts' F1.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub macro_f1: f64,
    /// For one question, in milliseconds.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub mean_ms: f64,
    /// Names of rows and columns; the empty one is the base model.
    pub experts: Vec<String>,
    /// `confusion[expected][routed]`.
    #[cfg_attr(feature = "specta", specta(type = Vec<Vec<specta_typescript::Number>>))]
    pub confusion: Vec<Vec<usize>>,
}
