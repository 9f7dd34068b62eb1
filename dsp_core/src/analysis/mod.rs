//! No samples here, but spectra: words can be rebuilt from them. Nothing of this room leaves the process unsealed.

pub mod describe;

pub mod description;

mod anomaly;

mod pooled;

mod prior;

mod tail;

pub mod background;

pub mod scorer;

mod ring;

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

pub use background::Background;
pub use classify::{Candidate, Classify};
pub use describe::{Describe, Description};
pub use model::{Model, ModelClass};
pub use scorer::AnomalyScorer;
pub use trigger::Trigger;
pub use window::FeatureWindow;

#[cfg(test)]
mod long_run;

#[cfg(test)]
mod synthetic_street;
