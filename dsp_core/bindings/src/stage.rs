//! A stage that Python holds and that other threads may work with: one at a time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A shared stage. Whoever locks it lets go of it before asking for the GIL.
pub(crate) struct Stage<T>(Arc<Mutex<T>>);

impl<T> Stage<T> {
    pub(crate) fn new(stage: T) -> Self {
        Self(Arc::new(Mutex::new(stage)))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it lies: what tells two stages apart.
    pub(crate) fn place(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

impl<T> Clone for Stage<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
