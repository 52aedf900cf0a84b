//! Many threads at once: budgets hold, nobody's adapter goes, everything is given back.

use super::{Dice, Disk, cache};
use crate::api::Tier;
use crate::cancel::Cancel;
use crate::error::EngineError;
use crate::tiers::{Cache, Lease, Place, Preloader, Tiered};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const IDS: [(&str, u64); 7] = [
    ("a", 10),
    ("b", 20),
    ("c", 30),
    ("d", 40),
    ("e", 50),
    ("f", 60),
    ("g", 70),
];
const VRAM: u64 = 130;
const RAM: u64 = 170;

fn within_budget(cache: &Cache<Disk>) {
    let (_, used) = cache.bytes();
    assert!(used.vram <= VRAM && used.ram <= RAM, "{used:?}");
}

/// What a lease promises while it lives: its own numbers, of the version it said.
fn keeps_its_promise(lease: &Lease<Disk>) {
    let (Place::Ram(numbers) | Place::Vram(numbers)) = lease.place();
    assert_eq!(numbers.id, lease.id());
    assert_eq!(numbers.generation.to_string(), lease.generation());
}

/// Random operations of one thread. As in the engine all leases want one tier; `harsh` ones want any, and unload, change
/// and clear in between.
fn play(cache: &Cache<Disk>, seed: u64, steps: usize, harsh: bool) {
    let mut dice = Dice::new(seed);
    let mut held: Vec<Lease<Disk>> = Vec::new();
    for _ in 0..steps {
        let (id, _) = IDS[dice.below(IDS.len() as u64) as usize];
        match dice.below(if harsh { 20 } else { 16 }) {
            0..=8 => {
                let tier = match harsh && dice.below(2) == 0 {
                    true => Tier::Ram,
                    false => Tier::Vram,
                };
                match cache.lease(id, tier, &Cancel::new()) {
                    Ok(Some(lease)) => held.push(lease),
                    Ok(None) => panic!("nobody cancelled"),
                    Err(EngineError::NoRoom {
                        needed_bytes,
                        free_bytes,
                        ..
                    }) => {
                        // Others may have given back between the decision and now, never the other way around.
                        assert!(needed_bytes > 0 && free_bytes <= VRAM.max(RAM));
                    }
                    Err(error) => panic!("{}", error.report()),
                }
            }
            9..=13 if !held.is_empty() => {
                held.swap_remove(dice.below(held.len() as u64) as usize);
            }
            14 => cache.set_pinned(id, dice.below(3) == 0),
            15 => drop(cache.fixed()),
            16 => drop(cache.unload(id)),
            17 => {
                let (_, bytes) = IDS[dice.below(IDS.len() as u64) as usize];
                cache.adapters().write(id, bytes, dice.below(1000) as u32);
            }
            18 => drop(cache.preload(id, Tier::Vram, &Cancel::new())),
            19 if dice.below(50) == 0 => cache.clear(),
            _ => {}
        }
        held.truncate(4);
        held.iter().for_each(keeps_its_promise);
        if !harsh {
            for lease in &held {
                assert!(
                    cache.tier_of(lease.id()) <= lease.tier(),
                    "{lease:?} was evicted"
                );
            }
        }
        within_budget(cache);
    }
}

fn everything_is_given_back(cache: &Cache<Disk>) {
    IDS.iter().for_each(|(id, _)| cache.set_pinned(id, false));
    cache.clear();
    assert_eq!(cache.bytes().1, Tiered { vram: 0, ram: 0 });
    let alive = &cache.adapters().alive;
    assert_eq!(alive.vram.load(Ordering::SeqCst), 0);
    assert_eq!(alive.ram.load(Ordering::SeqCst), 0);
}

fn all_play(harsh: bool, seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let cache = Arc::new(cache(&IDS, VRAM, RAM));
        let preloader = Preloader::start(Arc::clone(&cache)).expect("a thread starts");
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let players: Vec<_> = (0..4)
                .map(|player| {
                    let cache = &cache;
                    scope.spawn(move || play(cache, 4 * seed + player, 400, harsh))
                })
                .collect();
            scope.spawn(|| {
                while !over.load(Ordering::SeqCst) {
                    preloader.guess(IDS.map(|(id, _)| id.to_owned()), Tier::Vram);
                    within_budget(&cache);
                    std::thread::yield_now();
                }
            });
            let ends: Vec<_> = players.into_iter().map(|player| player.join()).collect();
            over.store(true, Ordering::SeqCst);
            for end in ends {
                end.expect("a player that keeps the rules");
            }
        });
        drop(preloader);
        everything_is_given_back(&cache);
    }
}

#[test]
fn four_threads_at_once_never_exceed_a_budget_nor_lose_what_they_lease() {
    all_play(false, 0..6);
}

#[test]
fn unloading_changing_and_clearing_in_between_gives_everything_back() {
    all_play(true, 100..106);
}
