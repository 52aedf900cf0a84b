//! Experts as they are listed.

use super::base::Base;
use super::card::Card;
use super::desk::Desk;
use super::id::{is_id, known_domain, shown};
use super::{evaluation, examples};
use crate::api::{ExpertEntry, KNOWN_EXPERTS, Tier, TierReport};
use crate::budget::MemoryBudget;
use crate::error::EngineError;
use crate::folders::size_of;
use std::cell::OnceCell;
use std::sync::Arc;

/// Finds the model that experts are compared with; called only when there is one to compare.
pub(super) type FindBase<'a> = &'a dyn Fn() -> Result<Arc<Base>, EngineError>;

/// The known experts, then all others by id.
///
/// # Errors
/// If the folder of experts is there and cannot be read.
pub(super) fn list(desk: &Desk, base: FindBase<'_>) -> Result<Vec<ExpertEntry>, EngineError> {
    let found = OnceCell::new();
    let base = || {
        found
            .get_or_init(|| base().map_err(|error| error.report()))
            .clone()
    };
    let known = KNOWN_EXPERTS.iter().map(|(id, _)| (*id).to_owned());
    let others = desk.shelf.names()?.into_iter();
    let others = others.filter(|name| known_domain(name).is_none());
    Ok(known
        .chain(others)
        .map(|id| entry(desk, &base, &id))
        .collect())
}

/// One expert.
///
/// # Errors
/// If nothing has that id.
pub(super) fn info(desk: &Desk, base: FindBase<'_>, id: &str) -> Result<ExpertEntry, EngineError> {
    desk.shelf.known(id)?;
    let base = || base().map_err(|error| error.report());
    Ok(entry(desk, &base, id))
}

/// What each tier holds.
///
/// # Errors
/// If the folder of experts is there and cannot be read.
pub(super) fn tiers(desk: &Desk, budget: &MemoryBudget) -> Result<Vec<TierReport>, EngineError> {
    let has_vram = budget.vram.is_some();
    let ram_reason = match has_vram {
        true => budget.ram.reason.clone(),
        false => format!("experts compute from here; {}", budget.ram.reason),
    };
    let names = desk.shelf.names()?;
    let on_disk = |name: &&String| desk.cache.tier_of(name) == Tier::Disk;
    let folder = desk.shelf.folder();
    let existing = folder.ancestors().find(|path| path.is_dir());
    let mut disk = desk
        .cache
        .report(Tier::Disk, true, "the data folder".into());
    disk.budget_bytes = existing
        .and_then(|path| fs4::available_space(path).ok())
        .unwrap_or_default();
    let sizes = names.iter().map(|name| size_of(&folder.join(name)));
    disk.used_bytes = sizes.sum();
    disk.experts = names.iter().filter(on_disk).cloned().collect();
    Ok(vec![
        desk.cache
            .report(Tier::Vram, has_vram, budget.vram_reason.clone()),
        desk.cache.report(Tier::Ram, true, ram_reason),
        disk,
    ])
}

fn entry(desk: &Desk, base: &dyn Fn() -> Result<Arc<Base>, String>, id: &str) -> ExpertEntry {
    let domain = known_domain(id);
    let used = desk.cache.used(id);
    let mut entry = ExpertEntry {
        expert_id: id.to_owned(),
        domain: domain.unwrap_or_default().to_owned(),
        registered: false,
        tier: None,
        size_bytes: 0,
        resident_bytes: None,
        generation: String::new(),
        pinned: desk.cache.is_pinned(id),
        error: None,
        name: domain.map_or_else(|| shown(id), capitalised),
        description: String::new(),
        licence: None,
        base_model: None,
        kind: None,
        rank: None,
        examples: 0,
        evaluation: Vec::new(),
        hits: used.hits,
        misses: used.misses,
        last_used_ms: used.last_used_ms,
    };
    let folder = desk.shelf.folder_of(id);
    if !folder.is_dir() {
        return entry;
    }
    entry.registered = true;
    entry.size_bytes = size_of(&folder);
    if !is_id(id) {
        entry.error = Some(format!(
            "its folder is named `{}`, expected 1 to 64 of a-z, 0-9, `_` and `-`",
            shown(id)
        ));
        return entry;
    }
    // A card that cannot be read is the reason that comparing gives below.
    if let Ok(Some(card)) = Card::read(&folder) {
        describe(&mut entry, card);
    }
    // Whether it can be used does not depend on these two; importing checks them.
    entry.examples = examples::read(&folder).map_or(0, |examples| examples.len());
    entry.evaluation = evaluation::read(&folder).unwrap_or_default();
    let found = base().and_then(|base| {
        let found = desk.shelf.look(id, &base);
        found.map_err(|error| match error {
            EngineError::BrokenExpert { reason, .. } => reason,
            other => other.report(),
        })
    });
    match found {
        Ok(found) => {
            entry.generation = found.generation;
            match found.shape {
                Ok(shape) => {
                    entry.tier = Some(desk.cache.tier_of(id));
                    entry.resident_bytes = Some(shape.resident_bytes);
                    entry.kind = Some(shape.kind);
                    entry.rank = Some(shape.rank);
                }
                Err(reason) => entry.error = Some(reason),
            }
        }
        Err(reason) => entry.error = Some(reason),
    }
    entry
}

fn describe(entry: &mut ExpertEntry, card: Card) {
    for (said, slot) in [
        (card.name, &mut entry.name),
        (card.domain, &mut entry.domain),
        (card.description, &mut entry.description),
    ] {
        if !said.is_empty() {
            *slot = said;
        }
    }
    entry.licence = card.licence;
    entry.base_model = card.base_model.and_then(|base| base.name);
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}
