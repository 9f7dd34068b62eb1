//! No samples here, but spectra: words can be rebuilt from them. Nothing of this room leaves the process unsealed.

pub mod describe;

pub mod description;

pub mod anomaly;

pub mod trigger;

pub mod window;

pub mod classify;

pub use classify::Candidate;
pub use describe::{Describe, Description};
pub use window::FeatureWindow;
