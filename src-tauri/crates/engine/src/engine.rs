//! The engine as hosts hold it: settings, catalogue, and the thread that owns the model.

use crate::api::{Event, PullEvent, PullOutcome, PullRequest, Query, Role};
use crate::ask::ask;
use crate::cancel::Cancel;
use crate::catalogue::Catalogue;
use crate::download;
use crate::error::{EngineError, ErrorCode};
use crate::loaded::Loaded;
use crate::settings::Settings;
use std::sync::mpsc::{Receiver, Sender, channel};

/// The longest query, in characters.
pub const MOST_QUERY_CHARS: usize = 10_000;

/// Everything a host needs. Cheap to open: the model is brought into memory by the first question.
pub struct Engine {
    settings: Settings,
    catalogue: Catalogue,
    worker: Sender<Job>,
}

/// One question on its way to the worker.
struct Job {
    query: Query,
    settings: Settings,
    cancel: Cancel,
    events: Sender<Event>,
}

impl Engine {
    /// Starts the worker with these settings.
    ///
    /// # Errors
    /// If the system starts no thread.
    pub fn open(settings: Settings) -> Result<Engine, EngineError> {
        let catalogue = Catalogue::new(settings.home.clone());
        let (worker, jobs) = channel();
        let own = catalogue.clone();
        std::thread::Builder::new()
            .name("r3mes-model".into())
            .spawn(move || work(&own, &jobs))
            .map_err(EngineError::io("start the thread of", "the model"))?;
        Ok(Engine {
            settings,
            catalogue,
            worker,
        })
    }

    /// The settings this engine was opened with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The installed models.
    pub fn models(&self) -> &Catalogue {
        &self.catalogue
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
        let mut settings = self.settings.clone();
        if let Some(model) = model {
            settings.model = Some(model.to_owned());
        }
        let job = Job {
            query,
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
            &self.settings.download,
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
    /// A handle that stops this answer from elsewhere; the events end with `Done` all the same.
    pub fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }
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
    let chars = last.content.chars().count();
    if last.content.trim().is_empty() || chars > MOST_QUERY_CHARS {
        return refuse(
            "query",
            format!("{chars} characters"),
            "1 to 10000 characters, not only spaces",
        );
    }
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

/// The worker: owns the model, answers one question at a time, ends with the engine.
fn work(catalogue: &Catalogue, jobs: &Receiver<Job>) {
    let mut slot: Option<Loaded> = None;
    for job in jobs {
        let Job {
            query,
            settings,
            cancel,
            events,
        } = job;
        let mut send = |event| {
            if events.send(event).is_err() {
                cancel.set();
            }
        };
        let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            ask(&query, &settings, catalogue, &mut slot, &cancel, &mut send)
        }));
        send(match answer {
            Ok(Ok(result)) => Event::Done(Box::new(result)),
            Ok(Err(error)) => Event::Failed {
                code: error.code(),
                message: error.report(),
            },
            Err(_) => {
                // What the model was doing is unknown: it is brought into memory again for the next question.
                slot = None;
                Event::Failed {
                    code: ErrorCode::Failed,
                    message: "the model stopped because of a defect in this program".into(),
                }
            }
        });
    }
}
