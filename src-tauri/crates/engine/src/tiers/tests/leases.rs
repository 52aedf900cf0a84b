//! What a lease promises.

use super::{Disk, cache, ids, lease, touch};
use crate::api::Tier;
use crate::cancel::Cancel;
use crate::error::{EngineError, ErrorCode};
use crate::tiers::{Cache, Place, Tiered};
use std::sync::atomic::Ordering;

#[test]
fn the_second_lease_finds_what_the_first_one_brought() {
    let cache = cache(&[("a", 10)], 0, 100);
    let first = lease(&cache, "a", Tier::Ram);
    let second = lease(&cache, "a", Tier::Ram);
    assert!(!first.was_hit() && second.was_hit());
    assert_eq!(cache.adapters().loads.load(Ordering::SeqCst), 1);
    let used = cache.used("a");
    assert_eq!((used.hits, used.misses, used.last_used_ms), (1, 1, Some(7)));
    assert_eq!(cache.report(Tier::Ram, true, String::new()).hits, 1);
}

#[test]
fn the_one_used_longest_ago_goes_first() {
    let cache = cache(&[("a", 40), ("b", 40), ("c", 40)], 0, 100);
    touch(&cache, "a");
    touch(&cache, "b");
    touch(&cache, "a");
    touch(&cache, "c");
    assert_eq!(ids(&cache, Tier::Ram), ["a", "c"]);
    assert_eq!(cache.report(Tier::Ram, true, String::new()).evictions, 1);
}

#[test]
fn an_adapter_in_use_is_never_evicted() {
    let cache = cache(&[("a", 60), ("b", 60)], 0, 100);
    let held = lease(&cache, "a", Tier::Ram);
    let refused = cache.lease("b", Tier::Ram, &Cancel::new());
    let error = refused.expect_err("60 of 40");
    assert_eq!(
        error.report(),
        "cannot place `b` in memory: needs 60 B, 40 B free of 100 B"
    );
    assert_eq!(ids(&cache, Tier::Ram), ["a"]);
    drop(held);
    touch(&cache, "b");
    assert_eq!(ids(&cache, Tier::Ram), ["b"]);
}

#[test]
fn a_pinned_adapter_is_never_evicted_and_not_unloaded() {
    let cache = cache(&[("a", 60), ("b", 60)], 0, 100);
    touch(&cache, "a");
    cache.set_pinned("a", true);
    assert!(cache.lease("b", Tier::Ram, &Cancel::new()).is_err());
    let error = cache.unload("a").expect_err("pinned");
    assert_eq!(error.code(), ErrorCode::BadRequest);
    cache.set_pinned("a", false);
    touch(&cache, "b");
    assert_eq!(ids(&cache, Tier::Ram), ["b"]);
}

#[test]
fn nobody_is_evicted_for_what_does_not_fit_anyway() {
    let cache = cache(&[("a", 30), ("b", 30), ("huge", 101)], 0, 100);
    touch(&cache, "a");
    touch(&cache, "b");
    let error = cache.lease("huge", Tier::Ram, &Cancel::new());
    let error = error.expect_err("101 of 100");
    assert!(matches!(
        error,
        EngineError::NoRoom {
            needed_bytes: 101,
            free_bytes: 100,
            budget_bytes: 100,
            ..
        }
    ));
    assert_eq!(ids(&cache, Tier::Ram), ["a", "b"]);
}

#[test]
fn an_unknown_adapter_is_an_error() {
    let error = cache(&[], 0, 100).lease("x", Tier::Ram, &Cancel::new());
    assert_eq!(error.expect_err("unknown").code(), ErrorCode::UnknownName);
}

#[test]
fn a_cancelled_lease_brings_nothing_and_keeps_nothing() {
    let cache = cache(&[("a", 10)], 0, 100);
    let cancel = Cancel::new();
    cancel.set();
    let lease = cache.lease("a", Tier::Ram, &cancel);
    assert!(lease.expect("cancelling is no error").is_none());
    assert_eq!(cache.bytes().1, Tiered { vram: 0, ram: 0 });
}

#[test]
fn a_changed_file_is_a_new_version_while_running_answers_keep_the_old_one() {
    let cache = cache(&[("a", 10)], 0, 100);
    let old = lease(&cache, "a", Tier::Ram);
    cache.adapters().write("a", 20, 2);
    let new = lease(&cache, "a", Tier::Ram);
    let generation = |lease: &super::super::Lease<Disk>| match lease.place() {
        Place::Ram(numbers) | Place::Vram(numbers) => numbers.generation,
    };
    assert_eq!((generation(&old), old.generation()), (1, "1"));
    assert_eq!((generation(&new), new.generation()), (2, "2"));
    assert_eq!(cache.bytes().1.ram, 30);
    drop(old);
    assert_eq!(cache.bytes().1.ram, 20);
}

#[test]
fn a_file_that_changes_while_it_is_read_is_read_again_and_given_up_after_three_times() {
    let cache = cache(&[("a", 10)], 0, 100);
    let tries = std::sync::atomic::AtomicUsize::new(0);
    cache
        .adapters()
        .during_loads(move |_| tries.fetch_add(1, Ordering::SeqCst) == 1);
    touch(&cache, "a");
    assert_eq!(cache.adapters().loads.load(Ordering::SeqCst), 2);
    cache.unload("a").expect("not pinned");
    cache.adapters().during_loads(|_| false);
    let error = cache.lease("a", Tier::Ram, &Cancel::new());
    assert!(matches!(error, Err(EngineError::ExpertChanging { .. })));
    assert_eq!(cache.adapters().loads.load(Ordering::SeqCst), 5);
    assert_eq!(cache.bytes().1.ram, 0);
}

#[test]
fn another_model_needs_its_adapters_again() {
    let cache = cache(&[("a", 10)], 0, 100);
    touch(&cache, "a");
    cache.adapters().model.store(1, Ordering::SeqCst);
    assert!(!lease(&cache, "a", Tier::Ram).was_hit());
    assert_eq!(cache.bytes().1.ram, 10);
}

#[test]
fn ten_thousand_swaps_leave_memory_as_it_was() {
    let cache: Cache<Disk> = cache(&[("a", 60), ("b", 60)], 0, 100);
    for swap in 0..10_000 {
        touch(&cache, if swap % 2 == 0 { "a" } else { "b" });
        let alive = cache.adapters().alive.ram.load(Ordering::SeqCst);
        assert_eq!((alive, cache.bytes().1.ram), (60, 60));
    }
    assert_eq!(cache.adapters().loads.load(Ordering::SeqCst), 10_000);
    cache.clear();
    assert_eq!(cache.adapters().alive.ram.load(Ordering::SeqCst), 0);
    assert_eq!(cache.bytes().1.ram, 0);
}
