//! The one door out: drops the speech band, keeps the budget, mints the records.

pub mod speech_band;

pub mod release;

pub mod budget;

pub mod withheld;

pub mod level;

mod period;

mod calibration;

#[cfg(test)]
mod enumeration;

#[cfg(test)]
pub(crate) mod adversary;

#[cfg(test)]
mod chain;

#[cfg(test)]
mod cut;

pub use calibration::Calibration;
pub use level::{LevelGate, Levels, NoiseRecord};
pub use release::{Gate, Verdict, WithheldReason};
pub use withheld::{withheld, withheld_by_name};
