//! A question in a stored conversation: stored first, then answered, the text kept while it grows.
//!
//! Whatever happens after [`ChatEvent::Stored`] — a stop, an error, a window that is gone — the answer is in the store
//! with its state; after a kill its last checkpoint is.

#[cfg(test)]
mod tests;

use crate::api::conversation::{Conversation, Message, MessageError, MessageMetrics, MessageState};
use crate::api::{
    AnswerResult, AskRequest, ChatEvent, ContextUse, Event, ExpertChoice, FinishReason, Query,
};
use crate::cancel::Cancel;
use crate::conversations::{AnswerEnd, Conversations};
use crate::engine::{Answer, Engine, Waited, check_question};
use crate::error::{EngineError, ErrorCode};
use crate::{BUILTIN, api};
use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Tokens that arrive faster are told together.
const BETWEEN_TOKENS: Duration = Duration::from_millis(8);
/// How often a stop is looked for while nothing happens.
const LOOK: Duration = Duration::from_millis(40);
/// A model that has not noticed a stop by then is left to notice it alone.
const PATIENCE: Duration = Duration::from_millis(120);
const CHECKPOINT: Duration = Duration::from_millis(900);
const CHECKPOINT_TOKENS: usize = 64;

/// Answers questions of stored conversations. Clones share everything.
#[derive(Clone)]
pub struct Chat {
    engine: Arc<Engine>,
    store: Arc<Conversations>,
    running: Arc<Running>,
}

/// Answers in the making, by id.
#[derive(Default)]
struct Running {
    cancels: Mutex<HashMap<String, Cancel>>,
    fewer: Condvar,
}

impl Chat {
    /// Answers with this engine, into this store.
    pub fn new(engine: Arc<Engine>, store: Arc<Conversations>) -> Chat {
        Chat {
            engine,
            store,
            running: Arc::default(),
        }
    }

    /// Stores the question, then answers it. Returns when the answer has ended.
    ///
    /// # Errors
    /// If the question cannot be asked or stored, or the end of the answer cannot be stored. An answer that fails is
    /// told by [`ChatEvent::Failed`].
    pub fn ask(
        &self,
        request: &AskRequest,
        events: &mut dyn FnMut(ChatEvent),
    ) -> Result<(), EngineError> {
        check_question(&request.text)?;
        let conversation = &request.conversation_id;
        let asked = self.store.ask(
            conversation,
            request.parent.as_deref(),
            &request.text,
            &self.model(),
        )?;
        let (question, answer) = (asked.question, asked.answer);
        let leaf = question.id.clone();
        let experts = request.experts.clone();
        self.answer(
            (conversation, &leaf),
            experts,
            Some(question),
            answer,
            events,
        )
    }

    /// Makes another answer to a question.
    ///
    /// # Errors
    /// As [`Chat::ask`].
    pub fn regenerate(
        &self,
        conversation: &str,
        question: &str,
        experts: ExpertChoice,
        events: &mut dyn FnMut(ChatEvent),
    ) -> Result<(), EngineError> {
        let answer = self
            .store
            .answer_again(conversation, question, &self.model())?;
        self.answer((conversation, question), experts, None, answer, events)
    }

    /// Stops an answer; one that has ended is left alone.
    pub fn stop(&self, answer: &str) {
        if let Some(cancel) = self.running.lock().get(answer) {
            cancel.set();
        }
    }

    /// Stops every answer and waits until they are stored, `patience` at most. Whether all are.
    pub fn stop_all(&self, patience: Duration) -> bool {
        let running = self.running.lock();
        running.values().for_each(Cancel::set);
        let waited = self
            .running
            .fewer
            .wait_timeout_while(running, patience, |running| !running.is_empty());
        let (running, _) = waited.unwrap_or_else(PoisonError::into_inner);
        running.is_empty()
    }

    /// How the branch that ends with `leaf`, and a draft of the next question, would fill the context.
    ///
    /// # Errors
    /// If there is no such conversation, or the model's tokenizer cannot be used.
    pub fn context_use(
        &self,
        conversation: &str,
        leaf: Option<&str>,
        draft: &str,
    ) -> Result<ContextUse, EngineError> {
        let loaded = self.store.load(conversation)?;
        let history = match leaf {
            Some(leaf) => turns(None, &self.store.branch(conversation, leaf)?),
            None => Vec::new(),
        };
        let sampling = &loaded.sampling;
        self.engine
            .context_use(&loaded.system_prompt, &history, draft, sampling.max_tokens)
    }

    fn model(&self) -> String {
        let chosen = self.engine.settings().model.clone();
        chosen.unwrap_or_else(|| BUILTIN.into())
    }

    fn answer(
        &self,
        (conversation, leaf): (&str, &str),
        experts: ExpertChoice,
        question: Option<Message>,
        answer: Message,
        events: &mut dyn FnMut(ChatEvent),
    ) -> Result<(), EngineError> {
        let id = answer.id.clone();
        let started = self
            .query(conversation, leaf, experts)
            .and_then(|query| self.engine.ask_model(query, Some(&self.model())));
        let (end, _registered) = match started {
            Err(error) => {
                events(ChatEvent::Stored {
                    question,
                    answer: answer.clone(),
                });
                (failed(String::new(), error.code(), error.report()), None)
            }
            Ok(stream) => {
                let registered = self.running.register(&id, stream.cancel());
                let queued = self.running.lock().len() > 1;
                events(ChatEvent::Stored {
                    question,
                    answer: answer.clone(),
                });
                if queued {
                    events(loading("queued".into(), 0, 0));
                }
                let mut keep = |text: &str| self.store.checkpoint_answer(&id, text);
                (follow(&stream, &mut keep, events), Some(registered))
            }
        };
        let stored = self.store.finish_answer(&id, &end);
        let summary = self.store.summary(conversation);
        let (answer, summary, result) = match (stored, summary) {
            (Ok(finished), _) => (finished.answer, finished.summary, Ok(())),
            (Err(error), Ok(summary)) => {
                // Whoever listens hears of an end all the same; the store has what was kept of the answer.
                let end = failed(end.content, error.code(), error.report());
                (ended(answer, end), summary, Err(error))
            }
            (Err(error), Err(_)) => return Err(error),
        };
        events(match answer.state {
            MessageState::Failed => ChatEvent::Failed { answer, summary },
            _ => ChatEvent::Done { answer, summary },
        });
        result
    }

    fn query(
        &self,
        conversation: &str,
        leaf: &str,
        experts: ExpertChoice,
    ) -> Result<Query, EngineError> {
        let Conversation {
            system_prompt,
            sampling,
            ..
        } = self.store.load(conversation)?;
        let branch = self.store.branch(conversation, leaf)?;
        Ok(Query {
            messages: turns(Some(&system_prompt), &branch),
            sampling: sampling.choice(),
            max_tokens: sampling.max_tokens,
            experts,
        })
    }
}

impl Running {
    fn register(self: &Arc<Self>, id: &str, cancel: Cancel) -> Registered {
        self.lock().insert(id.to_owned(), cancel);
        Registered {
            running: Arc::clone(self),
            id: id.to_owned(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Cancel>> {
        self.cancels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer's place among the running ones, until it is stored.
struct Registered {
    running: Arc<Running>,
    id: String,
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.running.lock().remove(&self.id);
        self.running.fewer.notify_all();
    }
}

/// What the model is told: the system prompt and the branch. A question whose answer failed is followed by the next one:
/// two of the same role become one, since many templates insist on turns.
fn turns(system: Option<&str>, branch: &[Message]) -> Vec<api::Message> {
    let system = system.filter(|prompt| !prompt.trim().is_empty());
    let first = system.map(|prompt| api::Message::new(api::Role::System, prompt));
    let mut turns: Vec<api::Message> = first.into_iter().collect();
    for message in branch {
        match turns.last_mut().filter(|last| last.role == message.role) {
            Some(last) => last.content = format!("{}\n\n{}", last.content, message.content),
            None => turns.push(api::Message::new(message.role, message.content.as_str())),
        }
    }
    turns
}

/// Tells and keeps an answer while it is made; how it ended.
fn follow(
    stream: &Answer,
    keep: &mut dyn FnMut(&str) -> Result<(), EngineError>,
    events: &mut dyn FnMut(ChatEvent),
) -> AnswerEnd {
    let cancel = stream.cancel();
    let mut text = String::new();
    let mut untold = String::new();
    let mut told_at = Instant::now();
    let mut kept_at = Instant::now();
    let mut unkept_tokens = 0;
    let mut begun = false;
    let mut routing = None;
    let mut stopped_at: Option<Instant> = None;
    loop {
        let wait = match untold.is_empty() {
            true => LOOK,
            false => BETWEEN_TOKENS.saturating_sub(told_at.elapsed()),
        };
        let waited = stream.next_within(wait);
        let over = matches!(
            waited,
            Waited::Ended | Waited::Event(Event::Done(_) | Event::Failed { .. })
        );
        if let Waited::Event(Event::Token { text: piece }) = &waited {
            text.push_str(piece);
            untold.push_str(piece);
            unkept_tokens += 1;
        }
        if !untold.is_empty() && (over || told_at.elapsed() >= BETWEEN_TOKENS) {
            let text = std::mem::take(&mut untold);
            events(ChatEvent::Token { text });
            told_at = Instant::now();
        }
        begun |= matches!(waited, Waited::Event(_));
        match waited {
            Waited::Event(Event::Loading(step)) => {
                events(loading(step.phase, step.done, step.total));
            }
            Waited::Event(Event::Prefill {
                done_tokens,
                total_tokens,
            }) => events(ChatEvent::Prefill {
                done_tokens,
                total_tokens,
            }),
            Waited::Event(Event::Routed(decided)) => {
                events(ChatEvent::Routed(decided.clone()));
                routing = Some(decided);
            }
            Waited::Event(Event::Done(result)) => {
                return AnswerEnd {
                    routing,
                    ..done(*result)
                };
            }
            Waited::Event(Event::Failed { code, message }) => {
                return AnswerEnd {
                    routing,
                    ..failed(text, code, message)
                };
            }
            Waited::Ended => {
                let error = EngineError::WorkerGone;
                return failed(text, error.code(), error.report());
            }
            Waited::Event(Event::Token { .. }) | Waited::Nothing => {}
        }
        if unkept_tokens > 0
            && (unkept_tokens >= CHECKPOINT_TOKENS || kept_at.elapsed() >= CHECKPOINT)
        {
            if let Err(error) = keep(&text) {
                // A full disk must not go on unnoticed: the answer ends with what is known of it.
                cancel.set();
                return failed(text, error.code(), error.report());
            }
            unkept_tokens = 0;
            kept_at = Instant::now();
        }
        if cancel.is_set() {
            let since = *stopped_at.get_or_insert_with(Instant::now);
            // One that still waits for others has nothing to tell.
            if !begun || since.elapsed() >= PATIENCE {
                if !untold.is_empty() {
                    events(ChatEvent::Token { text: untold });
                }
                return AnswerEnd {
                    routing,
                    ..cancelled(text)
                };
            }
        }
    }
}

/// The answer as it would have been stored.
fn ended(answer: Message, end: AnswerEnd) -> Message {
    Message {
        content: end.content,
        state: end.state,
        finish_reason: end.finish_reason,
        error: end.error,
        routing: end.routing,
        ..answer
    }
}

fn loading(phase: String, done: u64, total: u64) -> ChatEvent {
    ChatEvent::Loading { phase, done, total }
}

fn done(result: AnswerResult) -> AnswerEnd {
    AnswerEnd {
        state: match result.finish_reason {
            FinishReason::Cancelled => MessageState::Cancelled,
            FinishReason::Stop | FinishReason::Length => MessageState::Complete,
        },
        finish_reason: Some(result.finish_reason),
        seed: Some(result.seed),
        metrics: Some(MessageMetrics::from(&result.metrics)),
        content: result.output,
        error: None,
        routing: None,
    }
}

fn cancelled(content: String) -> AnswerEnd {
    AnswerEnd {
        content,
        state: MessageState::Cancelled,
        finish_reason: Some(FinishReason::Cancelled),
        seed: None,
        metrics: None,
        error: None,
        routing: None,
    }
}

fn failed(content: String, code: ErrorCode, message: String) -> AnswerEnd {
    AnswerEnd {
        content,
        state: MessageState::Failed,
        finish_reason: None,
        seed: None,
        metrics: None,
        error: Some(MessageError {
            code: code.as_str().into(),
            message,
        }),
        routing: None,
    }
}
