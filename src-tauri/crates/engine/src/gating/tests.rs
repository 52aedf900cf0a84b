//! Plans by example, and what holds for any.

use super::{ExpertFacts, GB, MOST_EXPERTS, Plan, Policy, most, plan};
use crate::api::{ExpertWeight, Tier};
use crate::budget::{MemoryBudget, TierBudget};
use crate::tiers::Dice;

fn tier(bytes: u64, fixed_bytes: u64, total_bytes: u64) -> TierBudget {
    TierBudget {
        bytes,
        fixed_bytes,
        total_bytes,
        reason: String::new(),
    }
}

fn ram_only(ram: TierBudget) -> MemoryBudget {
    MemoryBudget {
        vram: None,
        vram_reason: "no device".into(),
        ram,
    }
}

fn wanted(weights: &[(&str, f32)]) -> Vec<ExpertWeight> {
    let one = |(id, weight): &(&str, f32)| ExpertWeight {
        expert_id: (*id).to_owned(),
        weight: *weight,
    };
    weights.iter().map(one).collect()
}

fn installed(sizes: &[(&str, u64)]) -> Vec<ExpertFacts> {
    let one = |(id, bytes): &(&str, u64)| ExpertFacts {
        expert_id: (*id).to_owned(),
        bytes: *bytes,
        tier: Some(Tier::Disk),
        registered: true,
        ..ExpertFacts::default()
    };
    sizes.iter().map(one).collect()
}

fn chosen(plan: &Plan) -> Vec<(&str, f32)> {
    plan.chosen
        .iter()
        .map(|planned| (planned.expert_id.as_str(), planned.weight))
        .collect()
}

#[test]
fn the_table_counts_in_decimal_gigabytes_and_settings_may_lower_or_raise() {
    for (total_bytes, setting, expected) in [
        (0, None, 1),
        (8 * GB, None, 1),
        (16 * GB - 1, None, 1),
        (16 * GB, None, 2),
        (24 * GB - 1, None, 2),
        (24 * GB, None, 3),
        (u64::MAX, None, 3),
        (8 * GB, Some(2), 2),
        (24 * GB, Some(1), 1),
        (24 * GB, Some(0), 0),
        (8 * GB, Some(99), MOST_EXPERTS),
    ] {
        let policy = Policy { most: setting };
        assert_eq!(
            most(total_bytes, policy),
            expected,
            "{total_bytes} {setting:?}"
        );
    }
}

#[test]
fn shares_of_those_who_run_add_up_to_one() {
    let budget = ram_only(tier(GB, 0, 16 * GB));
    let found = plan(
        &wanted(&[("a", 0.6), ("b", 0.2), ("c", 0.2)]),
        &installed(&[("a", 1), ("b", 1), ("c", 1)]),
        &budget,
        Policy::default(),
    );
    assert_eq!(chosen(&found), [("a", 0.75), ("b", 0.25)]);
    assert_eq!(
        found.dropped[0].reason,
        "at most 2 experts at once with 16000000000 B of memory"
    );
    assert_eq!(
        found.verdict,
        "`a` 75 %, 1 B + `b` 25 %, 1 B in main memory; 999999998 B stay free of 1000000000 B; \
         without `c`: at most 2 experts at once with 16000000000 B of memory"
    );
}

#[test]
fn what_does_not_fit_is_dropped_with_its_bytes_and_the_next_takes_its_place() {
    let budget = ram_only(tier(512_000_000, 500_000_000, 8 * GB));
    let found = plan(
        &wanted(&[("large", 0.9), ("small", 0.1)]),
        &installed(&[("large", 61_000_000), ("small", 12_000_000)]),
        &budget,
        Policy::default(),
    );
    assert_eq!(chosen(&found), [("small", 1.0)]);
    assert_eq!(
        found.dropped[0].reason,
        "needs 61000000 B, 12000000 B free of 512000000 B"
    );
}

#[test]
fn one_that_stays_in_memory_anyway_needs_no_room() {
    let budget = ram_only(tier(100, 100, 8 * GB));
    let mut catalog = installed(&[("a", 60)]);
    catalog[0].tier = Some(Tier::Ram);
    catalog[0].fixed = true;
    let found = plan(&wanted(&[("a", 1.0)]), &catalog, &budget, Policy::default());
    assert_eq!(chosen(&found), [("a", 1.0)]);
}

#[test]
fn the_missing_the_broken_and_those_without_a_share_are_told_apart() {
    let mut catalog = installed(&[("broken", 1), ("nothing", 1), ("known", 1)]);
    catalog[0].error = Some("rank 0, expected 1 or more".into());
    catalog[2].registered = false;
    let found = plan(
        &wanted(&[
            ("broken", 1.0),
            ("nothing", f32::NAN),
            ("known", 1.0),
            ("absent", 1.0),
        ]),
        &catalog,
        &ram_only(tier(100, 0, 8 * GB)),
        Policy::default(),
    );
    let reasons: Vec<&str> = found
        .dropped
        .iter()
        .map(|one| one.reason.as_str())
        .collect();
    assert_eq!(
        reasons,
        [
            "broken: rank 0, expected 1 or more",
            "its share is NaN, expected more than 0",
            "not installed",
            "not installed"
        ]
    );
    assert!(
        found
            .verdict
            .starts_with("the base model alone; without `broken`")
    );
}

#[test]
fn with_a_device_its_memory_decides_and_main_memory_must_let_it_pass() {
    let budget = |ram| MemoryBudget {
        vram: Some(tier(100, 0, 24 * GB)),
        vram_reason: String::new(),
        ram: tier(ram, 0, 8 * GB),
    };
    let three = wanted(&[("a", 1.0), ("b", 1.0), ("c", 1.0)]);
    let catalog = installed(&[("a", 30), ("b", 30), ("c", 30)]);
    let found = plan(&three, &catalog, &budget(30), Policy::default());
    assert!(
        found
            .chosen
            .iter()
            .all(|planned| planned.tier == Tier::Vram)
    );
    assert_eq!(found.chosen.len(), 3);
    let found = plan(&three, &catalog, &budget(29), Policy::default());
    assert_eq!(found.chosen.len(), 0);
    assert_eq!(
        found.dropped[0].reason,
        "needs 30 B, 29 B free of 29 B in main memory, which it passes through"
    );
}

#[test]
fn any_plan_keeps_to_its_budget_and_tells_of_everyone() {
    for seed in 0..3000 {
        let mut dice = Dice::new(seed);
        let total = [4, 8, 15, 16, 20, 24, 80][dice.below(7) as usize] * GB;
        let some = |dice: &mut Dice| {
            let bytes = dice.below(400);
            tier(bytes, dice.below(bytes + 50), total)
        };
        let budget = MemoryBudget {
            vram: (dice.below(2) == 0).then(|| some(&mut dice)),
            vram_reason: String::new(),
            ram: some(&mut dice),
        };
        let policy = Policy {
            most: (dice.below(3) == 0).then(|| dice.below(6) as usize),
        };
        let catalog: Vec<ExpertFacts> = (0..dice.below(9))
            .map(|id| ExpertFacts {
                expert_id: format!("e{id}"),
                bytes: dice.below(200),
                tier: [None, Some(Tier::Vram), Some(Tier::Ram), Some(Tier::Disk)]
                    [dice.below(4) as usize],
                fixed: dice.below(5) == 0,
                registered: dice.below(6) > 0,
                error: (dice.below(6) == 0).then(|| "why".to_owned()),
            })
            .collect();
        let candidates: Vec<ExpertWeight> = (0..dice.below(8))
            .map(|_| ExpertWeight {
                expert_id: format!("e{}", dice.below(10)),
                weight: [0.0, 0.1, 0.5, 1.0, -1.0, f32::INFINITY][dice.below(6) as usize],
            })
            .collect();
        let found = plan(&candidates, &catalog, &budget, policy);
        let memory = budget.vram.as_ref().unwrap_or(&budget.ram);

        let facts = |id: &str| catalog.iter().find(|facts| facts.expert_id == id);
        let new_bytes: u64 = found
            .chosen
            .iter()
            .filter_map(|planned| facts(&planned.expert_id))
            .filter(|facts| !(facts.fixed && facts.tier == Some(found.chosen[0].tier)))
            .map(|facts| facts.bytes)
            .sum();
        assert!(new_bytes <= memory.free_bytes(), "{seed}");
        assert!(found.chosen.len() <= most(total, policy), "{seed}");
        let sum: f32 = found.chosen.iter().map(|planned| planned.weight).sum();
        assert!(
            found.chosen.is_empty() || (sum - 1.0).abs() < 1e-6,
            "{seed}: {sum}"
        );
        for planned in &found.chosen {
            let facts = facts(&planned.expert_id).expect("only known ones run");
            assert!(
                facts.registered && facts.error.is_none() && planned.weight > 0.0,
                "{seed}"
            );
        }
        let mut told: Vec<&str> = found
            .chosen
            .iter()
            .map(|planned| planned.expert_id.as_str())
            .chain(found.dropped.iter().map(|one| one.expert_id.as_str()))
            .collect();
        let mut asked: Vec<&str> = candidates
            .iter()
            .map(|one| one.expert_id.as_str())
            .collect();
        told.sort_unstable();
        asked.sort_unstable();
        asked.dedup();
        assert_eq!(told, asked, "{seed}: everyone once, chosen or dropped");
        assert_eq!(
            found,
            plan(&candidates, &catalog, &budget, policy),
            "{seed}"
        );
    }
}
