//! Frames to scores and alarms, unit by unit: what the trigger asks, and what is offered for recordings of one's own.

use zeroize::Zeroize;

use super::anomaly::{Anomaly, UNIT_FRAMES, UnitSum, load_count};
use super::background::Background;
use super::tail::{Episode, MAX_RATE, Tail};
use super::window::N_BANDS;
use crate::checkpoint::{Reader, Writer};
use crate::error::{BlockError, ParameterError};

/// Dial of the alarm counter where every window goes on anyway.
const OPEN_DIAL: f64 = 500.0;
/// Learning stands still for at most 10 s of alarms; each quiet unit gives one unit of that back.
const MAX_FROZEN_UNITS: u32 = 50;

/// What a unit of 200 ms came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scored {
    /// 0 is usual; also where too little was heard.
    pub(crate) score: f32,
    /// What the score was held against.
    pub(crate) threshold: f32,
    /// Part of an alarm.
    pub(crate) is_live: bool,
}

/// The anomaly score of one stream, its threshold and its alarms.
pub(crate) struct Scorer {
    anomaly: Anomaly,
    tail: Tail,
    unit_sum: UnitSum,
    alarm: Episode,
    n_alarms: u64,
    frozen_left: u32,
    /// Units of the stream that nothing is learned from the tail of: its first 2 s.
    first_unit: u64,
}

impl Scorer {
    /// `alarms_per_day`: the dial; infinity for a caller who looks at everything anyway. Dials over 4 000 act as 4 000.
    ///
    /// # Errors
    /// A dial that is not a number over 0.
    pub(crate) fn new(
        alarms_per_day: f64,
        background: Option<&Background>,
    ) -> Result<Self, ParameterError> {
        if alarms_per_day.is_nan() || alarms_per_day <= 0.0 {
            let expected = "a number over 0, or infinity";
            return Err(ParameterError::new(
                "alarms_per_day",
                expected,
                alarms_per_day,
            ));
        }
        let dial = if alarms_per_day.is_finite() {
            alarms_per_day
        } else {
            OPEN_DIAL
        };
        let (anomaly, tail) = match background {
            Some(background) => (Anomaly::new(background), background.tail.at_dial(dial)),
            None => {
                let street = Background::street(dial);
                (Anomaly::new(&street), street.tail)
            }
        };
        Ok(Self {
            anomaly,
            tail,
            unit_sum: UnitSum::new(),
            alarm: Episode::NONE,
            n_alarms: 0,
            frozen_left: MAX_FROZEN_UNITS,
            first_unit: 0,
        })
    }

    #[cfg(test)]
    pub(crate) fn tail(&self) -> &Tail {
        &self.tail
    }

    /// Alarms so far, the beginning of the stream included.
    pub(crate) fn n_alarms(&self) -> u64 {
        self.n_alarms
    }

    /// What was learned so far.
    pub(crate) fn background(&self) -> Background {
        Background::of(&self.anomaly, &self.tail)
    }

    /// The stream begins with this unit, and its beginning counts as one alarm.
    pub(crate) fn begin_at(&mut self, unit: u64) {
        self.first_unit = unit;
        self.alarm = Episode::starting(unit);
        self.n_alarms = 1;
    }

    /// Adds frames of the unit that is open.
    pub(crate) fn add(&mut self, frames: &[f32]) {
        self.unit_sum.add(frames);
    }

    /// Scores the open unit and learns from it.
    pub(crate) fn close(&mut self, unit: u64) -> Scored {
        let mut heard = self.unit_sum.take();
        let score = heard.as_ref().map_or(0.0, |mean| self.anomaly.score(mean));
        let threshold = self.tail.threshold();
        if score > threshold && self.alarm.exceed(unit) {
            self.n_alarms += 1;
            self.tail.count_alarm();
        }
        let is_live = self.alarm.is_live(unit);
        let is_warm = unit >= self.first_unit + 10;
        if let Some(mean) = &mut heard {
            if is_warm {
                self.tail.learn(unit, score);
            }
            if !self.is_frozen(is_live && is_warm) {
                self.anomaly.learn(mean);
            }
            mean.zeroize();
        }
        Scored {
            score,
            threshold,
            is_live,
        }
    }

    /// Whether this unit must not be learned from: alarms are not, unless they go on for too long.
    fn is_frozen(&mut self, is_alarm: bool) -> bool {
        if !is_alarm {
            self.frozen_left = (self.frozen_left + 1).min(MAX_FROZEN_UNITS);
            return false;
        }
        let is_frozen = self.frozen_left > 0;
        self.frozen_left = self.frozen_left.saturating_sub(1);
        is_frozen
    }

    pub(crate) fn save(&self, out: &mut Writer) {
        out.u64(self.n_alarms);
        out.u64(self.first_unit);
        out.u32(self.frozen_left);
        self.alarm.save(out);
        self.unit_sum.save(out);
        self.anomaly.save(out);
        self.tail.save(out);
    }

    pub(crate) fn load(from: &mut Reader) -> Result<Self, BlockError> {
        Ok(Self {
            n_alarms: load_count(from)?,
            first_unit: load_count(from)?,
            frozen_left: from.u32()?.min(MAX_FROZEN_UNITS),
            alarm: Episode::load(from)?,
            unit_sum: UnitSum::load(from)?,
            anomaly: Anomaly::load(from)?,
            tail: Tail::load(from)?,
        })
    }
}

/// Scores of a recording of one's own, from its log-mel frames.
///
/// A unit is 20 frames, 200 ms. Its score is the mean of the 8 most raised of 64 bands, in scales of what is usual, averaged with
/// the shrinkage Mahalanobis length of 16 pooled bands; the threshold follows from the extreme-value tail of the scores so
/// that it is passed about as often a day as the dial says.
///
/// # Source
/// Threshold: Siffer et al., KDD 2017, doi 10.1145/3097983.3098144.
pub struct AnomalyScorer {
    scorer: Scorer,
    n_frames: u64,
}

impl AnomalyScorer {
    /// For a recording that begins with the next frame.
    ///
    /// # Errors
    /// A dial that is not over 0, or over what the tail can be fitted to.
    pub fn new(alarms_per_day: f64) -> Result<Self, ParameterError> {
        if !(alarms_per_day > 0.0 && alarms_per_day <= MAX_RATE) {
            let expected = format!("a number over 0, at most {MAX_RATE}");
            return Err(ParameterError::new(
                "alarms_per_day",
                expected,
                alarms_per_day,
            ));
        }
        let mut scorer = Scorer::new(alarms_per_day, None)?;
        scorer.begin_at(0);
        Ok(Self {
            scorer,
            n_frames: 0,
        })
    }

    /// Takes more frames; gives (score, threshold) of each unit that they complete.
    ///
    /// # Shape
    /// `frames`: (n, 64), of the shipped front end.
    pub fn push(&mut self, frames: &[f32]) -> Vec<[f32; 2]> {
        let (frames, _) = frames.as_chunks::<N_BANDS>();
        let mut rest = frames;
        let mut scores = Vec::new();
        while !rest.is_empty() {
            let n = (UNIT_FRAMES - self.n_frames % UNIT_FRAMES).min(rest.len() as u64);
            let (run, after) = rest.split_at(n as usize);
            rest = after;
            self.scorer.add(run.as_flattened());
            self.n_frames += n;
            if self.n_frames.is_multiple_of(UNIT_FRAMES) {
                scores.push(self.close(self.n_frames / UNIT_FRAMES - 1));
            }
        }
        scores
    }

    /// Gives the unit that is not complete, if a frame of it came. Nothing is to be pushed after it.
    pub fn finish(&mut self) -> Option<[f32; 2]> {
        let is_open = !self.n_frames.is_multiple_of(UNIT_FRAMES);
        is_open.then(|| self.close(self.n_frames / UNIT_FRAMES))
    }

    fn close(&mut self, unit: u64) -> [f32; 2] {
        let scored = self.scorer.close(unit);
        [scored.score, scored.threshold]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_split_gives_the_same_scores_and_what_is_new_stands_out() {
        let mut frames: Vec<f32> = (0..3_000 * N_BANDS)
            .map(|i| -3.0 + ((i * 7_919) % 613) as f32 / 1_000.0)
            .collect();
        frames[2_000 * N_BANDS..2_020 * N_BANDS]
            .iter_mut()
            .for_each(|x| *x += 3.0);
        let whole = AnomalyScorer::new(100.0).unwrap().push(&frames);
        let mut parts = AnomalyScorer::new(100.0).unwrap();
        let pieces = frames.chunks(37 * N_BANDS);
        let split: Vec<_> = pieces.flat_map(|piece| parts.push(piece)).collect();
        assert_eq!(split, whole);
        assert_eq!(whole.len(), 150);
        let [score, threshold] = whole[100];
        assert!(score > threshold);
        assert!(whole[50..100].iter().all(|[s, t]| s < t));
        assert_eq!(parts.finish(), None);
    }

    #[test]
    fn a_dial_that_nothing_could_be_set_to_is_refused() {
        for dial in [0.0, -1.0, 4_000.1, f64::INFINITY, f64::NAN] {
            assert!(AnomalyScorer::new(dial).is_err(), "{dial}");
        }
        assert!(AnomalyScorer::new(4_000.0).is_ok());
    }
}
