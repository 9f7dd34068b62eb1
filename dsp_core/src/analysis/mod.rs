//! No samples here, but spectra: words can be rebuilt from them. Nothing of this room leaves the process unsealed.

pub mod describe;

pub mod description;

mod anomaly;

mod pooled;

mod prior;

mod tail;

pub mod background;

mod ring;

pub mod trigger;

pub mod window;

pub mod classify;

pub use background::Background;
pub use classify::Candidate;
pub use describe::{Describe, Description};
pub use trigger::Trigger;
pub use window::FeatureWindow;
