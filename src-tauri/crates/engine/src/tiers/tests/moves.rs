//! Up and down between three tiers.

use super::{cache, ids, lease};
use crate::api::Tier;
use crate::cancel::Cancel;
use crate::tiers::Tiered;
use std::sync::atomic::Ordering;

#[test]
fn use_promotes_to_the_device_and_leaves_main_memory() {
    let cache = cache(&[("a", 10)], 100, 100);
    drop(lease(&cache, "a", Tier::Ram));
    assert_eq!(cache.tier_of("a"), Tier::Ram);
    let held = lease(&cache, "a", Tier::Vram);
    assert!(held.was_hit(), "it was in memory, one tier below");
    assert_eq!(held.tier(), Tier::Vram);
    assert_eq!(cache.bytes().1, Tiered { vram: 10, ram: 0 });
    assert_eq!(cache.adapters().loads.load(Ordering::SeqCst), 1);
}

#[test]
fn what_leaves_the_device_goes_to_main_memory_before_it_goes_for_good() {
    let cache = cache(&[("a", 60), ("b", 60), ("c", 60)], 100, 130);
    let now = || {
        (
            ids(&cache, Tier::Vram).concat(),
            ids(&cache, Tier::Ram).concat(),
        )
    };
    for (id, expected) in [
        ("a", ("a", "")),
        ("b", ("b", "a")),
        // It passes through main memory itself; `b` comes down and `a`, used longest ago, goes for good.
        ("c", ("c", "b")),
        ("a", ("a", "c")),
    ] {
        drop(lease(&cache, id, Tier::Vram));
        assert_eq!(
            now(),
            (expected.0.to_owned(), expected.1.to_owned()),
            "{id}"
        );
    }
    let evictions = |tier| cache.report(tier, true, String::new()).evictions;
    assert_eq!((evictions(Tier::Vram), evictions(Tier::Ram)), (3, 2));
}

#[test]
fn what_finds_no_room_below_goes_to_the_disk() {
    let cache = cache(&[("a", 60), ("b", 60)], 100, 100);
    drop(lease(&cache, "a", Tier::Vram));
    drop(lease(&cache, "b", Tier::Vram));
    assert_eq!(
        (cache.tier_of("a"), cache.tier_of("b")),
        (Tier::Disk, Tier::Vram)
    );
}

#[test]
fn a_device_lease_outlives_pressure_on_both_tiers() {
    let cache = cache(&[("a", 60), ("b", 60)], 100, 120);
    let held = lease(&cache, "a", Tier::Vram);
    assert!(cache.lease("b", Tier::Vram, &Cancel::new()).is_err());
    assert_eq!(cache.tier_of("a"), Tier::Vram);
    assert_eq!(
        cache.tier_of("b"),
        Tier::Ram,
        "what was read is kept where it fits"
    );
    drop(held);
    drop(lease(&cache, "b", Tier::Vram));
    assert_eq!(cache.tier_of("a"), Tier::Ram);
}

#[test]
fn a_smaller_budget_pushes_out_those_used_longest_ago() {
    let cache = cache(&[("a", 30), ("b", 30), ("c", 30)], 100, 100);
    for id in ["a", "b", "c"] {
        drop(lease(&cache, id, Tier::Vram));
    }
    let held = lease(&cache, "a", Tier::Vram);
    cache.set_budget(Tiered { vram: 30, ram: 30 });
    assert_eq!(ids(&cache, Tier::Vram), ["a"]);
    assert_eq!(ids(&cache, Tier::Ram).len(), 1);
    // A device that is gone: what is in use stays until its answer ends.
    cache.set_budget(Tiered { vram: 0, ram: 0 });
    assert_eq!(ids(&cache, Tier::Vram), ["a"]);
    drop(held);
    cache.set_budget(Tiered { vram: 0, ram: 0 });
    assert_eq!(cache.bytes().1, Tiered { vram: 0, ram: 0 });
}

#[test]
fn what_cannot_be_evicted_is_told() {
    let cache = cache(&[("a", 30), ("b", 20), ("c", 10)], 0, 100);
    let held = lease(&cache, "a", Tier::Ram);
    drop(lease(&cache, "b", Tier::Ram));
    drop(lease(&cache, "c", Tier::Ram));
    cache.set_pinned("c", true);
    let fixed = cache.fixed();
    assert_eq!(fixed.bytes, Tiered { vram: 0, ram: 40 });
    assert_eq!(Vec::from_iter(fixed.ids), ["a", "c"]);
    drop(held);
    assert_eq!(cache.fixed().bytes.ram, 10);
}
