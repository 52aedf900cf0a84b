//! Everything that can go wrong at the engine's edge, in the form *where it was, what it held, what it expected*.

use crate::api::Tier;
use crate::catalogue::Shelf;
use crate::download::DownloadError;
use r3mes_model::forward::ForwardError;
use r3mes_model::generate::GenerateError;
use serde::Serialize;
use std::path::PathBuf;

/// For programs that branch on a failure. The list is closed: a code exists because someone branches on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// A name that is not known here: a model, an expert, a collection.
    UnknownName,
    /// The request itself cannot be right.
    BadRequest,
    /// A name that something else has already.
    NameTaken,
    /// The conversation does not fit the model's context.
    ContextLengthExceeded,
    /// The model's files cannot be used.
    ModelUnusable,
    /// An expert's files cannot be used, or not with this model.
    ExpertUnusable,
    /// The hub could not be reached or sent something wrong.
    Download,
    /// Another process works at the same thing.
    Busy,
    /// The disk has not enough room.
    DiskFull,
    /// The stored conversations cannot be read or written.
    Store,
    /// Everything else: disk, memory, the system.
    Failed,
}

impl ErrorCode {
    /// The word that clients see.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorCode::UnknownName => "unknown_name",
            ErrorCode::BadRequest => "bad_request",
            ErrorCode::NameTaken => "name_taken",
            ErrorCode::ContextLengthExceeded => "context_length_exceeded",
            ErrorCode::ModelUnusable => "model_unusable",
            ErrorCode::ExpertUnusable => "expert_unusable",
            ErrorCode::Download => "download",
            ErrorCode::Busy => "busy",
            ErrorCode::DiskFull => "disk_full",
            ErrorCode::Store => "store",
            ErrorCode::Failed => "failed",
        }
    }
}

/// An engine operation that did not work.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A name that no model (or embedder) here has.
    #[error("unknown {shelf} `{name}`{}\nhint: `r3mes {shelf} list` shows the installed {shelf}s; {} can be named by its path", near_names(.near), .shelf.by_path())]
    UnknownModel {
        /// Where it was looked for.
        shelf: Shelf,
        /// The name.
        name: String,
        /// Installed names that look like it.
        near: Vec<String>,
    },
    /// A request that cannot be right.
    #[error("{field}: {found}, expected {expected}")]
    BadRequest {
        /// The field or flag.
        field: String,
        /// What it held.
        found: String,
        /// What it may hold.
        expected: String,
    },
    /// A setting that cannot be used.
    #[error("setting `{key}` in {origin}: {found}, expected {expected}")]
    Setting {
        /// The setting.
        key: String,
        /// The file, variable or flag.
        origin: String,
        /// What it held.
        found: String,
        /// What it may hold.
        expected: String,
    },
    /// A file of ours that cannot be read as JSON.
    #[error("cannot read `{}`: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Where in it, and what was expected.
        reason: String,
    },
    /// The system refused something about a file.
    #[error("cannot {doing} `{}`", path.display())]
    Io {
        /// The verb.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A model that is installed and cannot be used.
    #[error("{shelf} `{name}` cannot be used: {reason}\nhint: {hint}")]
    BrokenModel {
        /// Where it is.
        shelf: Shelf,
        /// The model.
        name: String,
        /// What is wrong.
        reason: String,
        /// What to do.
        hint: String,
    },
    /// A model name that is taken.
    #[error(
        "{} `{name}` is already installed, from {source_text}\nhint: give another name with `--name`, or remove it first with `r3mes {shelf} remove {name}`", .shelf.named()
    )]
    NameTaken {
        /// Where it is installed.
        shelf: Shelf,
        /// The name.
        name: String,
        /// Where the installed one is from.
        source_text: String,
    },
    /// An id that no expert has.
    #[error("unknown expert `{id}`{}\nhint: `r3mes adapter list` shows the experts", near_names(.near))]
    UnknownExpert {
        /// The id.
        id: String,
        /// Ids that look like it.
        near: Vec<String>,
    },
    /// A known expert without files.
    #[error(
        "expert `{id}` is not installed\nhint: `r3mes adapter import PATH --id {id}` installs one you have"
    )]
    ExpertNotInstalled {
        /// The expert.
        id: String,
    },
    /// An expert that is installed and cannot be used.
    #[error("expert `{id}` cannot be used: {reason}")]
    BrokenExpert {
        /// The expert.
        id: String,
        /// What is wrong, and what was expected.
        reason: String,
    },
    /// An expert's id that is taken.
    #[error(
        "an expert `{id}` is already installed, from {source_text}\nhint: give another id with `--id`, or remove it first with `r3mes adapter remove {id}`"
    )]
    ExpertTaken {
        /// The id.
        id: String,
        /// Where the installed one is from.
        source_text: String,
    },
    /// Files that are no expert.
    #[error("cannot install `{}`: {found}, expected {expected}", path.display())]
    BadExpert {
        /// The folder or pack.
        path: PathBuf,
        /// What it holds, and where.
        found: String,
        /// What it should hold.
        expected: String,
    },
    /// An adapter that a model cannot use.
    #[error("cannot install `{}` for the model `{model}`: {reason}", path.display())]
    UnfitExpert {
        /// The folder or pack.
        path: PathBuf,
        /// The model.
        model: String,
        /// Which part, what it holds, what the model expects.
        reason: String,
    },
    /// Files of an expert that never stay the same.
    #[error(
        "expert `{id}`: its files change while they are read\nhint: try again when whoever writes them is done"
    )]
    ExpertChanging {
        /// The expert.
        id: String,
    },
    /// Two processes at the same expert.
    #[error("expert `{id}` is being installed or removed by another process")]
    ExpertBusy {
        /// The expert.
        id: String,
    },
    /// An adapter is made resident for a model, and there is none.
    #[error("no model is in memory for the expert to become resident for")]
    NoModel,
    /// A tier that this machine has not.
    #[error("no video memory to place an expert in: {reason}")]
    NoDevice {
        /// Why there is none.
        reason: String,
    },
    /// Memory that cannot be made free.
    #[error(
        "cannot place `{id}` in {}: {}", tier_name(*.tier), no_room(*.needed_bytes, *.free_bytes, *.budget_bytes)
    )]
    NoRoom {
        /// The expert.
        id: String,
        /// Where.
        tier: Tier,
        /// Bytes it takes.
        needed_bytes: u64,
        /// Bytes that are free or can be made so.
        free_bytes: u64,
        /// Bytes adapters may use there.
        budget_bytes: u64,
    },
    /// A stored thing that is not there.
    #[error("unknown {kind} `{id}`")]
    UnknownStored {
        /// Conversation, message, answer or preset.
        kind: &'static str,
        /// The id.
        id: String,
    },
    /// SQLite refused something about the conversations.
    #[error("cannot {doing} `{}`", path.display())]
    Store {
        /// The verb.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// A file that is no store of conversations, or none that this build can use.
    #[error("cannot use `{}`: {found}, expected {expected}\nhint: {hint}", path.display())]
    BadStore {
        /// The file.
        path: PathBuf,
        /// What it holds.
        found: String,
        /// What it should hold.
        expected: String,
        /// What to do.
        hint: &'static str,
    },
    /// Two processes at the same model.
    #[error("{shelf} `{name}` is being fetched or changed by another process")]
    Busy {
        /// Where it will be.
        shelf: Shelf,
        /// The model.
        name: String,
    },
    /// The disk is too small.
    #[error("not enough room in `{}`: needs {needed_bytes} B, {free_bytes} B free", path.display())]
    DiskFull {
        /// The folder.
        path: PathBuf,
        /// Bytes still to be written.
        needed_bytes: u64,
        /// Bytes the disk has.
        free_bytes: u64,
    },
    /// A download that failed.
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// The model's files cannot be used.
    #[error(transparent)]
    Load(#[from] r3mes_model::load::LoadError),
    /// The model's tokenizer or chat template cannot be used.
    #[error(transparent)]
    Text(#[from] r3mes_model::text::TextError),
    /// The embedder's files cannot be used, or it refuses a text.
    #[error(transparent)]
    Embedding(Box<r3mes_model::embedding::EmbeddingError>),
    /// An adapter cannot be used.
    #[error(transparent)]
    Adapter(Box<r3mes_model::adapter::AdapterError>),
    /// The model could not go on.
    #[error(transparent)]
    Generate(#[from] r3mes_model::generate::GenerateError),
    /// The model could not take a step.
    #[error(transparent)]
    Forward(#[from] r3mes_model::forward::ForwardError),
    /// No cache of keys and values for this model.
    #[error("cannot make a cache of keys and values")]
    Cache(#[from] r3mes_kernels::KvError),
    /// A random model that could not be written.
    #[error(transparent)]
    Synth(#[from] r3mes_model::synth::SynthError),
    /// An instruction set that cannot be used here.
    #[error("R3MES_ISA cannot be used")]
    Isa(#[from] r3mes_kernels::IsaError),
    /// Memory for a measurement.
    #[error("no memory for the measurement")]
    Memory(#[from] r3mes_kernels::AllocError),
    /// A panic while the model worked.
    #[error("the model stopped because of a defect in this program")]
    Defect,
    /// The worker thread is gone.
    #[error("the thread that owns the model has ended")]
    WorkerGone,
}

impl EngineError {
    /// The code of this failure.
    pub fn code(&self) -> ErrorCode {
        match self {
            EngineError::UnknownModel { .. }
            | EngineError::UnknownStored { .. }
            | EngineError::UnknownExpert { .. }
            | EngineError::ExpertNotInstalled { .. } => ErrorCode::UnknownName,
            EngineError::BrokenExpert { .. }
            | EngineError::BadExpert { .. }
            | EngineError::UnfitExpert { .. } => ErrorCode::ExpertUnusable,
            EngineError::BadRequest { .. } | EngineError::Setting { .. } => ErrorCode::BadRequest,
            EngineError::NameTaken { .. } | EngineError::ExpertTaken { .. } => ErrorCode::NameTaken,
            EngineError::Busy { .. }
            | EngineError::ExpertBusy { .. }
            | EngineError::ExpertChanging { .. } => ErrorCode::Busy,
            EngineError::DiskFull { .. } => ErrorCode::DiskFull,
            EngineError::Store { .. } | EngineError::BadStore { .. } => ErrorCode::Store,
            EngineError::BrokenModel { .. }
            | EngineError::Load(_)
            | EngineError::Text(_)
            | EngineError::Embedding(_) => ErrorCode::ModelUnusable,
            EngineError::Adapter(_) => ErrorCode::ExpertUnusable,
            EngineError::Forward(error) => of_forward(error),
            EngineError::Generate(GenerateError::Forward(error)) => of_forward(error),
            EngineError::Generate(GenerateError::Sampling(_)) | EngineError::Isa(_) => {
                ErrorCode::BadRequest
            }
            EngineError::Download(DownloadError::BadRepo { .. }) => ErrorCode::BadRequest,
            EngineError::Download(DownloadError::ChooseFile { .. }) => ErrorCode::BadRequest,
            EngineError::Download(_) => ErrorCode::Download,
            EngineError::Unreadable { .. }
            | EngineError::Io { .. }
            | EngineError::NoRoom { .. }
            | EngineError::NoModel
            | EngineError::NoDevice { .. }
            | EngineError::Cache(_)
            | EngineError::Synth(_)
            | EngineError::Memory(_)
            | EngineError::Defect
            | EngineError::WorkerGone => ErrorCode::Failed,
        }
    }

    /// The message with every cause behind it, as a person reads it; a hint stays on its own line at the end.
    pub fn report(&self) -> String {
        let whole = self.to_string();
        let (message, hint) = match whole.split_once("\nhint: ") {
            Some((message, hint)) => (message, Some(hint)),
            None => (whole.as_str(), None),
        };
        let mut text = message.to_owned();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(&format!(": {error}"));
            cause = error.source();
        }
        if let Some(hint) = hint {
            text.push_str(&format!("\nhint: {hint}"));
        }
        text
    }

    /// An [`EngineError::Io`] maker for `map_err`.
    pub(crate) fn io(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> EngineError {
        let path = path.into();
        move |source| EngineError::Io {
            doing,
            path,
            source,
        }
    }
}

/// Boxed: it is larger than all other errors, which every result would pay for.
impl From<r3mes_model::embedding::EmbeddingError> for EngineError {
    fn from(error: r3mes_model::embedding::EmbeddingError) -> EngineError {
        EngineError::Embedding(Box::new(error))
    }
}

/// As above.
impl From<r3mes_model::adapter::AdapterError> for EngineError {
    fn from(error: r3mes_model::adapter::AdapterError) -> EngineError {
        EngineError::Adapter(Box::new(error))
    }
}

fn of_forward(error: &ForwardError) -> ErrorCode {
    match error {
        ForwardError::ContextFull { .. } => ErrorCode::ContextLengthExceeded,
        ForwardError::TokenOutsideVocabulary { .. } | ForwardError::EmptyPrompt => {
            ErrorCode::BadRequest
        }
        ForwardError::NotFinite { .. } | ForwardError::Table(_) => ErrorCode::ModelUnusable,
        _ => ErrorCode::Failed,
    }
}

/// Why something does not fit, as CONTRACT.md spells it.
pub(crate) fn no_room(needed_bytes: u64, free_bytes: u64, budget_bytes: u64) -> String {
    format!("needs {needed_bytes} B, {free_bytes} B free of {budget_bytes} B")
}

fn tier_name(tier: Tier) -> &'static str {
    match tier {
        Tier::Vram => "video memory",
        Tier::Ram => "memory",
        Tier::Disk => "the data folder",
    }
}

fn near_names(near: &[String]) -> String {
    match near {
        [] => String::new(),
        [one] => format!("; did you mean `{one}`?"),
        many => format!(
            "; did you mean {}?",
            many.iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(" or ")
        ),
    }
}
