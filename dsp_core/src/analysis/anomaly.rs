//! Frames to a score: how far the last 200 ms stand above what this street usually sounds like.
//!
//! Single 10 ms frames miss nearly everything, so the unit is the mean of 20 frames. Per band two running centres and scales
//! (30 s and 1 h) are kept by recursive estimators whose steps are bounded; a band deviates by the mean of the two
//! distances in scales, so that what comes back every few minutes counts for less; the hour adds at most half a scale to the
//! half minute, so that what has been there for minutes is background.
//! The score is the mean of the 8 most raised bands averaged with the shrinkage Mahalanobis length of the 16 pooled ones.
//!
//! A stream begins with the shipped (or a learned) spectrum and one number of its own, its gain, which falls fast and rises
//! slowly: five seconds are enough to hear, and an event at their start does not become the background.

use zeroize::Zeroize;

use super::background::Background;
use super::pooled::{N_POOLED, Pooled};
use super::window::N_BANDS;
use crate::checkpoint::{Reader, Writer};
use crate::error::{BlockError, Reason};
use crate::simd::per_path;

/// Frames of one unit: 200 ms.
pub(crate) const UNIT_FRAMES: u64 = 20;
/// Units of one day.
pub(crate) const UNITS_PER_DAY: f64 = 432_000.0;
/// ln(0.001): what a band of digital silence holds.
pub(crate) const FLOOR: f32 = -6.907_755_4;
/// A frame whose bands all lie below this was not heard.
pub(crate) const UNHEARD: f32 = -6.9;
/// A unit with fewer heard frames says nothing.
const MIN_HEARD_FRAMES: u32 = 5;
/// 30 s and 1 h, and what the prior counts for: it gives way within the first second, but for its steps' bound.
const FAST_UNITS: f32 = 150.0;
const SLOW_UNITS: f32 = 18_000.0;
const PRIOR_UNITS: f32 = 2.0;
/// A centre moves by at most rate × this many scales.
const STEP_SCALES: f32 = 2.0;
const MIN_SCALE: f32 = 0.12;
const MAX_SCALE: f32 = 4.0;
/// Mean absolute deviation to standard deviation of a normal variable, sqrt(pi / 2).
const ABSOLUTE_TO_SCALE: f32 = 1.253_314_1;
/// The gain is fitted during 5 s.
const GAIN_UNITS: u64 = 25;
const GAIN_FALL: f32 = 0.1;
const GAIN_RISE: f32 = 0.05;
/// Bands nearer to the floor do not say how loud a stream is.
const GAIN_MARGIN: f32 = 0.3;
/// A band stands higher above the hour than above the half minute by at most this many scales.
const SLOW_AHEAD: f32 = 1.0;
const TOP_BANDS: usize = 8;
const DEVIATION_MIN: f32 = -4.0;
const DEVIATION_MAX: f32 = 20.0;

/// Within two bounds; what is not a number becomes the lower one. One instruction a bound, unlike `clamp`.
#[inline(always)]
pub(crate) fn bounded(x: f32, low: f32, high: f32) -> f32 {
    let x = if x > low { x } else { low };
    if x < high { x } else { high }
}

/// A stored position or count: none that a stream could not have reached, so that no sum of them overflows.
pub(crate) fn load_count(from: &mut Reader) -> Result<u64, BlockError> {
    const MOST: u64 = 1 << 48;
    let count = from.u64()?;
    if count <= MOST {
        return Ok(count);
    }
    Err(BlockError::new(
        Reason::BadCheckpoint,
        "a count below 2^48",
        count,
    ))
}

/// The sum of a unit's heard frames.
pub(crate) struct UnitSum {
    bands: [f32; N_BANDS],
    n_heard: u32,
}

impl UnitSum {
    pub(crate) const fn new() -> Self {
        Self {
            bands: [0.0; N_BANDS],
            n_heard: 0,
        }
    }

    /// Adds frames in order; digital silence is not heard.
    ///
    /// # Shape
    /// `frames`: (n, 64).
    pub(crate) fn add(&mut self, frames: &[f32]) {
        self.n_heard += sum_frames(frames, &mut self.bands);
    }

    /// The unit's mean, and a new beginning; `None` where too little was heard.
    pub(crate) fn take(&mut self) -> Option<[f32; N_BANDS]> {
        let n_heard = self.n_heard;
        let mut mean = self.bands;
        self.zeroize();
        if n_heard < MIN_HEARD_FRAMES {
            return None;
        }
        let share = 1.0 / n_heard as f32;
        for value in &mut mean {
            *value = bounded(*value * share, FLOOR, DEVIATION_MAX);
        }
        Some(mean)
    }

    pub(crate) fn zeroize(&mut self) {
        self.bands.zeroize();
        self.n_heard = 0;
    }

    pub(crate) fn save(&self, out: &mut Writer) {
        out.f32s(&self.bands);
        out.u32(self.n_heard);
    }

    pub(crate) fn load(from: &mut Reader) -> Result<Self, BlockError> {
        let mut sum = Self::new();
        from.f32s(&mut sum.bands)?;
        sum.n_heard = from.u32()?.min(UNIT_FRAMES as u32);
        Ok(sum)
    }
}

per_path! {
    fn sum_frames(frames: &[f32], sum: &mut [f32; N_BANDS]) -> u32 {
        let (frames, _) = frames.as_chunks::<N_BANDS>();
        let mut n_heard = 0;
        let mut total = *sum;
        for frame in frames {
            // One band tells nearly always; the others are looked at only where it is silent.
            if frame[0] < UNHEARD && frame.iter().all(|&x| x < UNHEARD) {
                continue;
            }
            n_heard += 1;
            for (t, &x) in total.iter_mut().zip(frame) {
                // Bounded, so that no sum of extreme frames can leave the finite numbers.
                *t += bounded(x, -100.0, 100.0);
            }
        }
        *sum = total;
        n_heard
    }
}

/// One running centre and scale per band.
#[derive(Clone)]
pub(crate) struct Running {
    pub(crate) centre: [f32; N_BANDS],
    pub(crate) scale: [f32; N_BANDS],
}

impl Running {
    fn save(&self, out: &mut Writer) {
        out.f32s(&self.centre);
        out.f32s(&self.scale);
    }

    fn load(from: &mut Reader) -> Result<Self, BlockError> {
        let (mut centre, mut scale) = ([0.0; N_BANDS], [0.0; N_BANDS]);
        from.f32s(&mut centre)?;
        from.f32s(&mut scale)?;
        if scale.iter().any(|s| !(MIN_SCALE..=MAX_SCALE).contains(s)) {
            return Err(BlockError::new(
                Reason::BadCheckpoint,
                "scales within their bounds",
                "another one",
            ));
        }
        Ok(Self { centre, scale })
    }
}

/// What a stream usually sounds like, and how unusual its last unit is.
#[derive(Clone)]
pub(crate) struct Anomaly {
    pub(crate) fast: Running,
    pub(crate) slow: Running,
    pub(crate) pooled: Pooled,
    /// Units learned from, those of a background included.
    pub(crate) n_learned: u64,
    /// Units heard in this stream.
    n_heard: u64,
    gain: f32,
    /// Signed deviations of the last unit.
    deviation: [f32; N_POOLED],
}

impl Anomaly {
    pub(crate) fn new(background: &Background) -> Self {
        Self {
            fast: background.fast.clone(),
            slow: background.slow.clone(),
            pooled: background.pooled.clone(),
            n_learned: background.n_learned,
            n_heard: 0,
            gain: 0.0,
            deviation: [0.0; N_POOLED],
        }
    }

    /// Scores one unit's mean; 0 is usual.
    pub(crate) fn score(&mut self, unit: &[f32; N_BANDS]) -> f32 {
        self.fit_gain(unit);
        let mut deviation = [0.0; N_BANDS];
        deviations(unit, self.gain, &self.fast, &self.slow, &mut deviation);
        let (fours, _) = deviation.as_chunks::<4>();
        let mut raised = [0.0; N_POOLED];
        for ((pooled, positive), d) in self.deviation.iter_mut().zip(&mut raised).zip(fours) {
            *pooled = 0.25 * ((d[0] + d[1]) + (d[2] + d[3]));
            *positive = pooled.max(0.0);
        }
        0.5 * (mean_of_top(&deviation) + self.pooled.length(&raised))
    }

    /// Learns from the unit that was scored last.
    pub(crate) fn learn(&mut self, unit: &[f32; N_BANDS]) {
        let n = self.n_learned as f32 + PRIOR_UNITS;
        learn_band(unit, self.gain, 1.0 / n.min(FAST_UNITS), &mut self.fast);
        learn_band(unit, self.gain, 1.0 / n.min(SLOW_UNITS), &mut self.slow);
        self.pooled.learn(&self.deviation);
        self.n_learned += 1;
    }

    fn fit_gain(&mut self, unit: &[f32; N_BANDS]) {
        if self.n_heard < GAIN_UNITS {
            let (mut sum, mut weight) = (0.0_f32, 0.0_f32);
            for (&x, &c) in unit.iter().zip(&self.fast.centre) {
                let w = if x > FLOOR + GAIN_MARGIN { 1.0 } else { 1e-3 };
                sum += w * (x - c);
                weight += w;
            }
            let away = sum / weight - self.gain;
            self.gain += if self.n_heard == 0 {
                away
            } else if away < 0.0 {
                GAIN_FALL * away
            } else {
                away.min(GAIN_RISE)
            };
        }
        self.n_heard += 1;
    }

    /// What was learned, with the gain in it.
    pub(crate) fn lifted(&self) -> (Running, Running) {
        let lift = |running: &Running| {
            let mut running = running.clone();
            running.centre.iter_mut().for_each(|c| *c += self.gain);
            running
        };
        (lift(&self.fast), lift(&self.slow))
    }

    pub(crate) fn save(&self, out: &mut Writer) {
        self.fast.save(out);
        self.slow.save(out);
        self.pooled.save(out);
        out.u64(self.n_learned);
        out.u64(self.n_heard);
        out.f32(self.gain);
        out.f32s(&self.deviation);
    }

    pub(crate) fn load(from: &mut Reader) -> Result<Self, BlockError> {
        let mut anomaly = Self {
            fast: Running::load(from)?,
            slow: Running::load(from)?,
            pooled: Pooled::load(from)?,
            n_learned: load_count(from)?,
            n_heard: load_count(from)?,
            gain: from.finite_f32()?,
            deviation: [0.0; N_POOLED],
        };
        from.f32s(&mut anomaly.deviation)?;
        Ok(anomaly)
    }
}

/// Where a band is expected: never below the floor of the front end.
#[inline(always)]
fn expected(centre: f32, gain: f32) -> f32 {
    bounded(centre + gain, FLOOR + 0.02, DEVIATION_MAX)
}

per_path! {
    fn deviations(unit: &[f32; N_BANDS], gain: f32, fast: &Running, slow: &Running, out: &mut [f32; N_BANDS]) {
        for (i, o) in out.iter_mut().enumerate() {
            let f = (unit[i] - expected(fast.centre[i], gain)) / fast.scale[i];
            let s = (unit[i] - expected(slow.centre[i], gain)) / slow.scale[i];
            // What the last half minute calls usual is not raised by the hour.
            let s = if s < f + SLOW_AHEAD { s } else { f + SLOW_AHEAD };
            *o = bounded(0.5 * (f + s), DEVIATION_MIN, DEVIATION_MAX);
        }
    }
}

per_path! {
    fn learn_band(unit: &[f32; N_BANDS], gain: f32, rate: f32, running: &mut Running) {
        let bands = running.centre.iter_mut().zip(&mut running.scale);
        for ((centre, scale), &x) in bands.zip(unit) {
            let (before, away) = (*scale, x - expected(*centre, gain));
            let bound = STEP_SCALES * before;
            *centre += rate * bounded(away, -bound, bound);
            let change = bounded(ABSOLUTE_TO_SCALE * away.abs() - before, -before, before);
            *scale = bounded(before + rate * change, MIN_SCALE, MAX_SCALE);
        }
    }
}

/// Mean of the 8 most raised bands, what lies below 0 counting as 0.
fn mean_of_top(deviation: &[f32; N_BANDS]) -> f32 {
    let mut top = [0.0_f32; TOP_BANDS];
    for &d in deviation {
        if d > top[0] {
            top[0] = d;
            for i in 1..TOP_BANDS {
                if top[i - 1] > top[i] {
                    top.swap(i - 1, i);
                }
            }
        }
    }
    top.iter().sum::<f32>() / TOP_BANDS as f32
}
