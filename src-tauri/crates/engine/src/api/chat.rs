//! A question in a stored conversation, and what is told while it is answered.

use super::conversation::{ConversationSummary, Message};
use super::{ExpertChoice, Routing};
use serde::{Deserialize, Serialize};

/// A new question below `parent`; none for a first message. Editing is asking again below the edited message's parent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct AskRequest {
    /// The conversation.
    pub conversation_id: String,
    /// The message it follows.
    pub parent: Option<String>,
    /// The question.
    pub text: String,
    /// Who is to answer.
    #[serde(default)]
    pub experts: ExpertChoice,
}

/// One step of an answer in a conversation: `Stored` first, `Done` or `Failed` last.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[expect(
    clippy::large_enum_variant,
    reason = "one event is alive at a time, and the largest come twice in an answer"
)]
pub enum ChatEvent {
    /// Both are on disk before anything is computed.
    Stored {
        /// The question; none when another answer to an old one was asked for.
        question: Option<Message>,
        /// The empty answer, in the state `running`.
        answer: Message,
    },
    /// The answer waits for others, or the model is being brought into memory.
    Loading {
        /// What is being done, in words.
        phase: String,
        /// Units done; the unit is the phase's own.
        #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
        done: u64,
        /// Units in all; 0 when not known.
        #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
        total: u64,
    },
    /// It is decided who helps.
    Routed(Box<Routing>),
    /// The prompt is being processed.
    Prefill {
        /// Tokens processed or found in memory.
        #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
        done_tokens: usize,
        /// Tokens of the prompt.
        #[cfg_attr(feature = "specta", specta(type = specta_typescript::Number))]
        total_tokens: usize,
    },
    /// A piece of the answer.
    Token {
        /// The piece.
        text: String,
    },
    /// The answer is finished, or was cancelled.
    Done {
        /// As it is stored.
        answer: Message,
        /// Its conversation as the list shows it.
        summary: ConversationSummary,
    },
    /// The answer could not be finished; why stands in it.
    Failed {
        /// As it is stored.
        answer: Message,
        /// Its conversation as the list shows it.
        summary: ConversationSummary,
    },
}

/// What changed, for hosts that show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub enum Change {
    /// The list of conversations, or one of them.
    Conversations,
    /// Installed models, the chosen one, or the one in memory.
    Models,
    /// Installed experts, where they are, or what is pinned.
    Experts,
    /// Long work.
    Jobs,
    /// Settings.
    Settings,
}
