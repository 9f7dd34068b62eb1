//! MAY HOLD SPEECH. Samples are decoded, checked, described and overwritten here; nothing further on has a type that could
//! carry them.

pub mod block;

#[cfg(feature = "std-io")]
pub mod source;

mod shared;

pub mod resample;

pub mod framing;

pub mod spectrum;

pub mod power;

pub mod mel;

pub mod filterbank;

pub mod weighting;

pub mod z_weighting;

pub mod level;

pub mod calibrate;

pub mod leq;

pub mod fractional_octave;

pub mod time_weighting;

mod peak;

pub mod sound_level_meter;

pub use block::AudioBlock;
