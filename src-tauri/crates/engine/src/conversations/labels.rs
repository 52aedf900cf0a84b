//! Who should have answered, as people said it: what the router is fitted to.

use super::messages::put_label;
use super::{Conversations, Refusal, unknown};
use crate::api::ExpertLabel;
use crate::error::EngineError;
use rusqlite::OptionalExtension;

/// A question with the expert that a person wants for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The question.
    pub question: String,
    /// Who should answer; none is the base model.
    pub expert_id: Option<String>,
}

impl Conversations {
    /// Says who should have answered, or takes that back.
    ///
    /// # Errors
    /// If the message is no answer that is stored.
    pub fn label_answer(
        &self,
        answer: &str,
        label: Option<&ExpertLabel>,
    ) -> Result<(), EngineError> {
        self.write(|transaction| {
            let row: Option<i64> = transaction
                .query_row(
                    "SELECT row FROM messages WHERE id = ?1 AND role = 'assistant' AND trashed_at IS NULL",
                    [answer],
                    |row| row.get(0),
                )
                .optional()?;
            let row = row.ok_or_else(|| unknown("answer", answer))?;
            Ok(put_label(transaction, row, label)?)
        })
    }

    /// All labels, oldest first. Of answers to one question the latest label counts.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn labels(&self) -> Result<Vec<Label>, EngineError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT q.content, r.label, max(r.message) FROM message_routes r
                 JOIN messages a ON a.row = r.message JOIN messages q ON q.row = a.parent
                 WHERE r.label IS NOT NULL AND a.trashed_at IS NULL AND q.role = 'user'
                 GROUP BY q.row ORDER BY q.row",
            )?;
            let rows = statement.query_map([], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
            })?;
            let mut labels = Vec::new();
            for row in rows {
                let (question, label) = row?;
                // A label that cannot be read says nothing.
                if let Ok(ExpertLabel { expert_id }) = serde_json::from_str(&label) {
                    labels.push(Label {
                        question,
                        expert_id,
                    });
                }
            }
            Ok::<_, Refusal>(labels)
        })
    }
}
