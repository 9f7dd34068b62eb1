//! CANNOT HOLD SPEECH. The closed records, their bits and the policy that bounds them: everything that can leave.

pub mod record;

pub mod policy;

pub mod capacity;

pub use record::{Event, HealthState, LevelRecord, Metric, Scale, SensorHealth, SoundClass};
