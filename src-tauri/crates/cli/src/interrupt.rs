//! Ctrl-C: the first stops what is running, the second leaves.

use crate::stop::{INTERRUPTED, Stop};
use r3mes_engine::Cancel;
use std::sync::{Arc, Mutex, PoisonError};

/// What Ctrl-C stops at the moment.
pub struct Interrupt {
    current: Arc<Mutex<Option<Cancel>>>,
}

impl Interrupt {
    /// Listens for Ctrl-C and for the request to end.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn install() -> Result<Interrupt, Stop> {
        let current: Arc<Mutex<Option<Cancel>>> = Arc::default();
        let heard = Arc::clone(&current);
        ctrlc::set_handler(move || {
            let running = heard.lock().unwrap_or_else(PoisonError::into_inner);
            match &*running {
                Some(cancel) if !cancel.is_set() => cancel.set(),
                _ => std::process::exit(i32::from(INTERRUPTED)),
            }
        })
        .map_err(|error| Stop::Failed(format!("cannot listen for Ctrl-C: {error}")))?;
        Ok(Interrupt { current })
    }

    /// Runs `work` with a flag that Ctrl-C sets.
    pub fn guard<T>(&self, cancel: &Cancel, work: impl FnOnce() -> T) -> T {
        self.set(Some(cancel.clone()));
        let result = work();
        self.set(None);
        result
    }

    fn set(&self, cancel: Option<Cancel>) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = cancel;
    }
}
