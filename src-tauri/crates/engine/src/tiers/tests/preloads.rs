//! Guesses: what they may take, and for whom they stand aside.

use super::{Disk, cache, ids, lease, touch};
use crate::api::Tier;
use crate::cancel::Cancel;
use crate::tiers::{Cache, Preloader};
use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn wait_for(what: &str, found: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !found() {
        assert!(Instant::now() < end, "{what}");
        std::thread::yield_now();
    }
}

fn guessed(cache: &Arc<Cache<Disk>>, ids: &[&str]) -> Preloader<Disk> {
    let preloader = Preloader::start(Arc::clone(cache)).expect("a thread starts");
    preloader.guess(ids.iter().map(|id| (*id).to_owned()), Tier::Ram);
    preloader
}

#[test]
fn a_guess_is_brought_and_counts_as_a_hit_when_it_was_right() {
    let cache = Arc::new(cache(&[("a", 10)], 0, 100));
    let preloader = guessed(&cache, &["unknown", "a"]);
    wait_for("the guess", || preloader.waiting() == 0);
    assert_eq!(cache.used("a").misses, 0);
    assert!(lease(&cache, "a", Tier::Ram).was_hit());
}

#[test]
fn a_guess_evicts_nobody() {
    let cache = Arc::new(cache(&[("a", 60), ("b", 60)], 0, 100));
    touch(&cache, "a");
    let preloader = guessed(&cache, &["b"]);
    wait_for("the guess", || preloader.waiting() == 0);
    assert_eq!(ids(&cache, Tier::Ram), ["a"]);
}

#[test]
fn a_guess_waits_while_an_answer_runs() {
    let cache = Arc::new(cache(&[("a", 10), ("b", 10)], 0, 100));
    let quiet = cache.quiet();
    let preloader = guessed(&cache, &["b"]);
    // Nothing tells that a thread has nothing to do.
    for _ in 0..100 {
        std::thread::yield_now();
        assert_eq!(cache.tier_of("b"), Tier::Disk);
    }
    drop(quiet);
    wait_for("the guess", || preloader.waiting() == 0);
    assert_eq!(cache.tier_of("b"), Tier::Ram);
}

#[test]
fn an_answer_stops_a_guess_in_the_middle_and_the_guess_comes_back() {
    let cache = Arc::new(cache(&[("a", 10), ("b", 10)], 0, 100));
    let (reached, in_load) = channel();
    let (go_on, gate) = channel::<()>();
    let (reached, gate) = (Mutex::new(reached), Mutex::new(gate));
    cache.adapters().during_loads(move |id| {
        if id == "b" {
            reached.lock().expect("alone").send(()).expect("heard");
            // An ended test lets go.
            let _open = gate.lock().expect("alone").recv();
        }
        true
    });
    let preloader = guessed(&cache, &["b"]);
    in_load.recv().expect("the guess is being read");
    let quiet = cache.quiet();
    go_on.send(()).expect("the load goes on");
    wait_for("the right to move", || {
        cache.movement().begin(&Cancel::new()).is_some()
    });
    assert_eq!(cache.tier_of("b"), Tier::Disk, "the load gave up");
    assert_eq!(preloader.waiting(), 1);
    drop(quiet);
    in_load.recv().expect("the guess is read again");
    go_on.send(()).expect("the load goes on");
    wait_for("the guess", || cache.tier_of("b") == Tier::Ram);
}

#[test]
fn the_thread_ends_with_its_owner_in_the_middle_of_a_load() {
    let cache = Arc::new(cache(&[("a", 10)], 0, 100));
    let (reached, in_load) = channel();
    let reached = Mutex::new(reached);
    cache.adapters().during_loads(move |_| {
        // The owner may be gone when it is read a second time.
        let _heard = reached.lock().expect("alone").send(());
        true
    });
    let preloader = guessed(&cache, &["a"]);
    in_load.recv().expect("it is being read");
    drop(preloader);
    assert_eq!(Arc::strong_count(&cache), 1);
    assert!(cache.adapters().loads.load(Ordering::SeqCst) >= 1);
}
