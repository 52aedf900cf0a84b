//! Who helps with a question: from a route to leased experts, within the memory there is.

use crate::api::{ExpertChoice, ExpertUsed, PlannedExpert, Route, Routing};
use crate::cancel::Cancel;
use crate::error::EngineError;
use crate::experts::{Desk, Leased};
use crate::gating::{self, MOST_EXPERTS, Plan, Policy};
use crate::loaded::Loaded;
use crate::routing::Previous;
use crate::settings::Settings;

/// The experts of an answer.
pub(crate) struct Helpers {
    /// Who was considered and who helps, as it is told.
    pub routing: Routing,
    /// Their adapters, in use.
    pub leased: Leased,
}

/// Refuses experts that were named and are not there, before anything is loaded for them.
///
/// # Errors
/// If an id is unknown or not installed, one is named twice, or they are too many.
pub(crate) fn check(choice: &ExpertChoice, desk: &Desk) -> Result<(), EngineError> {
    let ExpertChoice::Pinned { ids } = choice else {
        return Ok(());
    };
    let refuse = |found: String, expected: String| EngineError::BadRequest {
        field: "experts".into(),
        found,
        expected,
    };
    if ids.is_empty() || ids.len() > MOST_EXPERTS {
        let found = format!("{} experts", ids.len());
        return Err(refuse(found, format!("1 to {MOST_EXPERTS}")));
    }
    for (place, id) in ids.iter().enumerate() {
        desk.shelf.locate(id)?;
        if ids[..place].contains(id) {
            return Err(refuse(format!("`{id}` twice"), "each expert once".into()));
        }
    }
    Ok(())
}

/// Who answered last, and what changing them would cost.
pub(crate) fn previous(loaded: &Loaded, prompt: &[u32]) -> Previous {
    Previous {
        experts: loaded.sequences.latest(),
        shared_tokens: loaded.sequences.shared_tokens(prompt),
        prefill_tokens_per_second: loaded.prefill_rate.unwrap_or_default(),
    }
}

/// Decides who of the route can help. What is kept for later questions makes room when it stands in the way.
///
/// # Errors
/// If an expert that was named cannot help.
pub(crate) fn plan(
    route: &Route,
    choice: &ExpertChoice,
    settings: &Settings,
    desk: &Desk,
    loaded: &mut Loaded,
) -> Result<Plan, EngineError> {
    let most = match choice {
        // Who names experts has decided how many; memory decides whether they fit.
        ExpertChoice::Pinned { ids } => Some(ids.len()),
        ExpertChoice::Auto | ExpertChoice::Base => settings.experts.most,
    };
    let ids = || {
        route
            .candidates
            .iter()
            .map(|candidate| candidate.expert_id.as_str())
    };
    let decide = || {
        let budget = desk.budget(&settings.experts, 0);
        let facts = desk.facts(ids());
        gating::plan(&route.candidates, &facts, &budget, Policy { most })
    };
    let mut plan = decide();
    let short_of_memory = plan
        .dropped
        .iter()
        .any(|dropped| dropped.reason.starts_with("needs "));
    if short_of_memory && loaded.sequences.release() {
        plan = decide();
    }
    match (choice, plan.dropped.first()) {
        (ExpertChoice::Pinned { .. }, Some(dropped)) => Err(EngineError::BrokenExpert {
            id: dropped.expert_id.clone(),
            reason: dropped.reason.clone(),
        }),
        _ => Ok(plan),
    }
}

/// Brings the experts of a plan into memory; nothing when it was cancelled.
///
/// # Errors
/// If an expert that was named cannot be brought.
pub(crate) fn lease(
    mut route: Route,
    plan: Plan,
    choice: &ExpertChoice,
    desk: &Desk,
    cancel: &Cancel,
) -> Result<Option<Helpers>, EngineError> {
    let Some(leased) = desk.lease(&plan, cancel) else {
        return Ok(None);
    };
    if let (ExpertChoice::Pinned { .. }, Some(dropped)) = (choice, leased.dropped.first()) {
        return Err(EngineError::BrokenExpert {
            id: dropped.expert_id.clone(),
            reason: dropped.reason.clone(),
        });
    }
    let bytes = |id: &str| {
        let planned = plan.chosen.iter().find(|planned| planned.expert_id == id);
        planned.map_or(0, |planned| planned.bytes)
    };
    let experts = leased
        .experts
        .iter()
        .zip(leased.used())
        .map(|((lease, _), used)| PlannedExpert {
            resident_bytes: bytes(&used.expert_id),
            tier: lease.tier(),
            fetched: !lease.was_hit(),
            expert_id: used.expert_id,
            weight: used.weight,
            generation: used.generation,
        })
        .collect();
    route.dropped = plan.dropped;
    route.dropped.extend(leased.dropped.iter().cloned());
    let routing = Routing {
        route,
        experts,
        verdict: plan.verdict,
    };
    Ok(Some(Helpers { routing, leased }))
}

/// Remembers who helped, for guesses about the next question.
pub(crate) fn note(used: &[ExpertUsed], settings: &Settings, desk: &Desk) {
    let ids = used.iter().map(|used| used.expert_id.clone()).collect();
    let tier = desk.budget(&settings.experts, 0).ready_tier();
    desk.note_route(ids, &settings.experts, tier);
}
