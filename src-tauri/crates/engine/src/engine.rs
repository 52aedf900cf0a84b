//! The engine as hosts hold it: settings, catalogue, and the thread that owns the model.

use crate::api::{Embeddings, Event, Loading, PullEvent, PullOutcome, PullRequest, Query, Role};
use crate::ask::{Desks, ask};
use crate::cancel::Cancel;
use crate::catalogue::Catalogue;
use crate::context::Counter;
use crate::download;
use crate::embedder::{self, KeptEmbedder};
use crate::error::EngineError;
use crate::experts::{Desk, Experts};
use crate::loaded::{Resident, Slot};
use crate::probe::MemoryProbe;
use crate::routing::Routes;
use crate::settings::{Flags, Settings};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The longest query, in characters.
pub const MOST_QUERY_CHARS: usize = 10_000;

/// Everything a host needs. Cheap to open: the model is brought into memory by the first question.
pub struct Engine {
    settings: Mutex<Arc<Settings>>,
    catalogue: Catalogue,
    embedders: Catalogue,
    embedder: KeptEmbedder,
    worker: Sender<Job>,
    resident: Arc<Mutex<Option<Resident>>>,
    counter: Mutex<Option<Counter>>,
    desk: Arc<Desk>,
    routes: Routes,
}

/// What the worker does next.
enum Job {
    Ask {
        query: Box<Query>,
        settings: Arc<Settings>,
        cancel: Cancel,
        events: Sender<Event>,
    },
    Warm {
        settings: Arc<Settings>,
        cancel: Cancel,
        steps: Sender<Step>,
    },
}

/// One step of bringing a model into memory without a question.
enum Step {
    Loading(Loading),
    Ended(Result<(), EngineError>),
}

impl Engine {
    /// Starts the worker with these settings.
    ///
    /// # Errors
    /// If the system starts no thread.
    pub fn open(settings: Settings) -> Result<Engine, EngineError> {
        Engine::open_on(settings, MemoryProbe::this_machine())
    }

    /// As [`Engine::open`], on the machine that `probe` sees.
    ///
    /// # Errors
    /// As there.
    pub fn open_on(settings: Settings, probe: MemoryProbe) -> Result<Engine, EngineError> {
        let catalogue = Catalogue::new(settings.home.clone());
        let (worker, jobs) = channel();
        let embedders = Catalogue::embedders(settings.home.clone());
        let own = catalogue.clone();
        let desk = Arc::new(Desk::open(settings.home.clone(), probe)?);
        let embedder = KeptEmbedder::default();
        let routes = Routes::new(embedder.clone());
        let (own_desk, own_routes) = (Arc::clone(&desk), routes.clone());
        let slot = Slot::new(Arc::clone(&desk));
        let resident = slot.told();
        std::thread::Builder::new()
            .name("r3mes-model".into())
            .spawn(move || work(&own, &own_desk, &own_routes, &jobs, slot))
            .map_err(EngineError::io("start the thread of", "the model"))?;
        Ok(Engine {
            settings: Mutex::new(Arc::new(settings)),
            catalogue,
            embedders,
            embedder,
            worker,
            resident,
            counter: Mutex::default(),
            desk,
            routes,
        })
    }

    /// The settings as they are now.
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&lock(&self.settings))
    }

    /// Takes other settings; they hold from the next question on. The data folder stays the one it was opened with.
    pub fn change_settings(&self, settings: Settings) {
        let home = self.catalogue.home().clone();
        *lock(&self.settings) = Arc::new(Settings { home, ..settings });
    }

    /// Reads `settings.json` and the environment again; what they say holds from the next question on.
    ///
    /// # Errors
    /// As [`Settings::resolve`]; the settings stay as they are then.
    pub fn read_settings_again(&self) -> Result<(), EngineError> {
        let home = Some(self.settings().home.path.clone());
        let flags = Flags {
            home,
            ..Flags::default()
        };
        self.change_settings(Settings::resolve(&flags)?);
        Ok(())
    }

    /// The installed models.
    pub fn models(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The installed embedders.
    pub fn embedders(&self) -> &Catalogue {
        &self.embedders
    }

    /// The vectors of `texts`, by the embedder that the settings name.
    ///
    /// # Errors
    /// If no embedder has that name, its files cannot be used, or it refuses a text.
    pub fn embed(&self, texts: &[&str]) -> Result<Embeddings, EngineError> {
        let embedder = self.embedder.get(&self.settings())?;
        embedder::embed(&embedder, texts)
    }

    /// Fetches an embedder from the hub.
    ///
    /// # Errors
    /// As [`Engine::pull`].
    pub fn pull_embedder(
        &self,
        request: &PullRequest,
        cancel: &Cancel,
        events: &mut dyn FnMut(PullEvent),
    ) -> Result<PullOutcome, EngineError> {
        let download = &self.settings().download;
        download::pull(&self.embedders, download, request, cancel, events)
    }

    /// The experts: installed, resident, pinned.
    pub fn experts(&self) -> Experts<'_> {
        Experts::of(self)
    }

    /// Asks a question. Questions are answered one after another; dropping the answer stops it.
    ///
    /// # Errors
    /// If the question is empty or too long, or a value of it is out of range.
    pub fn ask(&self, query: Query) -> Result<Answer, EngineError> {
        self.ask_model(query, None)
    }

    /// As [`Engine::ask`], with the model of this question.
    ///
    /// # Errors
    /// As there; an unknown model is reported by the answer.
    pub fn ask_model(&self, query: Query, model: Option<&str>) -> Result<Answer, EngineError> {
        check(&query)?;
        let (events, receiver) = channel();
        let cancel = Cancel::new();
        let mut settings = self.settings();
        if let Some(model) = model {
            Arc::make_mut(&mut settings).model = Some(model.to_owned());
        }
        let job = Job::Ask {
            query: Box::new(query),
            settings,
            cancel: cancel.clone(),
            events,
        };
        self.worker.send(job).map_err(|_| EngineError::WorkerGone)?;
        Ok(Answer {
            events: receiver,
            cancel,
        })
    }

    /// Brings the chosen model into memory, so that the first answer need not wait for it. Questions asked before come first.
    ///
    /// # Errors
    /// If the model is unknown or unusable. Cancelling is no error.
    pub fn warm(
        &self,
        cancel: &Cancel,
        progress: &mut dyn FnMut(Loading),
    ) -> Result<(), EngineError> {
        let (steps, receiver) = channel();
        let job = Job::Warm {
            settings: self.settings(),
            cancel: cancel.clone(),
            steps,
        };
        self.worker.send(job).map_err(|_| EngineError::WorkerGone)?;
        for step in receiver {
            match step {
                Step::Loading(loading) => progress(loading),
                Step::Ended(result) => return result,
            }
        }
        Err(EngineError::WorkerGone)
    }

    /// What looks at this machine's memory.
    pub(crate) fn probe(&self) -> &MemoryProbe {
        &self.desk.probe
    }

    /// Who is asked for what.
    pub(crate) fn routes(&self) -> &Routes {
        &self.routes
    }

    /// What every thread knows of experts.
    pub(crate) fn desk(&self) -> &Desk {
        &self.desk
    }

    /// The model in memory, when there is one.
    pub(crate) fn resident(&self) -> Option<Resident> {
        lock(&self.resident).clone()
    }

    /// The tokenizer that counted last, for models that are not in memory.
    pub(crate) fn kept_counter(&self) -> MutexGuard<'_, Option<Counter>> {
        lock(&self.counter)
    }

    /// Fetches a model from the hub.
    ///
    /// # Errors
    /// If the hub cannot be reached or sends something wrong, the repository holds no model, the disk is too small, or the
    /// name is taken. What was fetched stays for the next try.
    pub fn pull(
        &self,
        request: &PullRequest,
        cancel: &Cancel,
        events: &mut dyn FnMut(PullEvent),
    ) -> Result<PullOutcome, EngineError> {
        download::pull(
            &self.catalogue,
            &self.settings().download,
            request,
            cancel,
            events,
        )
    }
}

/// An answer while it is made: its events, ending with `Done` or `Failed`. Dropping it stops the work.
pub struct Answer {
    events: Receiver<Event>,
    cancel: Cancel,
}

impl Answer {
    #[cfg(test)]
    pub(crate) fn new(events: Receiver<Event>, cancel: Cancel) -> Answer {
        Answer { events, cancel }
    }

    /// A handle that stops this answer from elsewhere; the events end with `Done` all the same.
    pub fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }

    /// The next event, if one comes within `patience`.
    pub fn next_within(&self, patience: Duration) -> Waited {
        match self.events.recv_timeout(patience) {
            Ok(event) => Waited::Event(event),
            Err(RecvTimeoutError::Timeout) => Waited::Nothing,
            Err(RecvTimeoutError::Disconnected) => Waited::Ended,
        }
    }
}

/// What [`Answer::next_within`] met.
#[derive(Debug)]
pub enum Waited {
    /// The next event.
    Event(Event),
    /// No event came in that time.
    Nothing,
    /// The answer has ended; no event will come.
    Ended,
}

impl Iterator for Answer {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        self.events.recv().ok()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.cancel.set();
    }
}

/// Whether a text can be asked at all.
///
/// # Errors
/// If it is empty or too long.
pub(crate) fn check_question(text: &str) -> Result<(), EngineError> {
    let chars = text.chars().count();
    if text.trim().is_empty() || chars > MOST_QUERY_CHARS {
        return Err(EngineError::BadRequest {
            field: "query".into(),
            found: format!("{chars} characters"),
            expected: "1 to 10000 characters, not only spaces".into(),
        });
    }
    Ok(())
}

fn check(query: &Query) -> Result<(), EngineError> {
    let refuse = |field: &str, found: String, expected: &str| {
        Err(EngineError::BadRequest {
            field: field.into(),
            found,
            expected: expected.into(),
        })
    };
    let Some(last) = query.messages.last().filter(|last| last.role == Role::User) else {
        return refuse(
            "messages",
            "no question at the end".into(),
            "a last message of the user",
        );
    };
    check_question(&last.content)?;
    let sampling = &query.sampling;
    for (field, value, least, most) in [
        ("temperature", sampling.temperature, 0.0, 100.0),
        ("top_p", sampling.top_p, 0.0, 1.0),
        ("min_p", sampling.min_p, 0.0, 1.0),
        (
            "repetition_penalty",
            sampling.repetition_penalty,
            0.01,
            100.0,
        ),
    ] {
        if let Some(value) = value.filter(|value| !(least..=most).contains(value)) {
            return refuse(field, value.to_string(), &format!("{least} to {most}"));
        }
    }
    match query.max_tokens {
        Some(0) => refuse("max_tokens", "0".into(), "1 or more"),
        _ => Ok(()),
    }
}

/// The worker: owns the model, does one thing at a time, ends with the engine.
fn work(
    catalogue: &Catalogue,
    experts: &Desk,
    router: &Routes,
    jobs: &Receiver<Job>,
    mut slot: Slot,
) {
    let desks = Desks {
        catalogue,
        experts,
        router,
    };
    for job in jobs {
        match job {
            Job::Ask {
                query,
                settings,
                cancel,
                events,
            } => {
                let mut send = |event| {
                    if events.send(event).is_err() {
                        cancel.set();
                    }
                };
                let result = guarded(&mut slot, |slot| {
                    ask(&query, &settings, &desks, slot, &cancel, &mut send)
                });
                send(match result {
                    Ok(result) => Event::Done(Box::new(result)),
                    Err(error) => Event::Failed {
                        code: error.code(),
                        message: error.report(),
                    },
                });
            }
            Job::Warm {
                settings,
                cancel,
                steps,
            } => {
                let mut send = |loading| {
                    if steps.send(Step::Loading(loading)).is_err() {
                        cancel.set();
                    }
                };
                let result = guarded(&mut slot, |slot| {
                    let brought = slot.bring(&settings, catalogue, &cancel, &mut send);
                    brought.map(|_| ())
                });
                // Whoever asked may have gone; the model stays for the next question.
                let _asker_gone = steps.send(Step::Ended(result));
            }
        }
    }
}

/// Does the work; a panic in it ends this work only.
fn guarded<T>(
    slot: &mut Slot,
    work: impl FnOnce(&mut Slot) -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(slot)));
    done.unwrap_or_else(|_| {
        // What the model was doing is unknown: it is brought into memory again for the next question.
        slot.clear();
        Err(EngineError::Defect)
    })
}

/// What these locks guard is whole after every statement, so a panic elsewhere does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
