//! The one door out: drops the speech band, keeps the budget, mints the records.

pub mod speech_band;

pub mod release;

pub mod budget;

pub mod level;

mod period;

mod calibration;

#[cfg(test)]
mod enumeration;

#[cfg(test)]
mod adversary;

#[cfg(test)]
mod chain;

pub use calibration::Calibration;
pub use level::{LevelGate, Levels, NoiseRecord};
pub use release::{Gate, Verdict, WithheldReason};
