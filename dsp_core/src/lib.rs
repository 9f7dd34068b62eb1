//! Street sound in, closed records out.
//!
//! The rooms in the order of the flow. `sound` may hold speech, `analysis` holds spectra, `gate` is the one door out and
//! `open` cannot hold speech. The crate is a deterministic fold over its input: no clock, no thread, no random number, no
//! log; files and descriptors only behind the feature `std-io`.
#![doc(html_no_source)]

pub mod error;

pub mod simd;

mod wiped;

pub mod sound;

pub mod analysis;

pub mod gate;

pub mod open;

pub mod checkpoint;

pub mod seal;

pub use error::{BlockError, ParameterError, Reason};
