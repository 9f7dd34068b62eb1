//! No samples here, but spectra: words can be rebuilt from them. Nothing of this room leaves the process unsealed.

pub mod describe;

pub mod anomaly;

pub mod trigger;

pub mod window;

mod kernel;

mod network;

pub mod model;

pub mod classify;

#[cfg(test)]
mod reference;

#[cfg(test)]
mod no_alloc;

#[cfg(any(test, feature = "bench"))]
pub mod rehearsal;

pub use classify::{Candidate, Classify};
pub use describe::Description;
pub use model::{Model, ModelClass};
pub use window::FeatureWindow;
