//! Tables that are made once and shared while anyone uses them: pure functions of a key.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Tables by their key.
pub(crate) struct Shared<K, T>(Mutex<BTreeMap<K, Weak<T>>>);

impl<K: Ord, T> Shared<K, T> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// The table of a key.
    pub(crate) fn get(&self, key: K, make: impl FnOnce() -> T) -> Arc<T> {
        let mut tables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(table) = tables.get(&key).and_then(Weak::upgrade) {
            return table;
        }
        tables.retain(|_, table| table.strong_count() > 0);
        let table = Arc::new(make());
        tables.insert(key, Arc::downgrade(&table));
        table
    }
}
