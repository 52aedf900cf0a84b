//! A model in memory with its tokenizer, and what its conversation already computed.

use crate::api::Loading;
use crate::cancel::Cancel;
use crate::catalogue::{Catalogue, Located};
use crate::error::EngineError;
use crate::experts::{Base, Computer, Desk};
use crate::sequences::Sequences;
use crate::settings::{KvFormat, Settings};
use r3mes_kernels::{Isa, Pool};
use r3mes_model::load::{CacheUse, LoadError, LoadOptions, LoadPhase, load};
use r3mes_model::model::{KvChoice, Model, ModelOptions};
use r3mes_model::text::Text;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Between two looks at the cancel flag while the tokenizer is waited for.
const LOOK: Duration = Duration::from_millis(10);

/// A model that can answer.
pub(crate) struct Loaded {
    /// What was loaded.
    pub located: Located,
    /// Weights and threads.
    pub model: Model,
    /// Tokenizer and chat template.
    pub text: Arc<Text>,
    /// Tokens that end an answer.
    pub stop_ids: Vec<u32>,
    /// Keys and values of the last conversations, by who answered.
    pub sequences: Sequences,
    /// How fast the last prompt was read, in tokens per second.
    pub prefill_rate: Option<f64>,
    /// What it was brought into memory with; another choice needs it again.
    threads: usize,
    kv: KvFormat,
}

/// What threads beside the worker may know of the model in memory.
#[derive(Clone)]
pub(crate) struct Resident {
    /// What was loaded.
    pub located: Located,
    /// Its tokenizer.
    pub text: Arc<Text>,
    /// The longest conversation, in tokens.
    pub context_tokens: usize,
    /// What computes, in words.
    pub backend: String,
}

impl Loaded {
    /// Brings a model into memory; nothing when it was cancelled.
    ///
    /// # Errors
    /// If the model's files cannot be used or memory is short.
    pub fn open(
        located: Located,
        settings: &Settings,
        cancel: &Cancel,
        progress: &mut dyn FnMut(Loading),
    ) -> Result<Option<Loaded>, EngineError> {
        let text = begin_text(&located.path)?;
        let Some(model) = open_model(&located.path, settings, settings.kv, cancel, progress)?
        else {
            return Ok(None);
        };
        progress(Loading {
            phase: "reading the tokenizer".into(),
            done: 0,
            total: 0,
        });
        let Some(text) = finish_text(text, cancel)? else {
            return Ok(None);
        };
        text.check_fits(model.config().vocab)?;
        Ok(Some(Loaded {
            stop_ids: text.stop_ids(&model.config().eos),
            located,
            model,
            text: Arc::new(text),
            sequences: Sequences::default(),
            prefill_rate: None,
            threads: settings.threads,
            kv: settings.kv,
        }))
    }

    /// Whether this is that model, running as the settings say.
    pub fn serves(&self, located: &Located, settings: &Settings) -> bool {
        self.located == *located && self.threads == settings.threads && self.kv == settings.kv
    }

    /// What experts are compared with.
    fn base(&self) -> Base {
        Base {
            name: self.located.name.clone(),
            config: self.model.config().clone(),
            hash: Catalogue::weights_hash(&self.located.path),
        }
    }

    /// What brings experts into memory beside it.
    fn computer(&self) -> Computer {
        Computer {
            weights: self.model.weights(),
            isa: self.model.isa(),
            pool: Arc::new(Pool::new(self.threads)),
        }
    }

    /// What other threads may know of it.
    pub fn resident(&self) -> Resident {
        Resident {
            located: self.located.clone(),
            text: Arc::clone(&self.text),
            context_tokens: self.model.context(),
            backend: format!("cpu, {}", self.model.isa()),
        }
    }
}

/// The place for the one model in memory.
pub(crate) struct Slot {
    loaded: Option<Loaded>,
    told: Arc<Mutex<Option<Resident>>>,
    experts: Arc<Desk>,
}

impl Slot {
    /// An empty place; experts become resident for the model that comes here.
    pub fn new(experts: Arc<Desk>) -> Slot {
        Slot {
            loaded: None,
            told: Arc::default(),
            experts,
        }
    }

    /// Where other threads read what is in memory.
    pub fn told(&self) -> Arc<Mutex<Option<Resident>>> {
        Arc::clone(&self.told)
    }

    /// The model the settings name, in memory; nothing when it was cancelled.
    ///
    /// # Errors
    /// If the model is unknown, its files cannot be used or memory is short.
    pub fn bring(
        &mut self,
        settings: &Settings,
        catalogue: &Catalogue,
        cancel: &Cancel,
        progress: &mut dyn FnMut(Loading),
    ) -> Result<Option<&mut Loaded>, EngineError> {
        let located = catalogue.locate_chosen(settings.model.as_deref())?;
        let serves = |loaded: &Loaded| loaded.serves(&located, settings);
        if !self.loaded.as_ref().is_some_and(serves) {
            // The old model's memory is given back before the new one asks for its own.
            self.clear();
            self.loaded = Loaded::open(located, settings, cancel, progress)?;
            if let Some(loaded) = &self.loaded {
                self.experts.model_came(loaded.base(), loaded.computer());
            }
            self.tell();
        }
        Ok(self.loaded.as_mut())
    }

    /// Gives the memory back.
    pub fn clear(&mut self) {
        self.experts.model_left();
        self.loaded = None;
        self.tell();
    }

    fn tell(&self) {
        let resident = self.loaded.as_ref().map(Loaded::resident);
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = resident;
    }
}

/// Weights and threads without a tokenizer; nothing when it was cancelled.
pub(crate) fn open_model(
    path: &Path,
    settings: &Settings,
    kv: KvFormat,
    cancel: &Cancel,
    progress: &mut dyn FnMut(Loading),
) -> Result<Option<Model>, EngineError> {
    let isa = Isa::select()?;
    let pool = Pool::new(settings.threads);
    let fallback = settings.home.cache();
    let options = LoadOptions::new(&pool, CacheUse::beside_model(Some(&fallback)));
    let weights = load(path, &options, &mut |phase| {
        progress(in_words(phase));
        cancel.flow()
    });
    let weights = match weights {
        Err(LoadError::Cancelled) => return Ok(None),
        other => other?,
    };
    Ok(Some(Model::new(
        weights,
        ModelOptions {
            pool,
            isa,
            kv: match kv {
                KvFormat::Auto => KvChoice::Auto,
                KvFormat::F32 => KvChoice::F32,
                KvFormat::F16 => KvChoice::F16,
                KvFormat::Int8 => KvChoice::Int8,
            },
            context: None,
        },
    )))
}

/// A tokenizer that is being read.
struct ReadingText {
    thread: JoinHandle<()>,
    read: Receiver<Result<Text, EngineError>>,
}

/// Reads the tokenizer beside the weights, on a thread that can be left behind: nothing can stop that work, and freeing its
/// result takes time too, so the thread keeps the result until it is asked for.
fn begin_text(path: &Path) -> Result<ReadingText, EngineError> {
    let path = path.to_owned();
    let (hand_over, read) = sync_channel(0);
    let thread = std::thread::Builder::new()
        .name("r3mes-tokenizer".into())
        .spawn(move || {
            // Nobody waits for a tokenizer whose load was cancelled.
            let _abandoned = hand_over.send(open_text(&path));
        })
        .map_err(EngineError::io("start the thread of", "the tokenizer"))?;
    Ok(ReadingText { thread, read })
}

/// The tokenizer; nothing when it was cancelled.
fn finish_text(text: ReadingText, cancel: &Cancel) -> Result<Option<Text>, EngineError> {
    while !cancel.is_set() {
        match text.read.recv_timeout(LOOK) {
            Ok(read) => return read.map(Some),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => match text.thread.join() {
                Ok(()) => unreachable!("the thread hands its result over before it ends"),
                Err(panic) => std::panic::resume_unwind(panic),
            },
        }
    }
    Ok(None)
}

/// The tokenizer and chat template of a model folder or `.gguf` file.
pub(crate) fn open_text(path: &Path) -> Result<Text, EngineError> {
    Ok(Text::load(path)?)
}

fn in_words(phase: LoadPhase) -> Loading {
    let (phase, done, total) = match phase {
        LoadPhase::Reading => ("reading the model's headers".to_owned(), 0, 0),
        LoadPhase::Packing { done, total } => ("packing the weights".to_owned(), done, total),
        LoadPhase::ReadingCache { done, total } => ("reading the weights".to_owned(), done, total),
        LoadPhase::WritingCache { done, total } => {
            ("keeping the packed weights".to_owned(), done, total)
        }
        LoadPhase::CacheNotWritten { reason } => {
            (format!("no packed copy could be kept ({reason})"), 0, 0)
        }
    };
    Loading { phase, done, total }
}
