//! The one door out: drops the speech band, keeps the budget, mints the records.

pub mod speech_band;

pub mod release;

pub mod budget;

pub mod level;
