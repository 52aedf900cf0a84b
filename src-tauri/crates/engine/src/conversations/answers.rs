//! A question and the answer that grows below it.

use super::messages::{Place, by_row, insert, json, place, put_route};
use super::{Conversations, Refusal, index, list, title, tree, unknown};
use crate::api::conversation::{
    ConversationSummary, Message, MessageError, MessageMetrics, MessageState,
};
use crate::api::{FinishReason, Role, Routing};
use crate::error::EngineError;
use crate::random::uuid;
use rusqlite::{Connection, OptionalExtension, Transaction, named_params};

/// What [`Conversations::ask`] stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The question.
    pub question: Message,
    /// The empty answer below it, in the state `running`.
    pub answer: Message,
}

/// How an answer ended.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerEnd {
    /// The whole text, or as much as there is.
    pub content: String,
    /// Never `running`.
    pub state: MessageState,
    /// Why it ended, when it did by itself or was stopped.
    pub finish_reason: Option<FinishReason>,
    /// The seed that reproduces it.
    pub seed: Option<u64>,
    /// Times and counts.
    pub metrics: Option<MessageMetrics>,
    /// What went wrong.
    pub error: Option<MessageError>,
    /// Who was considered and who helped, when it came that far.
    pub routing: Option<Box<Routing>>,
}

/// What [`Conversations::finish_answer`] left behind.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// The answer as it is stored.
    pub answer: Message,
    /// Its conversation as the list shows it.
    pub summary: ConversationSummary,
}

impl Conversations {
    /// Stores a question below `parent` and the running answer below it, before the model begins, and shows that branch.
    /// The first question names the conversation. A draft that was this question is gone.
    ///
    /// # Errors
    /// If the text is blank, or there is no such conversation or message outside the trash.
    pub fn ask(
        &self,
        conversation: &str,
        parent: Option<&str>,
        text: &str,
        model: &str,
    ) -> Result<Asked, EngineError> {
        let now = self.now();
        self.write(|transaction| {
            if text.trim().is_empty() {
                return Err(refuse("question", "nothing", "a text"));
            }
            let row = list::row_of(transaction, conversation)?;
            let parent = parent
                .map(|id| place(transaction, row, id))
                .transpose()?
                .map(|parent| parent.row);
            let question = Message {
                state: MessageState::Complete,
                content: text.to_owned(),
                ..fresh(Role::User, now)
            };
            let question = insert(transaction, row, parent, &question)?;
            index::put_message(transaction, question, text)?;
            let answer = begin_answer(transaction, row, question, model, now)?;
            if list::summary(transaction, row)?.title.is_empty() {
                list::set_title(transaction, row, &title::of_question(text))?;
            }
            transaction.execute(
                "UPDATE conversations SET draft = '' WHERE row = ?1 AND trim(draft) = trim(?2)",
                (row, text),
            )?;
            Ok(Asked {
                question: by_row(transaction, question)?,
                answer: by_row(transaction, answer)?,
            })
        })
    }

    /// Stores another running answer to the same question and shows that branch.
    ///
    /// # Errors
    /// If the message is not a question, or there is no such conversation or message outside the trash.
    pub fn answer_again(
        &self,
        conversation: &str,
        question: &str,
        model: &str,
    ) -> Result<Message, EngineError> {
        let now = self.now();
        self.write(|transaction| {
            let row = list::row_of(transaction, conversation)?;
            let Place {
                row: question,
                role,
                ..
            } = place(transaction, row, question)?;
            if role != Role::User {
                return Err(refuse("question", "an answer", "a question"));
            }
            let answer = begin_answer(transaction, row, question, model, now)?;
            Ok(by_row(transaction, answer)?)
        })
    }

    /// Keeps the text so far of a running answer, so that a crash loses only what came after it.
    ///
    /// # Errors
    /// If there is no such message, or it is not a running answer.
    pub fn checkpoint_answer(&self, answer: &str, content: &str) -> Result<(), EngineError> {
        self.write(|transaction| {
            let row = running(transaction, answer)?;
            transaction
                .prepare_cached("UPDATE messages SET content = ?2 WHERE row = ?1")?
                .execute((row, content))?;
            Ok(())
        })
    }

    /// Ends a running answer, also one that was moved to the trash meanwhile.
    ///
    /// # Errors
    /// If there is no such message, or it is not a running answer, or the end is none.
    pub fn finish_answer(&self, answer: &str, end: &AnswerEnd) -> Result<Finished, EngineError> {
        let now = self.now();
        self.write(|transaction| {
            if end.state == MessageState::Running {
                return Err(refuse("state", "running", "how the answer ended"));
            }
            let row = running(transaction, answer)?;
            let conversation: i64 = transaction
                .prepare_cached(
                    "UPDATE messages SET content = :content, state = :state, finish_reason = :finish_reason, seed = :seed,
                       metrics = :metrics, error_code = :error_code, error_message = :error_message
                     WHERE row = :row RETURNING conversation",
                )?
                .query_row(
                    named_params! {
                        ":row": row,
                        ":content": end.content,
                        ":state": end.state,
                        ":finish_reason": end.finish_reason,
                        ":seed": end.seed.map(|seed| seed.to_string()),
                        ":metrics": end.metrics.as_ref().map(json),
                        ":error_code": end.error.as_ref().map(|error| &error.code),
                        ":error_message": end.error.as_ref().map(|error| &error.message),
                    },
                    |row| row.get(0),
                )?;
            put_route(transaction, row, end.routing.as_deref())?;
            index::put_if_shown(transaction, row)?;
            touch(transaction, conversation, now)?;
            Ok(Finished {
                answer: by_row(transaction, row)?,
                summary: list::summary(transaction, conversation)?,
            })
        })
    }
}

/// The row of the new answer.
fn begin_answer(
    transaction: &Transaction<'_>,
    conversation: i64,
    question: i64,
    model: &str,
    now: i64,
) -> rusqlite::Result<i64> {
    let answer = Message {
        model: Some(model.to_owned()),
        ..fresh(Role::Assistant, now)
    };
    let answer = insert(transaction, conversation, Some(question), &answer)?;
    tree::show(transaction, conversation, Some(answer))?;
    touch(transaction, conversation, now)?;
    Ok(answer)
}

/// An empty running message.
fn fresh(role: Role, now: i64) -> Message {
    Message {
        id: uuid(),
        parent: None,
        role,
        content: String::new(),
        created_at: now,
        state: MessageState::Running,
        model: None,
        finish_reason: None,
        seed: None,
        error: None,
        metrics: None,
        routing: None,
        expert_label: None,
    }
}

/// The row of a running answer, in the trash or not.
fn running(connection: &Connection, id: &str) -> Result<i64, Refusal> {
    let found: Option<(i64, MessageState)> = connection
        .prepare_cached("SELECT row, state FROM messages WHERE id = ?1 AND role = 'assistant'")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match found {
        Some((row, MessageState::Running)) => Ok(row),
        Some(_) => Err(refuse(
            "answer",
            "one that has ended",
            "one that is running",
        )),
        None => Err(unknown("answer", id)),
    }
}

fn touch(connection: &Connection, conversation: i64, now: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE conversations SET updated_at = ?2 WHERE row = ?1")?
        .execute((conversation, now))?;
    Ok(())
}

fn refuse(field: &str, found: &str, expected: &str) -> Refusal {
    Refusal::Ours(EngineError::BadRequest {
        field: field.into(),
        found: found.into(),
        expected: expected.into(),
    })
}
