//! Experts: what is installed below `adapters/`, and where it is now.
//!
//! - An expert is a folder named by its id. It is put together out of sight and becomes visible by one rename, after its
//!   files were checked; so what is listed is whole.
//! - One broken expert never takes the list down: it is listed with the reason.
//! - An expert belongs to a model. One that does not fit the chosen model is listed with what differs.
//! - The seven known ids are always listed, installed or not.

mod adapter;
mod base;
mod card;
mod contents;
mod desk;
mod evaluation;
mod examples;
mod files;
mod folder;
mod hash;
mod hold;
mod id;
mod install;
mod leased;
mod list;
mod pack;
mod pins;
mod shelf;
mod stamp;
#[cfg(test)]
mod tests;

pub(crate) use adapter::Computer;
pub(crate) use base::Base;
pub(crate) use desk::{Desk, Taught};
pub(crate) use leased::Leased;

use crate::api::{
    ExpertEntry, ExpertExport, ExpertImport, Loading, PreloadReport, Tier, TierReport,
};
use crate::budget::MemoryBudget;
use crate::cancel::Cancel;
use crate::catalogue::{Catalogue, Located};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::folders::size_of;
use crate::jobs::Announce;
use card::Card;
use hold::Hold;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// The experts of an engine. Every method may be called from any thread, also while an answer runs.
#[derive(Clone, Copy)]
pub struct Experts<'a> {
    engine: &'a Engine,
}

impl<'a> Experts<'a> {
    pub(crate) fn of(engine: &'a Engine) -> Experts<'a> {
        Experts { engine }
    }

    /// The seven known experts, then the person's own by id.
    ///
    /// # Errors
    /// If the folder of experts is there and cannot be read.
    pub fn list(&self) -> Result<Vec<ExpertEntry>, EngineError> {
        list::list(self.desk(), &|| self.base())
    }

    /// One expert. A broken one is reported, not refused, and so is a known one without files.
    ///
    /// # Errors
    /// If nothing has that id.
    pub fn info(&self, id: &str) -> Result<ExpertEntry, EngineError> {
        list::info(self.desk(), &|| self.base(), id)
    }

    /// Installs an expert; nothing when it was cancelled. What it came from is not touched.
    ///
    /// # Errors
    /// If it is no expert that the chosen model could use, something in it is not allowed, its id is taken or cannot be made,
    /// or the disk is too small. Nothing is installed then.
    pub fn import(
        &self,
        request: &ExpertImport,
        cancel: &Cancel,
    ) -> Result<Option<ExpertEntry>, EngineError> {
        let desk = self.desk();
        let base = self.base()?;
        let Some(id) = install::install(&desk.shelf, request, &base, cancel)? else {
            return Ok(None);
        };
        desk.changed();
        self.info(&id).map(Some)
    }

    /// Writes an installed expert as one file: to this path, or into this folder under its id. An older file of that name is
    /// replaced when the new one is whole.
    ///
    /// # Errors
    /// If nothing installed has that id, its files cannot be read or change meanwhile, or the file cannot be written.
    pub fn export(&self, id: &str, to: &Path) -> Result<ExpertExport, EngineError> {
        let folder = self.desk().shelf.locate(id)?;
        let card = Card::read(&folder)?.unwrap_or_default().for_pack(id);
        let to = match to.is_dir() {
            true => to.join(format!("{id}.{}", pack::ENDING)),
            false => to.to_owned(),
        };
        let size_bytes = pack::write(&folder, id, &card, &to)?;
        Ok(ExpertExport {
            expert_id: id.to_owned(),
            path: to,
            size_bytes,
        })
    }

    /// Deletes an installed expert and tells the bytes it freed. A running answer keeps what it has in memory.
    ///
    /// # Errors
    /// If nothing installed has that id, or the system refuses.
    pub fn remove(&self, id: &str) -> Result<u64, EngineError> {
        let desk = self.desk();
        desk.shelf.locate(id)?;
        let Some(hold) = Hold::take(&desk.shelf, &Cancel::new())? else {
            return Err(EngineError::ExpertBusy { id: id.to_owned() });
        };
        // Another program may have taken it away while this one waited.
        let folder = desk.shelf.locate(id)?;
        let bytes = size_of(&folder);
        hold.delete(id)?;
        desk.shelf.forget(id);
        desk.set_pinned(id, false)?;
        desk.cache.unload(id)?;
        desk.changed();
        Ok(bytes)
    }

    /// Keeps an expert in memory, once it is there, whatever happens, also after a restart; or no longer.
    ///
    /// # Errors
    /// If nothing installed has that id, or the choice cannot be kept.
    pub fn set_pinned(&self, id: &str, pinned: bool) -> Result<(), EngineError> {
        let desk = self.desk();
        if pinned {
            desk.shelf.locate(id)?;
        } else if !desk.cache.is_pinned(id) {
            desk.shelf.known(id)?;
        }
        desk.set_pinned(id, pinned)
    }

    /// Brings experts into memory, and the chosen model before them if it is not there. Without a tier: where they compute.
    /// Each tells how it went; cancelling leaves out the rest.
    ///
    /// # Errors
    /// If nothing has one of these ids, the tier is no memory, or the model cannot be used.
    pub fn preload(
        &self,
        ids: &[String],
        tier: Option<Tier>,
        cancel: &Cancel,
        progress: &mut dyn FnMut(Loading),
    ) -> Result<Vec<PreloadReport>, EngineError> {
        for id in ids {
            self.desk().shelf.known(id)?;
        }
        if tier == Some(Tier::Disk) {
            return Err(EngineError::BadRequest {
                field: "tier".into(),
                found: "`disk`".into(),
                expected: "`vram` or `ram`".into(),
            });
        }
        if !self.is_in_memory(&self.located()?) {
            self.engine.warm(cancel, progress)?;
        }
        if cancel.is_set() {
            return Ok(Vec::new());
        }
        let budget = self.budget();
        let mut reports = Vec::new();
        for id in ids {
            let started = Instant::now();
            let brought = self.bring(id, tier, &budget, cancel);
            let (tier, error) = match brought {
                Ok(Some(tier)) => (Some(tier), None),
                Ok(None) => break,
                Err(error) => (None, Some(error.report())),
            };
            reports.push(PreloadReport {
                expert_id: id.clone(),
                tier,
                ms: started.elapsed().as_secs_f64() * 1e3,
                error,
            });
        }
        self.desk().changed();
        Ok(reports)
    }

    /// Takes an expert out of memory; a running answer keeps it until it ends. Tells whether it was there.
    ///
    /// # Errors
    /// If nothing installed has that id, or it is pinned.
    pub fn unload(&self, id: &str) -> Result<bool, EngineError> {
        let desk = self.desk();
        desk.shelf.locate(id)?;
        let was_there = desk.cache.unload(id)?;
        desk.changed();
        Ok(was_there)
    }

    /// What each tier holds: video memory, main memory, disk.
    ///
    /// # Errors
    /// If the folder of experts is there and cannot be read.
    pub fn tiers(&self) -> Result<Vec<TierReport>, EngineError> {
        list::tiers(self.desk(), &self.budget())
    }

    /// Bytes that adapters may take, and where the numbers come from.
    pub fn budget(&self) -> MemoryBudget {
        let settings = self.engine.settings();
        let model_bytes = match self.engine.resident() {
            Some(_) => 0,
            None => self.chosen_model_bytes(),
        };
        self.desk().budget(&settings.experts, model_bytes)
    }

    /// The example questions an installed expert brings for the router.
    ///
    /// # Errors
    /// If nothing installed has that id, or its examples cannot be read.
    pub fn examples(&self, id: &str) -> Result<Vec<String>, EngineError> {
        self.desk().examples(id)
    }

    /// Calls `announce` whenever something about experts changed, from whatever thread changed it.
    pub fn watch(&self, announce: Announce) {
        self.desk().watch(announce);
    }

    fn bring(
        &self,
        id: &str,
        tier: Option<Tier>,
        budget: &MemoryBudget,
        cancel: &Cancel,
    ) -> Result<Option<Tier>, EngineError> {
        let tier = match (tier, &budget.vram) {
            (Some(Tier::Vram), None) => {
                return Err(EngineError::NoDevice {
                    reason: budget.vram_reason.clone(),
                });
            }
            (Some(tier), _) => tier,
            (None, _) => budget.ready_tier(),
        };
        self.desk().cache.preload(id, tier, cancel)
    }

    /// The chosen model by its headers, or the one in memory if it is the chosen one.
    fn base(&self) -> Result<Arc<Base>, EngineError> {
        let located = self.located()?;
        if self.is_in_memory(&located)
            && let Some(base) = self.desk().cache.adapters().model()
        {
            return Ok(base);
        }
        self.desk().base_of(&located, || {
            Ok(Base {
                name: located.name.clone(),
                config: r3mes_model::inspect::config(&located.path)?,
                hash: Catalogue::weights_hash(&located.path),
            })
        })
    }

    fn located(&self) -> Result<Located, EngineError> {
        let settings = self.engine.settings();
        let models = self.engine.models();
        models.locate_chosen(settings.model.as_deref())
    }

    fn is_in_memory(&self, located: &Located) -> bool {
        let in_memory = self.engine.resident();
        in_memory.is_some_and(|model| model.located == *located)
    }

    /// What the chosen model will take of memory, by the bytes of its files.
    fn chosen_model_bytes(&self) -> u64 {
        let settings = self.engine.settings();
        let wanted = settings.model.as_deref().unwrap_or(crate::BUILTIN);
        match self.engine.models().find(wanted) {
            Ok(Some(entry)) => entry.size_bytes,
            // A model that cannot be found will take nothing.
            _ => path_bytes(Path::new(wanted)),
        }
    }

    fn desk(&self) -> &'a Desk {
        self.engine.desk()
    }
}

fn path_bytes(path: &Path) -> u64 {
    match path.is_dir() {
        true => size_of(path),
        false => std::fs::metadata(path).map_or(0, |found| found.len()),
    }
}
