//! How fast bytes arrive, over the last seconds, and how long the rest will take.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(5);
/// Before this much time a speed says more about the connection's start than about its rest.
const SOONEST: Duration = Duration::from_millis(300);

/// Recent marks of time and bytes.
pub(super) struct Speed {
    marks: VecDeque<(Instant, u64)>,
    bytes_per_second: f64,
}

impl Speed {
    /// Begins to count now.
    pub fn start() -> Speed {
        Speed {
            marks: VecDeque::new(),
            bytes_per_second: 0.0,
        }
    }

    /// Bytes per second, now that `bytes` are here; 0 until it is known.
    pub fn at(&mut self, bytes: u64) -> f64 {
        let now = Instant::now();
        self.marks.push_back((now, bytes));
        while self.marks.len() > 2 && now - self.marks[0].0 > WINDOW {
            self.marks.pop_front();
        }
        let (first, then) = self.marks[0];
        let seconds = now - first;
        if seconds >= SOONEST {
            // A restarted file makes the count smaller.
            self.bytes_per_second = bytes.saturating_sub(then) as f64 / seconds.as_secs_f64();
        }
        self.bytes_per_second
    }

    /// Time for `left` bytes at the last speed.
    pub fn eta(&self, left: u64) -> Option<Duration> {
        let seconds = left as f64 / self.bytes_per_second;
        Duration::try_from_secs_f64(seconds).ok()
    }
}
