//! Whole reads, and how the room refuses.

use std::fmt;
use std::io::{self, ErrorKind, Read};

use crate::error::{BlockError, Reason};

/// Reads until the buffer is full or the stream ends, however small the pieces come.
pub(super) fn read_full(reader: &mut dyn Read, out: &mut [u8]) -> Result<usize, BlockError> {
    let (n_read, outcome) = read_until(reader, out);
    outcome.map(|()| n_read)
}

/// As [`read_full`]; tells also how much was read before an error.
pub(super) fn read_until(reader: &mut dyn Read, out: &mut [u8]) -> (usize, Result<(), BlockError>) {
    let mut n_read = 0;
    while n_read < out.len() {
        match reader.read(&mut out[n_read..]) {
            Ok(0) => break,
            // A reader that claims more than it was given room for is taken at the room.
            Ok(n) => n_read = out.len().min(n_read.saturating_add(n)),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return (n_read, Err(unreadable(error))),
        }
    }
    (n_read, Ok(()))
}

/// Names what the operating system said, but not the path: paths tell of people and places.
pub(super) fn unreadable(error: io::Error) -> BlockError {
    BlockError::new(Reason::Unreadable, "a readable file", error)
}

pub(super) fn truncated_header() -> BlockError {
    BlockError::new(
        Reason::TruncatedHeader,
        "a complete header",
        "one that ends early",
    )
}

pub(super) fn truncated(n_expected: u64, n_actual: u64) -> BlockError {
    let expected = format!("{n_expected} samples");
    BlockError::new(Reason::TruncatedData, expected, n_actual)
}

pub(super) fn corrupt(expected: impl Into<String>, actual: impl fmt::Display) -> BlockError {
    BlockError::new(Reason::CorruptData, expected, actual)
}

pub(super) fn unsupported(expected: impl Into<String>, actual: impl fmt::Display) -> BlockError {
    BlockError::new(Reason::UnsupportedEncoding, expected, actual)
}
