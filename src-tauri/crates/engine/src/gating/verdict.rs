//! A plan in words.

use super::Plan;
use crate::api::Tier;
use crate::budget::TierBudget;

/// Who runs where with which share, what stays free, who does not run and why.
pub(super) fn of(plan: &Plan, memory: &TierBudget, free_bytes: u64) -> String {
    let mut words = match plan.chosen.as_slice() {
        [] => "the base model alone".to_owned(),
        chosen => {
            let parts: Vec<String> = chosen
                .iter()
                .map(|planned| {
                    format!(
                        "`{}` {:.0} %, {} B",
                        planned.expert_id,
                        f64::from(planned.weight) * 100.0,
                        planned.bytes
                    )
                })
                .collect();
            let place = match chosen[0].tier {
                Tier::Vram => "video memory",
                Tier::Ram | Tier::Disk => "main memory",
            };
            format!(
                "{} in {place}; {free_bytes} B stay free of {} B",
                parts.join(" + "),
                memory.bytes
            )
        }
    };
    for dropped in &plan.dropped {
        words.push_str(&format!(
            "; without `{}`: {}",
            dropped.expert_id, dropped.reason
        ));
    }
    words
}
