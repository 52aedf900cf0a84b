//! How long to go on after failures, and how long to wait between tries.

use super::error::DownloadError;
use crate::cancel::Cancel;
use crate::settings::DownloadSettings;
use std::time::{Duration, Instant};

/// Between two looks at the cancel flag while waiting.
const LOOK: Duration = Duration::from_millis(50);

/// Failures in a row, and how long to wait after each.
pub(super) struct Patience<'a> {
    settings: &'a DownloadSettings,
    what: String,
    failures: u32,
}

impl<'a> Patience<'a> {
    pub fn new(settings: &'a DownloadSettings, what: &str) -> Patience<'a> {
        Patience {
            settings,
            what: what.to_owned(),
            failures: 0,
        }
    }

    /// Bytes arrived: earlier failures count no more.
    pub fn after_progress(&mut self) {
        self.failures = 0;
    }

    /// How long to wait before the next try.
    pub fn after_failure(
        &mut self,
        reason: &str,
        asked: Option<Duration>,
    ) -> Result<Duration, DownloadError> {
        self.failures += 1;
        if self.failures >= self.settings.tries {
            return Err(DownloadError::GaveUp {
                what: self.what.clone(),
                tries: self.failures,
                reason: reason.to_owned(),
            });
        }
        let doubled = self.settings.first_wait * 2u32.saturating_pow((self.failures - 1).min(16));
        Ok(asked.unwrap_or(doubled).min(self.settings.longest_wait))
    }
}

/// Whether another try may bring something else.
pub(super) fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..=599)
}

/// Waits; false when it was cancelled.
pub(super) fn sleep(wait: Duration, cancel: &Cancel) -> bool {
    let end = Instant::now() + wait;
    while !cancel.is_set() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(LOOK));
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_the_hub_may_ask_for_more() {
        let settings = DownloadSettings {
            stall: Duration::from_secs(1),
            tries: 4,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(10),
        };
        let mut patience = Patience::new(&settings, "x");
        let mut wait = |asked: Option<u64>| {
            patience
                .after_failure("r", asked.map(Duration::from_secs))
                .map(|wait| wait.as_secs())
                .ok()
        };
        assert_eq!(
            [wait(None), wait(None), wait(Some(60)), wait(None)],
            [Some(1), Some(2), Some(10), None]
        );
    }
}
