//! One flag per operation. It is checked between tokens, prefill chunks, files and pieces of a download;
//! whoever holds a clone may set it, and it is never unset.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Asks one operation to stop. Clones share the flag.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// A flag that is not set.
    pub fn new() -> Cancel {
        Cancel::default()
    }

    /// Asks the operation to stop. Setting it twice is the same as once.
    pub fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether someone asked the operation to stop.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// The same answer in the form that callbacks of the model return.
    pub fn flow(&self) -> ControlFlow<()> {
        if self.is_set() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}
