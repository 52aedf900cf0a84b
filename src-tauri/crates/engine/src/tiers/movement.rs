//! The right to move adapters, one at a time; and the quiet that answers are owed.

use crate::cancel::Cancel;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Between two looks at the cancel flag while another adapter moves.
const LOOK: Duration = Duration::from_millis(10);

#[derive(Debug, Default)]
struct Traffic {
    /// Whether an adapter moves.
    moving: bool,
    /// Answers and moves for answers: while there are any, guesses wait.
    answers: usize,
}

/// Who moves, and how many want quiet. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Movement(Arc<(Mutex<Traffic>, Condvar)>);

impl Movement {
    /// Waits for the right to move; nothing when it was cancelled meanwhile.
    pub fn begin(&self, cancel: &Cancel) -> Option<Moving> {
        let (_, changed) = &*self.0;
        let mut traffic = self.lock();
        while traffic.moving {
            if cancel.is_set() {
                return None;
            }
            let waited = changed.wait_timeout(traffic, LOOK);
            traffic = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if cancel.is_set() {
            return None;
        }
        traffic.moving = true;
        Some(Moving(self.clone()))
    }

    /// Asks for quiet: what moves on a guess stops, and none begins while the value lives.
    pub fn quiet(&self) -> Quiet {
        self.lock().answers += 1;
        Quiet(self.clone())
    }

    /// Whether an answer wants quiet.
    pub fn is_quiet(&self) -> bool {
        self.lock().answers > 0
    }

    /// Sleeps until nothing moves, nobody wants quiet and `ready` agrees, or `ended` says so. Whoever changes what they
    /// look at wakes.
    pub fn wait_until(&self, ready: impl Fn() -> bool, ended: impl Fn() -> bool) {
        let (_, changed) = &*self.0;
        let sleep_on =
            |traffic: &mut Traffic| !ended() && (traffic.moving || traffic.answers > 0 || !ready());
        drop(changed.wait_while(self.lock(), sleep_on));
    }

    /// The right to move, if nothing moves and nobody wants quiet.
    pub fn begin_quietly(&self) -> Option<Moving> {
        let mut traffic = self.lock();
        let free = !traffic.moving && traffic.answers == 0;
        traffic.moving |= free;
        free.then(|| Moving(self.clone()))
    }

    /// Wakes whoever waits.
    pub fn wake(&self) {
        drop(self.lock());
        self.0.1.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Traffic> {
        // Each statement leaves both numbers right.
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to move, given back when dropped.
#[derive(Debug)]
pub(super) struct Moving(Movement);

impl Drop for Moving {
    fn drop(&mut self) {
        self.0.lock().moving = false;
        self.0.wake();
    }
}

/// Nothing is preloaded on a guess while this lives.
#[derive(Debug)]
pub(crate) struct Quiet(Movement);

impl Drop for Quiet {
    fn drop(&mut self) {
        self.0.lock().answers -= 1;
        self.0.wake();
    }
}
