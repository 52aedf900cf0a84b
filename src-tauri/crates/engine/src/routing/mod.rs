//! Who should answer: whoever was named, or whom the router finds.
//!
//! The router itself is pure (`router/`). Here it is made ready for this data folder: with the embedder and the numbers of the settings,
//! the examples that installed experts bring, and what it has learned from people's labels; and made again when one of these changes.

mod file;
mod learned;

pub(crate) use learned::{Kept, read as read_learned, write as write_learned};

use crate::api::{ExpertChoice, ExpertUsed, ExpertWeight, Query, Route, RouteReason};
use crate::embedder::KeptEmbedder;
use crate::error::EngineError;
use crate::experts::{Desk, Taught};
use crate::router::{Recent, Router, Stickiness};
use crate::settings::Settings;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// Who answered last in this conversation, and what changing them would cost.
#[derive(Clone, Debug, Default)]
pub(crate) struct Previous {
    /// Those who helped.
    pub experts: Vec<ExpertUsed>,
    /// Tokens of the prompt whose keys and values are theirs.
    pub shared_tokens: usize,
    /// How fast the model reads; 0 where not known.
    pub prefill_tokens_per_second: f64,
}

/// The router of a data folder.
#[derive(Clone, Default)]
pub(crate) struct Routes {
    embedder: KeptEmbedder,
    ready: Arc<Mutex<Option<Ready>>>,
}

/// A router with what it was made from.
struct Ready {
    made_of: MadeOf,
    router: Router,
}

#[derive(PartialEq)]
struct MadeOf {
    embedder: Option<String>,
    settings: crate::settings::RouterSettings,
    taught: Vec<Taught>,
    learned: Option<SystemTime>,
}

impl Routes {
    /// Routes with the embedder that others use too.
    pub fn new(embedder: KeptEmbedder) -> Routes {
        Routes {
            embedder,
            ready: Arc::default(),
        }
    }

    /// Who should help with a query. What cannot be routed is answered by the base model, and the reason says so.
    pub fn choose(
        &self,
        query: &Query,
        settings: &Settings,
        desk: &Desk,
        previous: &Previous,
    ) -> Route {
        let question = query.messages.last().map_or("", |last| &last.content);
        match &query.experts {
            ExpertChoice::Pinned { ids } => named(ids),
            ExpertChoice::Base => without_experts("the base model was asked for"),
            ExpertChoice::Auto if !settings.router.enabled => {
                without_experts("the router is switched off")
            }
            ExpertChoice::Auto => match self.router(settings, desk) {
                Ok(router) => {
                    let recent = recent(query, previous);
                    router.route_after(question, &recent, &Stickiness::default())
                }
                Err(error) => without_experts(&format!("no router: {}", error.report())),
            },
        }
    }

    /// The router as settings, experts and labels make it now.
    ///
    /// # Errors
    /// If the embedder cannot be used, or what was learned cannot be read.
    pub fn router(&self, settings: &Settings, desk: &Desk) -> Result<Router, EngineError> {
        let file = settings.home.router();
        let made_of = MadeOf {
            embedder: settings.embedder.clone(),
            settings: settings.router,
            taught: desk.taught(),
            learned: std::fs::metadata(&file)
                .and_then(|found| found.modified())
                .ok(),
        };
        // What the lock guards is whole after every statement.
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ready) = ready.as_ref().filter(|ready| ready.made_of == made_of) {
            return Ok(ready.router.clone());
        }
        let embedder = self.embedder.get(settings)?;
        let learned = learned::read(&file)?;
        let mut router = Router::builtin(embedder)?;
        for taught in &made_of.taught {
            // An expert whose examples cannot be read is listed as broken; the router goes on without them.
            if let Ok(examples) = desk.examples(&taught.id) {
                router = router.with_expert(&taught.id, &examples)?;
            }
        }
        let tuned = settings.router.over(learned.now.tuning);
        router = router.with_learned(&learned.now)?.with_tuning(tuned);
        *ready = Some(Ready {
            made_of,
            router: router.clone(),
        });
        Ok(router)
    }
}

/// What the previous answer leaves behind: nothing where this is a first question.
fn recent(query: &Query, previous: &Previous) -> Recent {
    if query.messages.len() < 2 {
        return Recent::default();
    }
    Recent {
        mix: previous
            .experts
            .iter()
            .map(|used| ExpertWeight {
                expert_id: used.expert_id.clone(),
                weight: used.weight,
            })
            .collect(),
        read_again_tokens: previous.shared_tokens,
        prefill_tokens_per_second: previous.prefill_tokens_per_second,
    }
}

fn without_experts(reason: &str) -> Route {
    Route {
        reason_text: reason.into(),
        ..Route::default()
    }
}

/// The experts that were named, with equal shares.
fn named(ids: &[String]) -> Route {
    let weight = 1.0 / ids.len() as f32;
    Route {
        candidates: ids
            .iter()
            .map(|id| ExpertWeight {
                expert_id: id.clone(),
                weight,
            })
            .collect(),
        reason: RouteReason::Forced,
        reason_text: "named by whoever asked".into(),
        ..Route::default()
    }
}
