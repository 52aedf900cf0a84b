//! Everything the commands work with, opened beside the first paint.

use crate::settings;
use r3mes_engine::{Announce, Chat, Conversations, Engine, EngineError, Home, Jobs};
use serde::Serialize;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Everything the commands work with.
pub(crate) struct Desk {
    pub engine: Arc<Engine>,
    pub store: Arc<Conversations>,
    pub chat: Chat,
    pub jobs: Jobs,
    pub announce: Announce,
    /// What the last start lost and a person should know of.
    pub notices: Vec<String>,
}

impl Desk {
    /// Opens the data folder.
    ///
    /// # Errors
    /// If it cannot be written, or was written by a newer version of this program.
    pub fn open(home: Home, announce: Announce) -> Result<Desk, EngineError> {
        let (settings, notices) = settings::read_or_set_aside(&home)?;
        let store = Arc::new(Conversations::open(&settings.home)?);
        let engine = Arc::new(Engine::open(settings)?);
        engine.experts().watch(Arc::clone(&announce));
        let jobs = Jobs::open(Arc::clone(&engine), Arc::clone(&announce))?;
        Ok(Desk {
            chat: Chat::new(Arc::clone(&engine), Arc::clone(&store)),
            engine,
            store,
            jobs,
            announce,
            notices,
        })
    }

    /// The model that answers when none is named.
    pub fn active_model(&self) -> String {
        let chosen = self.engine.settings().model.clone();
        chosen.unwrap_or_else(|| r3mes_engine::BUILTIN.into())
    }
}

/// Why a command did not work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, specta::Type)]
pub(crate) struct Failure {
    /// For programs; one of the engine's codes.
    pub code: String,
    /// For people; may end with a line `hint: …`.
    pub message: String,
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Failure {
        Failure {
            code: error.code().as_str().into(),
            message: error.report(),
        }
    }
}

impl Failure {
    /// Something that only the window does went wrong.
    pub fn new(message: impl Into<String>) -> Failure {
        Failure {
            code: "failed".into(),
            message: message.into(),
        }
    }

    /// A request that cannot be right.
    pub fn refused(message: impl Into<String>) -> Failure {
        Failure {
            code: "bad_request".into(),
            message: message.into(),
        }
    }
}

/// The desk while it is being opened. Commands wait for it; the window does not.
#[derive(Clone, Default)]
pub(crate) struct Opening(Arc<(Mutex<Option<Outcome>>, Condvar)>);

type Outcome = Result<Arc<Desk>, Failure>;

impl Opening {
    /// Opens the data folder on a thread of its own.
    pub fn begin(home: Home, announce: Announce) -> Opening {
        let opening = Opening::default();
        let own = opening.clone();
        std::thread::spawn(move || {
            let desk = Desk::open(home, announce).map(Arc::new);
            own.set(desk.map_err(|error| {
                tracing::error!("the data folder cannot be opened: {}", error.report());
                error.into()
            }));
        });
        opening
    }

    /// Gives everyone who waits what they wait for.
    pub fn set(&self, outcome: Outcome) {
        let (slot, opened) = &*self.0;
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        opened.notify_all();
    }

    /// The desk, if it is open already.
    pub fn ready(&self) -> Option<Arc<Desk>> {
        let slot = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        slot.clone()?.ok()
    }

    /// Does something with the desk once it is open, on a thread that may wait.
    ///
    /// # Errors
    /// If the desk could not be opened, or what is done fails.
    pub async fn with<T, F, E>(&self, work: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&Desk) -> Result<T, E> + Send + 'static,
        E: Into<Failure>,
    {
        let opening = self.clone();
        let done = tauri::async_runtime::spawn_blocking(move || {
            let desk = opening.wait()?;
            work(&desk).map_err(Into::into)
        });
        done.await.map_err(|error| {
            tracing::error!("a command panicked: {error}");
            Failure::new("this stopped because of a defect in this program")
        })?
    }

    fn wait(&self) -> Outcome {
        let (slot, opened) = &*self.0;
        let slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = opened
            .wait_while(slot, |slot| slot.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        slot.clone()
            .unwrap_or_else(|| Err(Failure::new("the data folder is not open")))
    }
}
