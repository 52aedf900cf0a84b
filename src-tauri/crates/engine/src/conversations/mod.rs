//! Conversations on disk: `r3mes.sqlite` in the data folder.

use crate::api::FinishReason;
use crate::api::conversation::{
    Conversation, ConversationSummary, ExportFormat, Message, MessageError, MessageMetrics,
    MessageState, Preset, SamplingOverrides, SearchHit,
};
use crate::error::EngineError;
use crate::folders::Home;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Every conversation of one data folder. Threads may share it.
pub struct Conversations {
    connection: Mutex<Connection>,
    path: PathBuf,
}

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
}

/// What [`Conversations::finish_answer`] left behind.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// The answer as it is stored.
    pub answer: Message,
    /// Its conversation as the list shows it.
    pub summary: ConversationSummary,
}

#[expect(clippy::todo, unused_variables, dead_code, reason = "filled in next")]
impl Conversations {
    /// Opens or makes the store; answers that were running become interrupted, trash older than 30 days goes.
    pub fn open(home: &Home) -> Result<Conversations, EngineError> {
        todo!()
    }
    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
    /// Pinned ones first, then the newest; without the trash.
    pub fn list(&self) -> Result<Vec<ConversationSummary>, EngineError> {
        todo!()
    }
    /// One conversation as the list shows it.
    pub fn summary(&self, id: &str) -> Result<ConversationSummary, EngineError> {
        todo!()
    }
    /// A conversation with every message.
    pub fn load(&self, id: &str) -> Result<Conversation, EngineError> {
        todo!()
    }
    /// An empty conversation.
    pub fn create(&self) -> Result<ConversationSummary, EngineError> {
        todo!()
    }
    /// A blank title becomes the one that the first question gives.
    pub fn rename(&self, id: &str, title: &str) -> Result<(), EngineError> {
        todo!()
    }
    /// Whether it stays at the top.
    pub fn set_pinned(&self, id: &str, pinned: bool) -> Result<(), EngineError> {
        todo!()
    }
    /// Moves a conversation to the trash.
    pub fn trash(&self, id: &str) -> Result<(), EngineError> {
        todo!()
    }
    /// Brings it back.
    pub fn restore(&self, id: &str) -> Result<(), EngineError> {
        todo!()
    }
    /// What [`Conversations::restore`] can bring back, last trashed first.
    pub fn list_trash(&self) -> Result<Vec<ConversationSummary>, EngineError> {
        todo!()
    }
    /// Deletes what is in the trash for ever; how many conversations that were.
    pub fn empty_trash(&self) -> Result<usize, EngineError> {
        todo!()
    }
    /// Moves a message and everything below it to the trash.
    pub fn trash_message(&self, conversation: &str, message: &str) -> Result<(), EngineError> {
        todo!()
    }
    /// Undoes [`Conversations::trash_message`].
    pub fn restore_message(&self, conversation: &str, message: &str) -> Result<(), EngineError> {
        todo!()
    }
    /// Shows the branch that ends with `leaf`.
    pub fn show_branch(&self, conversation: &str, leaf: &str) -> Result<(), EngineError> {
        todo!()
    }
    /// Keeps text that was typed and not sent.
    pub fn save_draft(&self, conversation: &str, text: &str) -> Result<(), EngineError> {
        todo!()
    }
    /// How the conversation is answered.
    pub fn save_parameters(
        &self,
        conversation: &str,
        system_prompt: &str,
        preset_id: Option<&str>,
        sampling: &SamplingOverrides,
    ) -> Result<(), EngineError> {
        todo!()
    }
    /// Every preset, in the order they were made.
    pub fn presets(&self) -> Result<Vec<Preset>, EngineError> {
        todo!()
    }
    /// Stores a preset; one with an empty id is new and gets one.
    pub fn save_preset(&self, preset: &Preset) -> Result<Preset, EngineError> {
        todo!()
    }
    /// Conversations that were set up with it keep their prompt and sampling.
    pub fn delete_preset(&self, id: &str) -> Result<(), EngineError> {
        todo!()
    }
    /// Stores a question below `parent` and the running answer below it, in one transaction; shows that branch.
    pub fn ask(
        &self,
        conversation: &str,
        parent: Option<&str>,
        text: &str,
        model: &str,
    ) -> Result<Asked, EngineError> {
        todo!()
    }
    /// Stores another running answer to the same question and shows that branch.
    pub fn answer_again(
        &self,
        conversation: &str,
        question: &str,
        model: &str,
    ) -> Result<Message, EngineError> {
        todo!()
    }
    /// Keeps the text so far of a running answer.
    pub fn checkpoint_answer(&self, answer: &str, content: &str) -> Result<(), EngineError> {
        todo!()
    }
    /// Ends a running answer.
    pub fn finish_answer(&self, answer: &str, end: &AnswerEnd) -> Result<Finished, EngineError> {
        todo!()
    }
    /// What the model is given: the messages from the root to `leaf` without running, failed and empty answers.
    /// The system prompt is not among them.
    pub fn branch(&self, conversation: &str, leaf: &str) -> Result<Vec<Message>, EngineError> {
        todo!()
    }
    /// Titles and messages that hold every word of the query, the last one also as a beginning.
    pub fn search(&self, query: &str) -> Result<Vec<SearchHit>, EngineError> {
        todo!()
    }
    /// Writes one conversation to a file.
    pub fn export(&self, id: &str, format: ExportFormat, path: &Path) -> Result<(), EngineError> {
        todo!()
    }
    /// Writes every conversation and preset to a file that [`Conversations::import`] reads.
    pub fn export_everything(&self, path: &Path) -> Result<(), EngineError> {
        todo!()
    }
    /// Adds the conversations of an exported JSON file, all or none.
    pub fn import(&self, path: &Path) -> Result<Vec<ConversationSummary>, EngineError> {
        todo!()
    }
    /// Copies the store to one file while it is in use; its size in bytes.
    pub fn backup(&self, path: &Path) -> Result<u64, EngineError> {
        todo!()
    }
    /// Replaces everything by a backup; what was there is kept as `r3mes.sqlite.replaced`.
    pub fn restore_backup(&self, path: &Path) -> Result<(), EngineError> {
        todo!()
    }
}
