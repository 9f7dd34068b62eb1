//! How far a receiving stage has come in a sensor's topic, so that nothing counts twice.

use super::Header;
use crate::checkpoint::{Reader, Writer};
use crate::error::{BlockError, Reason};

/// A sensor that begins later than this after it was received has a clock that is ahead.
const MAX_AHEAD_MS: u64 = 2_000;
const NS_PER_MS: u64 = 1_000_000;

/// Boot and sequence of the last message of one sensor and topic that a stage took: part of the stage's checkpoint.
///
/// Boots are times, and order: at or below the mark a message came before, above it a greater boot is a restart of the sensor,
/// and what is still under way of an earlier boot is past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mark {
    last: Option<(u64, u64)>,
}

impl Mark {
    /// Boot and sequence of the last message; none before the first.
    pub fn last(&self) -> Option<(u64, u64)> {
        self.last
    }

    /// Moves on to a message that was opened.
    ///
    /// # Errors
    /// `Duplicate` at or below the mark. `ClockAhead` for a boot that lies over 2 s after `received_ms` (since
    /// 1970-01-01T00:00:00Z): taken, it would make duplicates of all that the sensor sends once its clock is right.
    pub(super) fn pass(&mut self, header: &Header, received_ms: u64) -> Result<(), BlockError> {
        let latest = received_ms.saturating_add(MAX_AHEAD_MS);
        if header.boot_ns / NS_PER_MS > latest {
            let expected = format!("a boot at most {MAX_AHEAD_MS} ms after it was received");
            let ahead = header.boot_ns / NS_PER_MS - received_ms;
            let actual = format!("{ahead} ms");
            return Err(BlockError::new(Reason::ClockAhead, expected, actual));
        }
        let place = (header.boot_ns, header.sequence);
        if let Some(last) = self.last
            && place <= last
        {
            let expected = format!("more than boot {} sequence {}", last.0, last.1);
            let actual = format!("boot {} sequence {}", place.0, place.1);
            return Err(BlockError::new(Reason::Duplicate, expected, actual));
        }
        self.last = Some(place);
        Ok(())
    }

    pub(crate) fn save(&self, out: &mut Writer) {
        out.option(self.last.map(|last| last.0));
        out.option(self.last.map(|last| last.1));
    }

    pub(crate) fn load(input: &mut Reader) -> Result<Self, BlockError> {
        let (boot, sequence) = (input.option()?, input.option()?);
        let last = boot.zip(sequence);
        Ok(Self { last })
    }
}
