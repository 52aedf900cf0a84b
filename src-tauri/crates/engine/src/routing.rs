//! Who should answer: whoever was named, or whom the router finds.

use crate::api::{ExpertChoice, ExpertUsed, ExpertWeight, Query, Route, RouteReason};
use crate::settings::Settings;

/// Who answered last in this conversation, and what changing them would cost.
#[derive(Clone, Debug, Default)]
pub(crate) struct Previous {
    /// Those who helped.
    pub experts: Vec<ExpertUsed>,
    /// Tokens of the prompt whose keys and values are theirs.
    pub shared_tokens: usize,
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
}

/// Finds experts for questions.
#[derive(Default)]
pub(crate) struct Router {}

impl Router {
    /// Who should help with the query.
    pub fn route(&self, query: &Query, _settings: &Settings, _previous: &Previous) -> Route {
        match &query.experts {
            ExpertChoice::Pinned { ids } => named(ids),
            ExpertChoice::Base | ExpertChoice::Auto => Route::default(),
        }
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
