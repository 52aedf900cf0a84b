//! The finished answer, in the shape every client reads.

use super::Route;
use serde::{Deserialize, Serialize};

/// Why the answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub enum FinishReason {
    /// The model ended its turn, or a stop string was met.
    Stop,
    /// The limit on tokens, or the end of the context, was reached.
    Length,
    /// Someone asked to stop. The text so far is kept.
    Cancelled,
}

/// An expert that took part.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExpertUsed {
    /// Its id.
    pub expert_id: String,
    /// Its share of the mix.
    pub weight: f32,
    /// Which version of its file.
    pub generation: String,
}

/// A passage the answer may cite.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Citation {
    /// Its number in the text.
    pub n: usize,
    /// The document it is from.
    pub document_id: String,
    /// The document's title.
    pub title: String,
    /// Page, where the document has pages.
    pub page: Option<usize>,
    /// First character of the passage in the document.
    pub start: usize,
    /// One past the last character.
    pub end: usize,
    /// Relevance, 0 to 1.
    pub score: f32,
    /// The passage.
    pub text: String,
}

/// Times in milliseconds, counts in tokens.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Metrics {
    /// From the question to the last token.
    pub total_time_ms: f64,
    /// Retrieval.
    pub rag_time_ms: f64,
    /// Routing.
    pub routing_time_ms: f64,
    /// Bringing model and adapters into memory; 0 when they were there.
    pub loading_time_ms: f64,
    /// Of which adapters.
    pub expert_loading_time_ms: f64,
    /// Processing the prompt.
    pub prefill_time_ms: f64,
    /// Producing the answer's tokens.
    pub inference_time_ms: f64,
    /// From the question to the first token.
    pub time_to_first_token_ms: f64,
    /// Tokens of the rendered conversation.
    pub prompt_tokens: usize,
    /// Tokens produced.
    pub completion_tokens: usize,
    /// Prompt tokens whose keys and values were still in memory.
    pub cached_tokens: usize,
    /// Prompt tokens processed per second.
    pub prefill_tokens_per_second: f64,
    /// Tokens produced per second.
    pub decode_tokens_per_second: f64,
    /// As in [`Route`].
    pub used_fast_path: bool,
    /// Adapters found in memory.
    pub cache_hits: usize,
    /// Adapters fetched from disk.
    pub cache_misses: usize,
}

/// One finished answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AnswerResult {
    /// Names this request in logs; a version 4 UUID.
    pub request_id: String,
    /// The text.
    pub output: String,
    /// Why it ended.
    pub finish_reason: FinishReason,
    /// The installed name or path of the model that answered.
    pub model: String,
    /// The seed that reproduces the text.
    pub seed: u64,
    /// Experts that took part.
    pub experts_used: Vec<ExpertUsed>,
    /// Experts that were considered.
    pub route: Route,
    /// Text given to the model beside the question.
    pub rag_context: Option<String>,
    /// Passages in that text.
    pub citations: Vec<Citation>,
    /// Times and counts.
    pub metrics: Metrics,
}
