//! What a host asks.

use super::ExpertChoice;
use serde::{Deserialize, Serialize};

/// Who said a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub enum Role {
    /// Instructions that hold for the whole conversation.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// The word used in chat templates.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
        }
    }
}

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who said it.
    pub role: Role,
    /// What was said.
    pub content: String,
}

impl Message {
    /// A message of `role`.
    pub fn new(role: Role, content: impl Into<String>) -> Message {
        Message {
            role,
            content: content.into(),
        }
    }
}

/// How the next token is chosen. Each `None` takes the value of the settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SamplingChoice {
    /// 0 is greedy.
    pub temperature: Option<f32>,
    /// Keep the likeliest tokens that together reach this probability.
    pub top_p: Option<f32>,
    /// Keep this many of the likeliest tokens; 0 keeps all.
    pub top_k: Option<usize>,
    /// Keep tokens at least this fraction as likely as the likeliest.
    pub min_p: Option<f32>,
    /// Divides (or multiplies, when negative) the logits of tokens seen before; 1 is off.
    pub repetition_penalty: Option<f32>,
    /// Same seed, same text; without one a new seed is drawn for each answer.
    pub seed: Option<u64>,
    /// Text that ends the answer and is not part of it.
    pub stop: Vec<String>,
}

/// One question: a conversation whose last message the model answers.
#[derive(Clone, Debug)]
pub struct Query {
    /// The conversation, oldest message first.
    pub messages: Vec<Message>,
    /// How tokens are chosen.
    pub sampling: SamplingChoice,
    /// The longest answer, in tokens; `None` takes the value of the settings.
    pub max_tokens: Option<usize>,
    /// Who is to answer.
    pub experts: ExpertChoice,
}

impl Query {
    /// A single question without history.
    pub fn text(question: impl Into<String>) -> Query {
        Query {
            messages: vec![Message::new(Role::User, question)],
            sampling: SamplingChoice::default(),
            max_tokens: None,
            experts: ExpertChoice::Auto,
        }
    }
}
