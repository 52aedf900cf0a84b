//! How the next question would fill the model's context.

use crate::api::{ContextUse, LoadedModel, Message, Role};
use crate::catalogue::Located;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::inspect::shape_of;
use crate::loaded::open_text;
use r3mes_model::text::{self, GenerationPrompt, SpecialTokens, Text};
use std::sync::Arc;

/// A tokenizer with the context it counts for.
#[derive(Clone)]
pub(crate) struct Counter {
    located: Located,
    text: Arc<Text>,
    limit: usize,
}

impl Engine {
    /// Counts what the conversation (system prompt, history, a draft of the next question) takes of the chosen model's
    /// context. The model need not be in memory for this.
    ///
    /// # Errors
    /// If the model is unknown or its tokenizer cannot be used.
    pub fn context_use(
        &self,
        system: &str,
        history: &[Message],
        draft: &str,
        max_tokens: Option<usize>,
    ) -> Result<ContextUse, EngineError> {
        let settings = self.settings();
        let counter = self.counter(settings.model.as_deref())?;
        let wanted = max_tokens.unwrap_or(settings.max_tokens);
        Ok(ContextUse {
            limit: counter.limit,
            // A long answer is cut by the end of the context; what is kept free must not make every question too long.
            answer: wanted.min(counter.limit / 2),
            ..count(&counter.text, system, history, draft)
        })
    }

    /// The model in memory, when there is one.
    pub fn loaded(&self) -> Option<LoadedModel> {
        self.resident().map(|resident| LoadedModel {
            name: resident.located.name,
            backend: resident.backend,
        })
    }

    fn counter(&self, model: Option<&str>) -> Result<Counter, EngineError> {
        let located = self.models().locate_chosen(model)?;
        if let Some(resident) = self
            .resident()
            .filter(|resident| resident.located == located)
        {
            return Ok(Counter {
                located,
                text: resident.text,
                limit: resident.context_tokens,
            });
        }
        let mut kept = self.kept_counter();
        match &*kept {
            Some(counter) if counter.located == located => Ok(counter.clone()),
            _ => {
                let counter = Counter {
                    text: Arc::new(open_text(&located.path)?),
                    limit: shape_of(&located.path)?.context_tokens,
                    located,
                };
                Ok(kept.insert(counter).clone())
            }
        }
    }
}

/// Tokens of the parts, as differences of what the template makes of the growing conversation.
fn count(text: &Text, system: &str, history: &[Message], draft: &str) -> ContextUse {
    let mut messages = Vec::new();
    let mut before = 0;
    let mut grow = |more: Vec<text::Message>| {
        let contents: Vec<String> = more.iter().map(|message| message.content.clone()).collect();
        messages.extend(more);
        if contents.is_empty() {
            return 0;
        }
        let whole = rendered(text, &messages);
        // A template may refuse a conversation that is not complete yet; then the contents alone are counted.
        let plain = || contents.iter().map(|content| plain(text, content)).sum();
        let added = whole.map_or_else(plain, |whole: usize| whole.saturating_sub(before));
        before += added;
        added
    };
    let one = |role: Role, content: &str| match content.trim() {
        "" => Vec::new(),
        _ => vec![text::Message::new(role.as_str(), content)],
    };
    let system = grow(one(Role::System, system));
    let past = history
        .iter()
        .map(|message| text::Message::new(message.role.as_str(), message.content.as_str()));
    ContextUse {
        system,
        history: grow(past.collect()),
        draft: grow(one(Role::User, draft)),
        ..ContextUse::default()
    }
}

fn rendered(text: &Text, messages: &[text::Message]) -> Option<usize> {
    let rendered = text.render(messages, GenerationPrompt::Omit).ok()?;
    text.encode_rendered(&rendered).ok().map(|ids| ids.len())
}

fn plain(text: &Text, content: &str) -> usize {
    text.encode(content, SpecialTokens::Omit)
        .map_or(0, |ids| ids.len())
}
