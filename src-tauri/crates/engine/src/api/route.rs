//! Who was considered for a question, who helps, and why.

use serde::{Deserialize, Serialize};

/// How an expert scored for the question.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ExpertScore {
    /// Its id.
    pub expert_id: String,
    /// Score of the keyword stage, 0 to 1: a calibrated probability.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub keyword: f32,
    /// Score of the semantic stage, 0 to 1: a calibrated probability. 0 where the stage did not run.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub semantic: f32,
    /// The two together.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub fused: f32,
    /// Reasons in words.
    pub why: Vec<String>,
    /// Words of the question that the lexicon knows, strongest first.
    pub matched: Vec<MatchedWord>,
    /// Examples of this expert that are nearest to the question, nearest first.
    pub nearest: Vec<NearestExample>,
}

/// A word or phrase of the question that the lexicon knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct MatchedWord {
    /// As it stands in the question.
    pub text: String,
    /// The entry of the lexicon.
    pub entry: String,
    /// What it adds to the score.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub weight: f32,
}

/// An example question of an expert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct NearestExample {
    /// The example.
    pub text: String,
    /// Cosine of the angle between the two embeddings.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub similarity: f32,
}

/// An expert with its share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ExpertWeight {
    /// Its id.
    pub expert_id: String,
    /// Its share; the shares of a mix add up to 1.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub weight: f32,
}

/// An expert that was wanted and could not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ExpertDropped {
    /// Its id.
    pub expert_id: String,
    /// The reason, in bytes where it is about memory.
    pub reason: String,
}

/// How the candidates came to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub enum RouteReason {
    /// Nobody was considered: no question was routed.
    #[default]
    None,
    /// The keyword stage was sure enough to decide alone.
    FastPath,
    /// Both stages together.
    Fused,
    /// No expert was sure, so the fallback joined.
    Fallback,
    /// No expert fits; the base model answers.
    Rejected,
    /// The experts of the previous answer stay: another would gain less than reading the conversation again costs.
    Kept,
    /// Named by the person or the program that asks.
    Forced,
}

/// Who was considered for the question.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Route {
    /// Whether the keyword stage was sure enough to decide alone.
    pub used_fast_path: bool,
    /// Every expert that scored, best first.
    pub scores: Vec<ExpertScore>,
    /// Every expert that was dropped by the gate.
    pub dropped: Vec<ExpertDropped>,
    /// Those who should help, best first; the gate decides who can. Empty is the base model.
    pub candidates: Vec<ExpertWeight>,
    /// How the candidates came to be.
    pub reason: RouteReason,
    /// The reason in words, with its numbers.
    pub reason_text: String,
    /// The language of the question, where it could be told: `en` or `tr`.
    pub language: Option<String>,
    /// Time of the keyword stage, in milliseconds.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub keyword_ms: f64,
    /// Time of the semantic stage, in milliseconds; 0 where it did not run.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub semantic_ms: f64,
}
