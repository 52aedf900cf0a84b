//! Brings guesses into memory, on a thread of its own that stands aside for every answer.

use super::adapters::Adapters;
use super::cache::Cache;
use crate::api::Tier;
use crate::error::EngineError;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// The thread and what it has to do. Dropping it ends the thread, in the middle of a load if need be.
pub(crate) struct Preloader<A: Adapters> {
    cache: Arc<Cache<A>>,
    guesses: Arc<Guesses>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Guesses {
    waiting: Mutex<VecDeque<(String, Tier)>>,
    ended: AtomicBool,
}

impl<A: Adapters> Preloader<A> {
    /// Starts the thread; it sleeps until there is something to guess.
    ///
    /// # Errors
    /// If the system starts no thread.
    pub fn start(cache: Arc<Cache<A>>) -> Result<Preloader<A>, EngineError> {
        let guesses = Arc::new(Guesses::default());
        let own = (Arc::clone(&cache), Arc::clone(&guesses));
        let thread = std::thread::Builder::new()
            .name("r3mes-preload".into())
            .spawn(move || preload(&own.0, &own.1))
            .map_err(EngineError::io("start the thread of", "the preloader"))?;
        Ok(Preloader {
            cache,
            guesses,
            thread: Some(thread),
        })
    }

    /// Guesses that these will be needed, likeliest first. Earlier guesses are forgotten.
    pub fn guess(&self, ids: impl IntoIterator<Item = String>, tier: Tier) {
        let mut waiting = self.guesses.lock();
        *waiting = ids.into_iter().map(|id| (id, tier)).collect();
        drop(waiting);
        self.cache.movement().wake();
    }

    /// Guesses that nobody will be needed.
    pub fn forget(&self) {
        self.guesses.lock().clear();
    }

    /// How many guesses are still to be brought.
    #[cfg(test)]
    pub fn waiting(&self) -> usize {
        self.guesses.lock().len()
    }
}

impl<A: Adapters> Drop for Preloader<A> {
    fn drop(&mut self) {
        self.guesses.ended.store(true, Ordering::Release);
        self.cache.movement().wake();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was told when it happened; there is nobody left to tell again.
            let _ended = thread.join();
        }
    }
}

impl Guesses {
    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(String, Tier)>> {
        // The list is whole after every statement.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn preload<A: Adapters>(cache: &Cache<A>, guesses: &Guesses) {
    let ended = || guesses.has_ended();
    while !ended() {
        cache
            .movement()
            .wait_until(|| !guesses.lock().is_empty(), ended);
        let Some((id, tier)) = guesses.lock().front().cloned() else {
            continue;
        };
        if cache.guess(&id, tier, &ended) {
            // Newer guesses may have come meanwhile; then this one is not among them or is brought already.
            let mut waiting = guesses.lock();
            if waiting.front().is_some_and(|(front, _)| *front == id) {
                waiting.pop_front();
            }
        }
    }
}
