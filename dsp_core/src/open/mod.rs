//! CANNOT HOLD SPEECH. The closed records, their bits and the policy that bounds them: everything that can leave.

pub mod record;

mod canonical;

pub(crate) mod rules;

pub mod policy;

pub mod capacity;

pub use capacity::{Capacity, capacity};
pub use policy::{HealthFields, LevelFields, LevelRule, Policy, PolicyFields};
pub use record::{Event, HealthState, LevelRecord, Metric, Scale, SensorHealth, SoundClass};
