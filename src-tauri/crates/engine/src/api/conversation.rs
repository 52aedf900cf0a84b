//! Stored conversations as hosts see them. Times are milliseconds since 1970.
//!
//! A conversation is a tree of messages: an edited question and an answer made again are siblings of the first ones.
//! These names repeat some of a query's (`Message`), so hosts name the module.

use super::{ExpertLabel, FinishReason, Metrics, Role, Routing, SamplingChoice};
use serde::{Deserialize, Serialize};

/// One conversation in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ConversationSummary {
    /// A UUID.
    pub id: String,
    /// Empty until the first question names it.
    pub title: String,
    /// Whether it stays at the top.
    pub pinned: bool,
    /// When it was made.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub created_at: i64,
    /// When the last message came.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub updated_at: i64,
    /// Messages in its tree, siblings included.
    pub message_count: u32,
}

/// How far a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub enum MessageState {
    /// Whole.
    Complete,
    /// Being made.
    Running,
    /// Someone asked to stop; the text so far is kept.
    Cancelled,
    /// The program ended while it was made; the text so far is kept.
    Interrupted,
    /// Something went wrong.
    Failed,
}

/// What went wrong with an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct MessageError {
    /// The [`crate::ErrorCode`], as clients see it.
    pub code: String,
    /// May end with a line `hint: …`.
    pub message: String,
}

/// Times in milliseconds, counts in tokens: what of [`Metrics`] is kept with an answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct MessageMetrics {
    /// From the question to the last token.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub total_time_ms: f64,
    /// Bringing the model into memory; 0 when it was there.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub loading_time_ms: f64,
    /// Of which adapters.
    #[serde(default)]
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub expert_loading_time_ms: f64,
    /// Deciding who helps.
    #[serde(default)]
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub routing_time_ms: f64,
    /// Processing the prompt.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub prefill_time_ms: f64,
    /// Producing the answer's tokens.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub inference_time_ms: f64,
    /// From the question to the first token.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub time_to_first_token_ms: f64,
    /// Tokens of the rendered conversation.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub prompt_tokens: usize,
    /// Tokens produced.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub completion_tokens: usize,
    /// Prompt tokens whose keys and values were still in memory.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub cached_tokens: usize,
    /// Prompt tokens processed per second.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub prefill_tokens_per_second: f64,
    /// Tokens produced per second.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub decode_tokens_per_second: f64,
}

impl From<&Metrics> for MessageMetrics {
    fn from(metrics: &Metrics) -> MessageMetrics {
        MessageMetrics {
            total_time_ms: metrics.total_time_ms,
            loading_time_ms: metrics.loading_time_ms,
            expert_loading_time_ms: metrics.expert_loading_time_ms,
            routing_time_ms: metrics.routing_time_ms,
            prefill_time_ms: metrics.prefill_time_ms,
            inference_time_ms: metrics.inference_time_ms,
            time_to_first_token_ms: metrics.time_to_first_token_ms,
            prompt_tokens: metrics.prompt_tokens,
            completion_tokens: metrics.completion_tokens,
            cached_tokens: metrics.cached_tokens,
            prefill_tokens_per_second: metrics.prefill_tokens_per_second,
            decode_tokens_per_second: metrics.decode_tokens_per_second,
        }
    }
}

/// A node of a conversation's tree. Siblings share a parent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Message {
    /// A UUID.
    pub id: String,
    /// The message it follows; none for a first message.
    pub parent: Option<String>,
    /// Who said it.
    pub role: Role,
    /// What was said.
    pub content: String,
    /// When it was stored.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub created_at: i64,
    /// How far it is; questions are complete.
    pub state: MessageState,
    /// Of answers: the model.
    pub model: Option<String>,
    /// Of answers: why it ended.
    pub finish_reason: Option<FinishReason>,
    /// Of answers: the seed that reproduces it, in decimal.
    #[serde(default, with = "decimal")]
    #[cfg_attr(feature = "specta", specta(type = Option<String>))]
    pub seed: Option<u64>,
    /// Of failed answers: why.
    pub error: Option<MessageError>,
    /// Of finished answers: how fast.
    pub metrics: Option<MessageMetrics>,
    /// Of answers: who was considered and who helped. Absent in answers from before there were experts.
    #[serde(default)]
    pub routing: Option<Box<Routing>>,
    /// Of answers: who should have helped, where a person said so.
    #[serde(default)]
    pub expert_label: Option<ExpertLabel>,
}

/// What differs from the settings in one conversation. Each `None` takes the value of the settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename = "SamplingChoice")]
pub struct SamplingOverrides {
    /// 0 is greedy.
    #[cfg_attr(feature = "specta", specta(type = Option<specta_typescript::Number>))]
    pub temperature: Option<f64>,
    /// Keep the likeliest tokens that together reach this probability.
    #[cfg_attr(feature = "specta", specta(type = Option<specta_typescript::Number>))]
    pub top_p: Option<f64>,
    /// Keep this many of the likeliest tokens; 0 keeps all.
    #[cfg_attr(feature = "specta", specta(type = Option<specta_typescript::Number>))]
    pub top_k: Option<usize>,
    /// Keep tokens at least this fraction as likely as the likeliest.
    #[cfg_attr(feature = "specta", specta(type = Option<specta_typescript::Number>))]
    pub min_p: Option<f64>,
    /// Divides the logits of tokens seen before; 1 is off.
    #[cfg_attr(feature = "specta", specta(type = Option<specta_typescript::Number>))]
    pub repetition_penalty: Option<f64>,
    /// Same seed, same text; in decimal.
    #[serde(default, with = "decimal")]
    #[cfg_attr(feature = "specta", specta(type = Option<String>))]
    pub seed: Option<u64>,
    /// The longest answer, in tokens.
    #[cfg_attr(feature = "specta", specta(type = Option<specta_typescript::Number>))]
    pub max_tokens: Option<usize>,
}

impl SamplingOverrides {
    /// What a query takes; `max_tokens` is a field of the query itself.
    pub fn choice(&self) -> SamplingChoice {
        let single = |value: Option<f64>| value.map(|value| value as f32);
        SamplingChoice {
            temperature: single(self.temperature),
            top_p: single(self.top_p),
            top_k: self.top_k,
            min_p: single(self.min_p),
            repetition_penalty: single(self.repetition_penalty),
            seed: self.seed,
            stop: Vec::new(),
        }
    }
}

/// One conversation with everything in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Conversation {
    /// As in the list.
    pub summary: ConversationSummary,
    /// Every node, oldest first: a parent stands before its children.
    pub messages: Vec<Message>,
    /// The last message of the branch that is shown.
    pub leaf: Option<String>,
    /// Instructions that hold for the whole conversation; may be empty.
    pub system_prompt: String,
    /// The preset it was set up with, while that exists.
    pub preset_id: Option<String>,
    /// What differs from the settings.
    pub sampling: SamplingOverrides,
    /// Text that was typed and not sent.
    pub draft: String,
}

/// A named system prompt with its sampling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Preset {
    /// A UUID; empty for a preset that is not stored yet.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Its instructions.
    pub system_prompt: String,
    /// What differs from the settings.
    pub sampling: SamplingOverrides,
}

/// A place where a search found its words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct SearchHit {
    /// The conversation.
    pub conversation_id: String,
    /// Its title.
    pub conversation_title: String,
    /// The message; none when the title matched.
    pub message_id: Option<String>,
    /// Who said it.
    pub role: Option<Role>,
    /// When it was said.
    #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
    pub created_at: i64,
    /// Plain text around the matches.
    pub snippet: String,
    /// The matches in it as `[start, end)` in UTF-16 units, as JavaScript counts.
    #[cfg_attr(feature = "specta", specta(type = Vec<(specta_typescript::Number, specta_typescript::Number)>))]
    pub marks: Vec<(usize, usize)>,
}

/// What an export looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub enum ExportFormat {
    /// The shown branch, to read.
    Markdown,
    /// Everything, to import again.
    Json,
    /// The shown branch, one question and answer a line, to train with.
    Jsonl,
}

/// A number as a decimal text, since it may exceed what a JavaScript number holds.
mod decimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(value: &Option<u64>, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(number) => to.collect_str(number),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| {
            text.parse().map_err(|_| {
                D::Error::custom(format!(
                    "seed `{text}`, expected a number from 0 to 2^64 - 1"
                ))
            })
        })
        .transpose()
    }
}
