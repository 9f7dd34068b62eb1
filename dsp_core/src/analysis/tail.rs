//! The threshold, set in alarms per sensor-day: the extreme-value tail of the score.
//!
//! # Source
//! A. Siffer, P.-A. Fouque, A. Termier, C. Largouet, "Anomaly Detection in Streams with Extreme Value Theory", KDD 2017,
//! doi 10.1145/3097983.3098144 (SPOT, and DSPOT for streams that drift); J. R. M. Hosking, J. R. Wallis, "Parameter and
//! quantile estimation for the generalized Pareto distribution", Technometrics 29 (1987), doi
//! 10.1080/00401706.1987.10488243 (probability-weighted moments).
//!
//! Peaks over the initial threshold are joined into clusters by the rule that joins alarms, so that both are counted alike.
//! The initial threshold is tracked: it sinks with time and rises with each cluster, and so is exceeded by `rate` clusters a
//! day whatever the street is like. Excesses are kept relative to it (drift), the last 512 of them, and are fitted together
//! with the shipped tail, which counts as 50 more. Alarms are not left out, as SPOT does: at a loose dial they are a quarter
//! of all excesses and leaving them out would pull the threshold down for ever; each is bounded instead. What the fit still has
//! wrong, a slow count of alarms against the dial takes out (I. Gibbs, E. Candes, "Adaptive Conformal Inference Under
//! Distribution Shift", NeurIPS 2021, arXiv:2106.00263), within -0.5 and +1.5 scales.
//!
//! Measured on 20 simulated streets other than those of the shipped tail (feature level; mean alarms a day over the dial, and
//! the single streets' range): first day 1.71 (1.04 to 2.6) at 24, 1.11 (0.89 to 1.5) at 100, 0.98 (0.87 to 1.1) at 300, 0.96
//! (0.89 to 1.0) at 500; second day 1.07, 0.97, 0.95, 0.96. No real street has been counted.

use super::anomaly::{UNITS_PER_DAY, load_count};
use super::prior;
use crate::checkpoint::{Reader, Writer};
use crate::error::{BlockError, Reason};

/// Units that one alarm stands for when nothing more is heard: a dead time of 10 s.
pub(crate) const DEAD_UNITS: u64 = 50;
/// Units that one alarm lasts at most: 20 s.
pub(crate) const EPISODE_UNITS: u64 = 100;
/// A unit counts for the second that it ends (the 1 s maximum) and for a second of hangover.
pub(crate) const HOLD_UNITS: u64 = 10;
const N_KEPT: usize = 512;
/// What the shipped tail counts for, in excesses.
const PRIOR_EXCESSES: f64 = 50.0;
/// Clusters a day over the initial threshold: four times the dial, within these bounds.
const RATE_OVER_DIAL: f64 = 4.0;
const MIN_RATE: f64 = 240.0;
pub(crate) const MAX_RATE: f64 = 4_000.0;
const MIN_SHAPE: f64 = -0.25;
const MAX_SHAPE: f64 = 0.35;
/// Steps of the initial threshold, in scales of the tail: first and last.
const FIRST_STEP: f64 = 0.2;
const LAST_STEP: f64 = 0.03;
/// An excess counts with at most this many scales above the alarm threshold.
const BOUND_SCALES: f64 = 3.0;
/// The threshold rises by this part of a scale with each alarm and sinks by as much in the time of one: within these bounds.
const CORRECTION_STEP: f64 = 0.05;
const MIN_CORRECTION: f64 = -0.5;
const MAX_CORRECTION: f64 = 1.5;
const MIN_INITIAL: f64 = 0.3;
const MAX_INITIAL: f64 = 15.0;
const MIN_SCALE: f64 = 0.02;
const NEVER: u64 = u64::MAX;

/// Exceedances that belong together: from the first for 10 s, or while they go on, 20 s at most.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Episode {
    pub(crate) onset: u64,
    last_over: u64,
}

impl Episode {
    pub(crate) const NONE: Self = Self {
        onset: NEVER,
        last_over: NEVER,
    };

    pub(crate) const fn starting(unit: u64) -> Self {
        Self {
            onset: unit,
            last_over: unit,
        }
    }

    pub(crate) fn is_none(&self) -> bool {
        self.onset == NEVER
    }

    /// Whether an exceedance at `unit` would belong to it.
    pub(crate) fn joins(&self, unit: u64) -> bool {
        let age = unit.wrapping_sub(self.onset);
        !self.is_none() && (age < DEAD_UNITS || (age < EPISODE_UNITS && self.is_held(unit)))
    }

    /// Whether `unit` is part of it: over the threshold, or within the hold behind.
    pub(crate) fn is_live(&self, unit: u64) -> bool {
        !self.is_none() && unit.wrapping_sub(self.onset) < EPISODE_UNITS && self.is_held(unit)
    }

    fn is_held(&self, unit: u64) -> bool {
        unit.wrapping_sub(self.last_over) < HOLD_UNITS
    }

    /// Takes an exceedance; tells whether it began a new episode.
    pub(crate) fn exceed(&mut self, unit: u64) -> bool {
        let is_new = !self.joins(unit);
        if is_new {
            self.onset = unit;
        }
        self.last_over = unit;
        is_new
    }

    pub(crate) fn save(&self, out: &mut Writer) {
        out.u64(self.onset);
        out.u64(self.last_over);
    }

    pub(crate) fn load(from: &mut Reader) -> Result<Self, BlockError> {
        Ok(Self {
            onset: from.u64()?,
            last_over: from.u64()?,
        })
    }
}

/// Tail of the score and the threshold that follows from it.
#[derive(Clone)]
pub(crate) struct Tail {
    dial: f64,
    rate: f64,
    /// The initial threshold.
    initial: f64,
    shape: f64,
    scale: f64,
    /// Alarm threshold above the initial one.
    margin: f64,
    /// What counting alarms against the dial added to that, in scales.
    correction: f64,
    cluster: Episode,
    /// Initial threshold when the cluster began, and its greatest score.
    cluster_initial: f64,
    peak: f64,
    n_clusters: u64,
    kept: [f32; N_KEPT],
}

impl Tail {
    /// The shipped street's tail, seen from the threshold that suits the dial.
    pub(crate) fn prior(alarms_per_day: f64) -> Self {
        let rate = (RATE_OVER_DIAL * alarms_per_day).clamp(MIN_RATE, MAX_RATE);
        let above = quantile(
            prior::TAIL_SHAPE,
            prior::TAIL_SCALE,
            rate / prior::TAIL_RATE,
        );
        let scale = (prior::TAIL_SCALE + prior::TAIL_SHAPE * above).max(MIN_SCALE);
        let mut tail = Self {
            dial: alarms_per_day,
            rate,
            initial: prior::TAIL_INITIAL + above,
            shape: prior::TAIL_SHAPE,
            scale,
            margin: 0.0,
            correction: 0.0,
            cluster: Episode::NONE,
            cluster_initial: 0.0,
            peak: 0.0,
            n_clusters: 0,
            kept: [0.0; N_KEPT],
        };
        tail.fit();
        tail
    }

    /// The same street at another dial; if the initial threshold has to be another one, only the prior's shape is left.
    pub(crate) fn at_dial(&self, alarms_per_day: f64) -> Self {
        let mut tail = Self::prior(alarms_per_day);
        if tail.rate == self.rate {
            tail = self.clone();
            tail.dial = alarms_per_day;
        } else {
            let above = quantile(self.shape, self.scale, tail.rate / self.rate);
            tail.initial = self.initial + above;
            tail.scale = (self.scale + self.shape * above).max(MIN_SCALE);
            tail.shape = self.shape;
        }
        tail.cluster = Episode::NONE;
        tail.correction = 0.0;
        tail.margin = tail.margin_of_dial();
        tail
    }

    /// Initial threshold, shape and scale.
    #[cfg(test)]
    pub(crate) fn parameters(&self) -> [f64; 3] {
        [self.initial, self.shape, self.scale]
    }

    /// Scores above this are alarms.
    pub(crate) fn threshold(&self) -> f32 {
        (self.initial + self.margin + self.correction * self.scale) as f32
    }

    /// Takes note of an alarm.
    pub(crate) fn count_alarm(&mut self) {
        self.correction = (self.correction + CORRECTION_STEP).min(MAX_CORRECTION);
    }

    /// Takes one heard unit's score in.
    pub(crate) fn learn(&mut self, unit: u64, score: f32) {
        let score = f64::from(score);
        let step = self.scale * (FIRST_STEP / (1.0 + self.n_clusters as f64 / 20.0)).max(LAST_STEP);
        let due = self.dial.min(MAX_RATE) / UNITS_PER_DAY;
        self.correction = (self.correction - CORRECTION_STEP * due).max(MIN_CORRECTION);
        self.initial -= step * self.rate / UNITS_PER_DAY;
        if !self.cluster.is_none() && !self.cluster.joins(unit) {
            self.close_cluster();
        }
        if score > self.initial {
            if self.cluster.exceed(unit) {
                self.cluster_initial = self.initial;
                self.peak = score;
                self.initial += step;
            }
            self.peak = self.peak.max(score);
        }
        self.initial = self.initial.clamp(MIN_INITIAL, MAX_INITIAL);
    }

    fn close_cluster(&mut self) {
        let bound = self.margin + BOUND_SCALES * self.scale;
        let excess = (self.peak - self.cluster_initial).max(0.0).min(bound);
        self.kept[(self.n_clusters % N_KEPT as u64) as usize] = excess as f32;
        self.n_clusters += 1;
        self.cluster = Episode::NONE;
        self.fit();
    }

    /// Probability-weighted moments of what is kept and of the shipped tail.
    fn fit(&mut self) {
        let n = (self.n_clusters).min(N_KEPT as u64) as usize;
        let mut sorted = self.kept;
        let sorted = &mut sorted[..n];
        sorted.sort_unstable_by(f32::total_cmp);
        let (mut sum, mut weighted) = (0.0_f64, 0.0_f64);
        for (i, &x) in sorted.iter().enumerate() {
            let rarer = (n - 1 - i) as f64 / (n.max(2) - 1) as f64;
            sum += f64::from(x);
            weighted += rarer * f64::from(x);
        }
        let (shape, scale) = (prior::TAIL_SHAPE, self.prior_scale());
        let count = n as f64 + PRIOR_EXCESSES;
        let first = (sum + PRIOR_EXCESSES * scale / (1.0 - shape)) / count;
        let second = (weighted + PRIOR_EXCESSES * scale / (2.0 * (2.0 - shape))) / count;
        (self.shape, self.scale) = pareto(first, second);
        self.margin = self.margin_of_dial();
    }

    fn prior_scale(&self) -> f64 {
        let above = quantile(
            prior::TAIL_SHAPE,
            prior::TAIL_SCALE,
            self.rate / prior::TAIL_RATE,
        );
        (prior::TAIL_SCALE + prior::TAIL_SHAPE * above).max(MIN_SCALE)
    }

    fn margin_of_dial(&self) -> f64 {
        quantile(self.shape, self.scale, self.dial / self.rate).max(0.0)
    }

    pub(crate) fn save(&self, out: &mut Writer) {
        out.f64s(&[self.dial, self.rate, self.initial, self.shape, self.scale]);
        out.f64s(&[self.margin, self.correction]);
        out.f64s(&[self.cluster_initial, self.peak]);
        self.cluster.save(out);
        out.u64(self.n_clusters);
        out.f32s(&self.kept);
    }

    pub(crate) fn load(from: &mut Reader) -> Result<Self, BlockError> {
        let mut tail = Self::prior(MIN_RATE);
        let mut values = [0.0; 9];
        from.f64s(&mut values)?;
        [
            tail.dial,
            tail.rate,
            tail.initial,
            tail.shape,
            tail.scale,
            ..,
        ] = values;
        [
            ..,
            tail.margin,
            tail.correction,
            tail.cluster_initial,
            tail.peak,
        ] = values;
        if tail.dial <= 0.0 || !(MIN_RATE..=MAX_RATE).contains(&tail.rate) || tail.scale < MIN_SCALE
        {
            let what = "one outside its bounds";
            return Err(BlockError::new(
                Reason::BadCheckpoint,
                "a tail within its bounds",
                what,
            ));
        }
        tail.cluster = Episode::load(from)?;
        tail.n_clusters = load_count(from)?;
        from.f32s(&mut tail.kept)?;
        Ok(tail)
    }
}

/// How far above its threshold a generalised Pareto excess is exceeded with probability `p`.
fn quantile(shape: f64, scale: f64, p: f64) -> f64 {
    if shape.abs() < 1e-3 {
        -scale * libm::log(p)
    } else {
        scale / shape * (libm::pow(p, -shape) - 1.0)
    }
}

/// Shape and scale from the moments E[X] and E[X (1 - F(X))]. A clipped shape keeps the mean: its scale is estimated again.
fn pareto(first: f64, second: f64) -> (f64, f64) {
    let difference = (first - 2.0 * second).max(1e-9);
    let shape = (2.0 - first / difference).clamp(MIN_SHAPE, MAX_SHAPE);
    (shape, (first * (1.0 - shape)).max(MIN_SCALE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_a_known_tail_give_it_back() {
        for (shape, scale) in [(-0.2, 0.5), (0.0, 1.0), (0.3, 2.0)] {
            let first = scale / (1.0 - shape);
            let second = scale / (2.0 * (2.0 - shape));
            let (s, c) = pareto(first, second);
            assert!(
                (s - shape).abs() < 1e-9 && (c - scale).abs() < 1e-9,
                "{s} {c}"
            );
        }
    }

    #[test]
    fn a_clipped_shape_keeps_the_mean() {
        let (shape, scale) = pareto(1.0, 0.05);
        assert_eq!(shape, MAX_SHAPE);
        assert!((scale / (1.0 - shape) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn an_episode_lasts_ten_seconds_or_while_it_goes_on_up_to_twenty() {
        let mut episode = Episode::NONE;
        assert!(episode.exceed(100));
        assert!(episode.is_live(109) && !episode.is_live(110));
        assert!(!episode.exceed(149) && episode.is_live(158) && !episode.is_live(159));
        assert!(episode.exceed(160));
        let mut lasting = Episode::NONE;
        let starts = (0..1_000).filter(|&u| lasting.exceed(u)).count();
        assert_eq!(starts, 10);
    }
}
