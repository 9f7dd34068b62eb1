//! What a street usually sounds like: the shipped prior, or what a stream has learned.

use std::fmt;

use super::anomaly::{Anomaly, Running};
use super::pooled::Pooled;
use super::prior;
use super::tail::Tail;
use crate::checkpoint::{Reader, Writer};
use crate::error::BlockError;

/// Spectrum, scales and tail that a trigger begins with; from `Trigger::background`, or the shipped street's.
///
/// # Guarantee
/// Opaque: hour-long averages, but spectra nonetheless, so no accessor, no serialisation outside the crate.
pub struct Background {
    pub(crate) fast: Running,
    pub(crate) slow: Running,
    pub(crate) pooled: Pooled,
    pub(crate) tail: Tail,
    pub(crate) n_learned: u64,
}

impl Background {
    /// The shipped street, for a trigger that is to raise so many alarms a day.
    pub(crate) fn street(alarms_per_day: f64) -> Self {
        let running = Running {
            centre: prior::SHAPE,
            scale: prior::SCALE,
        };
        Self {
            fast: running.clone(),
            slow: running,
            pooled: Pooled::prior(),
            tail: Tail::prior(alarms_per_day),
            n_learned: 0,
        }
    }

    /// What a stream has learned, its gain included.
    pub(crate) fn of(anomaly: &Anomaly, tail: &Tail) -> Self {
        let (fast, slow) = anomaly.lifted();
        Self {
            fast,
            slow,
            pooled: anomaly.pooled.clone(),
            tail: tail.clone(),
            n_learned: anomaly.n_learned,
        }
    }

    #[allow(dead_code)]
    pub(crate) fn save(&self, out: &mut Writer) {
        Anomaly::new(self).save(out);
        self.tail.save(out);
    }

    #[allow(dead_code)]
    pub(crate) fn load(from: &mut Reader) -> Result<Self, BlockError> {
        let anomaly = Anomaly::load(from)?;
        Ok(Self::of(&anomaly, &Tail::load(from)?))
    }
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Background").finish_non_exhaustive()
    }
}
