//! Who runs, how strongly, and where, within the budget. Pure: the same facts give the same plan.
//!
//! - How many may help at once follows from the memory that computes: one with less than 16 GB, two from 16 GB, three from
//!   24 GB. GB is 10⁹ bytes: what is sold as 16 GB shows a little less than 16 GiB and never less than 16·10⁹.
//! - The best candidates go first. One that is not installed, broken or too large makes room for the next.
//! - Nothing is evicted here. An adapter that may be evicted counts as free; one in use or pinned does not.
//!
//! This module knows no text and never asks the machine.

mod verdict;

use crate::api::{ExpertDropped, ExpertWeight, Tier};
use crate::budget::{MemoryBudget, TierBudget};
use crate::error::no_room;
use std::collections::BTreeSet;

/// Most experts in a mix, whatever the memory.
pub const MOST_EXPERTS: usize = 3;
const GB: u64 = 1_000_000_000;
/// From how many bytes of the memory that computes how many experts may help, most first.
const TABLE: [(u64, usize); 2] = [(24 * GB, 3), (16 * GB, 2)];

/// What is known of an expert when a plan is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExpertFacts {
    /// Its id.
    pub expert_id: String,
    /// Bytes it takes in memory.
    pub bytes: u64,
    /// Where it is.
    pub tier: Option<Tier>,
    /// Whether it is in use or pinned where it is: its bytes are in the budget's fixed ones already.
    pub fixed: bool,
    /// Whether its files are installed.
    pub registered: bool,
    /// Why it cannot be used.
    pub error: Option<String>,
}

/// What a person decided about plans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// How many may help at once, instead of what the table says; never more than [`MOST_EXPERTS`].
    pub most: Option<usize>,
}

/// Who runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Those who run, best first; empty is the base model.
    pub chosen: Vec<Planned>,
    /// Those who were wanted and cannot run.
    pub dropped: Vec<ExpertDropped>,
    /// All of it in words, with bytes.
    pub verdict: String,
}

/// An expert that runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// Its id.
    pub expert_id: String,
    /// Its share; the shares of a plan add up to 1.
    pub weight: f32,
    /// Where it must be.
    pub tier: Tier,
    /// Bytes it takes there.
    pub bytes: u64,
}

/// Decides which of `candidates`, best first, run. A candidate that is named twice counts once.
pub fn plan(
    candidates: &[ExpertWeight],
    catalog: &[ExpertFacts],
    budget: &MemoryBudget,
    policy: Policy,
) -> Plan {
    let (tier, memory) = (budget.ready_tier(), budget.ready());
    let most = most(memory.total_bytes, policy);
    let mut free = memory.free_bytes();
    let mut seen = BTreeSet::new();
    let mut plan = Plan::default();
    for candidate in candidates {
        if !seen.insert(&candidate.expert_id) {
            continue;
        }
        let facts = catalog
            .iter()
            .find(|facts| facts.expert_id == candidate.expert_id);
        let verdict = usable(facts, candidate.weight).and_then(|facts| {
            if plan.chosen.len() >= most {
                return Err(too_many(most, memory, policy));
            }
            let needed = needed(facts, tier);
            if needed > free {
                return Err(no_room(facts.bytes, free, memory.bytes));
            }
            passes_through_ram(facts, tier, &budget.ram)?;
            Ok((facts, needed))
        });
        match verdict {
            Ok((facts, needed)) => {
                free -= needed;
                plan.chosen.push(Planned {
                    expert_id: candidate.expert_id.clone(),
                    weight: candidate.weight,
                    tier,
                    bytes: facts.bytes,
                });
            }
            Err(reason) => plan.dropped.push(ExpertDropped {
                expert_id: candidate.expert_id.clone(),
                reason,
            }),
        }
    }
    share(&mut plan.chosen);
    plan.verdict = verdict::of(&plan, memory, free);
    plan
}

/// How many experts may help at once with `total_bytes` of the memory that computes.
pub fn most(total_bytes: u64, policy: Policy) -> usize {
    let by_memory = TABLE
        .iter()
        .find(|(from_bytes, _)| total_bytes >= *from_bytes)
        .map_or(1, |(_, most)| *most);
    policy.most.unwrap_or(by_memory).min(MOST_EXPERTS)
}

/// The shares of those that are left, made to add up to 1 again.
pub fn share(chosen: &mut [Planned]) {
    let sum: f64 = chosen.iter().map(|planned| f64::from(planned.weight)).sum();
    for planned in chosen {
        planned.weight = (f64::from(planned.weight) / sum) as f32;
    }
}

fn usable(facts: Option<&ExpertFacts>, weight: f32) -> Result<&ExpertFacts, String> {
    let facts = facts
        .filter(|facts| facts.registered)
        .ok_or_else(|| "not installed".to_owned())?;
    match &facts.error {
        Some(error) => Err(format!("broken: {error}")),
        None if weight.is_finite() && weight > 0.0 => Ok(facts),
        None => Err(format!("its share is {weight}, expected more than 0")),
    }
}

/// Bytes that must be free for it: none when it is there and stays anyway.
fn needed(facts: &ExpertFacts, tier: Tier) -> u64 {
    match facts.fixed && facts.tier == Some(tier) {
        true => 0,
        false => facts.bytes,
    }
}

/// What comes from disk to a device is in main memory for a moment.
fn passes_through_ram(facts: &ExpertFacts, tier: Tier, ram: &TierBudget) -> Result<(), String> {
    let from_disk = facts.tier.is_none_or(|found| found == Tier::Disk);
    match tier == Tier::Vram && from_disk && facts.bytes > ram.free_bytes() {
        true => Err(format!(
            "{} in main memory, which it passes through",
            no_room(facts.bytes, ram.free_bytes(), ram.bytes)
        )),
        false => Ok(()),
    }
}

fn too_many(most: usize, memory: &TierBudget, policy: Policy) -> String {
    let experts = if most == 1 { "expert" } else { "experts" };
    match policy.most {
        Some(_) => format!("at most {most} {experts} at once, as the settings say"),
        None => format!(
            "at most {most} {experts} at once with {} B of memory",
            memory.total_bytes
        ),
    }
}

#[cfg(test)]
mod tests;
