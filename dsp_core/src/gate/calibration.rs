//! What full scale is at this sensor, and how a level is put on the grid of a record.

use crate::checkpoint::{Reader, Writer};
use crate::error::{BlockError, ParameterError};
use crate::open::Scale;
use crate::open::record::N_EVENT_LEVELS;

/// What full scale is at a sensor: a constant of the sensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Calibration {
    /// Not known: levels are dB re full scale.
    Uncalibrated,
    /// Level of a full-scale mean square of 1, in dB re 20 µPa.
    FullScale {
        /// The level.
        db: f64,
    },
}

impl Calibration {
    /// `full_scale_db`: dB re 20 µPa of a mean square of 1; none if not known.
    ///
    /// # Errors
    /// `ParameterError` outside 0 to 200 dB.
    pub fn new(full_scale_db: Option<f64>) -> Result<Self, ParameterError> {
        match full_scale_db {
            None => Ok(Self::Uncalibrated),
            Some(db) if (0.0..=200.0).contains(&db) => Ok(Self::FullScale { db }),
            Some(db) => Err(ParameterError::new("full_scale_db", "0 to 200 dB", db)),
        }
    }

    /// What levels are relative to.
    pub fn scale(self) -> Scale {
        match self {
            Self::Uncalibrated => Scale::Dbfs,
            Self::FullScale { .. } => Scale::Spl,
        }
    }

    /// Level index of an event: the nearest of 31 steps of 3 dB, 0 where the level is not known.
    pub(crate) fn event_level(self, level_dbfs: f64) -> u8 {
        let above_lowest = match self {
            Self::Uncalibrated => level_dbfs + 96.0,
            Self::FullScale { db } => level_dbfs + db - 30.0,
        };
        if !above_lowest.is_finite() {
            return 0;
        }
        let step = libm::floor(above_lowest / 3.0 + 0.5);
        let highest = f64::from(N_EVENT_LEVELS - 2);
        // Within 0..=30 after the clamp, so that the cast is exact.
        1 + step.clamp(0.0, highest) as u8
    }

    /// Value of a level record: whole dB, 0 to 127 above the scale's lowest; none where the level is not known.
    pub(crate) fn record_value(self, level_dbfs: f64) -> Option<u8> {
        let above_lowest = match self {
            Self::Uncalibrated => level_dbfs + 127.0,
            Self::FullScale { db } => level_dbfs + db,
        };
        let is_known = !above_lowest.is_nan();
        is_known.then(|| libm::floor(above_lowest + 0.5).clamp(0.0, 127.0) as u8)
    }

    pub(crate) fn save(self, out: &mut Writer) {
        let (kind, db) = match self {
            Self::Uncalibrated => (0, 0.0),
            Self::FullScale { db } => (1, db),
        };
        out.u8(kind);
        out.f64(db);
    }

    pub(crate) fn load(input: &mut Reader) -> Result<Self, BlockError> {
        let is_calibrated = input.flag()?;
        let mut db = [0.0];
        input.f64s(&mut db)?;
        Ok(if is_calibrated {
            Self::FullScale { db: db[0] }
        } else {
            Self::Uncalibrated
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_levels_are_the_nearest_step() {
        let at = |dbfs| Calibration::Uncalibrated.event_level(dbfs);
        assert_eq!(
            [at(-96.0), at(-94.6), at(-94.4), at(-6.0), at(20.0)],
            [1, 1, 2, 31, 31]
        );
        assert_eq!([at(-300.0), at(f64::NEG_INFINITY), at(f64::NAN)], [1, 0, 0]);
        let calibrated = Calibration::FullScale { db: 120.0 };
        assert_eq!(calibrated.event_level(-33.0), 1 + (87 - 30) / 3);
        assert_eq!(
            Calibration::FullScale { db: f64::NAN }.event_level(-33.0),
            0
        );
    }

    #[test]
    fn record_values_are_whole_decibels() {
        let at = |dbfs| Calibration::Uncalibrated.record_value(dbfs);
        assert_eq!(
            [at(0.0), at(-0.6), at(-127.0)],
            [Some(127), Some(126), Some(0)]
        );
        assert_eq!(
            [at(-500.0), at(f64::NEG_INFINITY), at(9.0)],
            [Some(0), Some(0), Some(127)]
        );
        assert_eq!(at(f64::NAN), None);
        assert_eq!(
            Calibration::FullScale { db: 120.0 }.record_value(-55.5),
            Some(65)
        );
    }

    #[test]
    fn a_calibration_is_in_range() {
        assert_eq!(Calibration::new(None), Ok(Calibration::Uncalibrated));
        assert!(Calibration::new(Some(94.0)).is_ok());
        assert!(Calibration::new(Some(f64::NAN)).is_err());
        assert!(Calibration::new(Some(201.0)).is_err());
    }
}
