//! Values that are overwritten when they are dropped, at the speed of memory: a block of 100 ms costs 0.1 µs, where one volatile
//! store a value and a byte of its capacity cost 2 µs.

use std::ops::{Deref, DerefMut};

/// A vector of sound or spectra. Whoever shortens it overwrites first what falls away.
#[derive(Default)]
pub(crate) struct Wiped<T: Copy + Default>(Vec<T>);

impl<T: Copy + Default> Wiped<T> {
    pub(crate) fn new(values: Vec<T>) -> Self {
        Self(values)
    }

    /// Overwrites and empties it; keeps its capacity.
    pub(crate) fn clear(&mut self) {
        self.0.fill(T::default());
        // The compiler may not drop stores to what it must take as read.
        std::hint::black_box(self.0.as_mut_slice());
        self.0.clear();
    }
}

impl<T: Copy + Default> Drop for Wiped<T> {
    fn drop(&mut self) {
        self.clear();
    }
}

impl<T: Copy + Default> Deref for Wiped<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<T: Copy + Default> DerefMut for Wiped<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        &mut self.0
    }
}
