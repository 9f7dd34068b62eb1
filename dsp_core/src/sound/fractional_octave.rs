//! Octave and third-octave levels by filters, as a sound analyser measures them.
//!
//! Butterworth band-passes of eighth order; each band runs at the rate, halved as often as its upper edge allows. Up to
//! eight bands of one rate go through their filters side by side, in lanes of 64 bits. Corners lie a little inside the
//! edges, so that each band passes as much noise as an ideal one.

use crate::error::ParameterError;
use crate::sound::leq::{Periods, level_db};

use band_pass::BandPass;
use decimate::Decimator;

mod band_pass;
mod decimate;

/// Mantissas of the nominal midbands.
///
/// # Source
/// IEC 61260-1:2014, Annex E.
const NOMINAL: [f64; 10] = [1.0, 1.25, 1.6, 2.0, 2.5, 3.15, 4.0, 5.0, 6.3, 8.0];
/// Highest upper edge, as a share of the rate, at which a band meets class 1.
const TOP_SHARE: f64 = 0.47;
/// A band whose upper edge is no higher goes down to half the rate: what folds back into it is 82 dB down.
const LOW_SHARE: f64 = 0.1;
/// Samples that go through the stages together.
const CHUNK: usize = 4_096;

/// Width of a band. Bands are counted in tenths of a decade from 1 kHz: an octave is three of them, a third octave one.
///
/// # Source
/// IEC 61260-1:2014, 5.2 to 5.5: base 10, G = 10^0.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fraction {
    /// 1/1: nominally 16 Hz to 16 kHz.
    Octave,
    /// 1/3: nominally 10 Hz to 20 kHz.
    ThirdOctave,
}

impl Fraction {
    /// Tenths of a decade.
    fn tenths(self) -> i32 {
        match self {
            Self::Octave => 3,
            Self::ThirdOctave => 1,
        }
    }

    /// The lowest and the highest band that are offered.
    fn offered(self) -> (i32, i32) {
        match self {
            Self::Octave => (-18, 12),
            Self::ThirdOctave => (-20, 13),
        }
    }

    /// The bands from `lowest` to `highest`.
    fn bands(self, lowest: i32, highest: i32) -> impl DoubleEndedIterator<Item = i32> {
        let tenths = self.tenths();
        (lowest / tenths..=highest / tenths).map(move |k| k * tenths)
    }

    /// Lower and upper edge in Hz.
    fn edges_hz(self, x: i32) -> (f64, f64) {
        let half = libm::pow(10.0, 0.05 * f64::from(self.tenths()));
        (midband_hz(x) / half, midband_hz(x) * half)
    }

    /// The highest band that the rate holds.
    fn highest_band(self, sample_rate: u32) -> i32 {
        let top_hz = TOP_SHARE * f64::from(sample_rate);
        let (lowest, highest) = self.offered();
        let mut downwards = self.bands(lowest, highest).rev();
        downwards
            .find(|&x| self.edges_hz(x).1 <= top_hz)
            .unwrap_or(lowest)
    }

    /// The band that a frequency lies in, of those from `lowest` to `highest`.
    fn band_of(
        self,
        name: &'static str,
        hz: f64,
        lowest: i32,
        highest: i32,
    ) -> Result<i32, ParameterError> {
        let is_within = hz >= self.edges_hz(lowest).0 && hz <= self.edges_hz(highest).1;
        if !is_within {
            let (low, high) = (nominal_hz(lowest), nominal_hz(highest));
            let expected = format!("{low} to {high} Hz at this sample rate");
            return Err(ParameterError::new(name, expected, format!("{hz} Hz")));
        }
        let tenths = f64::from(self.tenths());
        let k = libm::round(10.0 * libm::log10(hz / 1_000.0) / tenths) as i32;
        Ok((k * self.tenths()).clamp(lowest, highest))
    }

    /// How often the rate can be halved for a band.
    fn halvings(self, x: i32, sample_rate: u32) -> u32 {
        let (_, upper) = self.edges_hz(x);
        let mut n = 0;
        while upper <= LOW_SHARE * f64::from(sample_rate) / f64::from(1_u32 << n) {
            n += 1;
        }
        n
    }
}

/// Exact midband frequency of band `x`, 10^(x / 10) kHz.
///
/// # Source
/// IEC 61260-1:2014, 5.4.
fn midband_hz(x: i32) -> f64 {
    1_000.0 * libm::pow(10.0, f64::from(x) / 10.0)
}

/// Nominal midband frequency, as it stands on instruments.
fn nominal_hz(x: i32) -> f64 {
    NOMINAL[x.rem_euclid(10) as usize] * libm::pow(10.0, f64::from(x.div_euclid(10) + 3))
}

/// A bank of adjacent bands, designed for one rate.
#[derive(Debug, Clone)]
pub struct Bank {
    fraction: Fraction,
    sample_rate: u32,
    lowest: i32,
    highest: i32,
}

impl Bank {
    /// The bands from the one that `fmin` lies in to the one that `fmax` lies in, without it to the highest that the rate
    /// holds. For a rate of at least 8 000 Hz.
    ///
    /// # Errors
    /// A band that is not offered, or whose upper edge lies over 0.47 of the rate.
    pub fn new(
        fraction: Fraction,
        sample_rate: u32,
        fmin: f64,
        fmax: Option<f64>,
    ) -> Result<Self, ParameterError> {
        let top = fraction.highest_band(sample_rate);
        let lowest = fraction.band_of("fmin", fmin, fraction.offered().0, top)?;
        let highest = fmax.map_or(Ok(top), |fmax| fraction.band_of("fmax", fmax, lowest, top))?;
        Ok(Self {
            fraction,
            sample_rate,
            lowest,
            highest,
        })
    }

    /// Exact midband frequencies in Hz.
    pub fn midbands_hz(&self) -> Vec<f64> {
        self.bands().map(midband_hz).collect()
    }

    fn bands(&self) -> impl DoubleEndedIterator<Item = i32> {
        self.fraction.bands(self.lowest, self.highest)
    }

    /// The complete periods of `period_s` among `n` samples, as `Periods` has them.
    ///
    /// # Errors
    /// Also a period of less than one sample of the slowest stage.
    pub fn periods(&self, n: usize, period_s: Option<f64>) -> Result<Periods, ParameterError> {
        let periods = Periods::new(n, self.sample_rate, period_s)?;
        let least = 1_usize << self.fraction.halvings(self.lowest, self.sample_rate);
        match period_s {
            Some(period_s) if periods.start(1) < least => {
                let low = nominal_hz(self.lowest);
                let least_s = least as f64 / f64::from(self.sample_rate);
                let expected = format!("at least {least_s:.5} s for bands down to {low} Hz");
                let actual = format!("{period_s} s");
                Err(ParameterError::new("period_s", expected, actual))
            }
            _ => Ok(periods),
        }
    }

    /// Levels in dB of a signal that starts from rest; `reference`: rms value of 0 dB, over 0.
    ///
    /// # Shape
    /// `samples`: (n,), `out`: (n_periods, n_bands).
    pub fn levels_into(&self, samples: &[f32], periods: &Periods, reference: f64, out: &mut [f64]) {
        let mut stages = self.stages(periods);
        let mut chunk = Vec::with_capacity(CHUNK);
        for samples in samples.chunks(CHUNK) {
            chunk.clear();
            chunk.extend(samples.iter().map(|&x| f64::from(x)));
            push(&mut stages, periods, &mut chunk);
        }
        // The decimators look ahead: silence follows until all of them have seen the last sample.
        while stages.iter().any(|stage| stage.n_closed < periods.count()) {
            chunk.clear();
            chunk.resize(CHUNK, 0.0);
            push(&mut stages, periods, &mut chunk);
        }
        let n_bands = self.bands().count();
        for (k, levels) in out.chunks_mut(n_bands).enumerate() {
            let of_stages = stages.iter().flat_map(|stage| stage.mean_squares(k));
            for (level, &mean_square) in levels.iter_mut().rev().zip(of_stages) {
                *level = level_db(mean_square, reference);
            }
        }
    }

    /// From the full rate down.
    fn stages(&self, periods: &Periods) -> Vec<Stage> {
        let deepest = self.fraction.halvings(self.lowest, self.sample_rate);
        let stage = |n: u32| {
            let rate = f64::from(self.sample_rate) / f64::from(1_u32 << n);
            let bands = self.bands().rev();
            let edges: Vec<_> = bands
                .filter(|&x| self.fraction.halvings(x, self.sample_rate) == n)
                .map(|x| self.fraction.edges_hz(x))
                .collect();
            Stage::new(n, &edges, rate, periods)
        };
        (0..=deepest).map(stage).collect()
    }
}

/// Sends a chunk through all stages; it is overwritten.
fn push(stages: &mut [Stage], periods: &Periods, chunk: &mut Vec<f64>) {
    for stage in stages {
        stage.hear(chunk, periods);
        stage.decimator.halve(chunk);
    }
}

/// The bands of one rate, and the way to half of it.
struct Stage {
    n_halvings: u32,
    band_pass: BandPass,
    decimator: Decimator,
    position: usize,
    /// Mean squares of the closed periods, from the highest band down.
    means: Vec<f64>,
    n_closed: usize,
}

impl Stage {
    fn new(n_halvings: u32, edges: &[(f64, f64)], rate: f64, periods: &Periods) -> Self {
        Self {
            n_halvings,
            band_pass: BandPass::new(edges, rate),
            decimator: Decimator::new(),
            position: 0,
            means: Vec::with_capacity(edges.len() * periods.count()),
            n_closed: 0,
        }
    }

    /// First sample of period `k`, at this rate.
    fn start(&self, periods: &Periods, k: usize) -> usize {
        periods.start(k).div_ceil(1 << self.n_halvings)
    }

    fn hear(&mut self, samples: &[f64], periods: &Periods) {
        let mut rest = samples;
        while !rest.is_empty() && self.n_closed < periods.count() {
            let end = self.start(periods, self.n_closed + 1);
            let (piece, after) = rest.split_at(rest.len().min(end - self.position));
            rest = after;
            self.position += piece.len();
            self.band_pass.hear(piece);
            if self.position == end {
                let n = (end - self.start(periods, self.n_closed)) as f64;
                self.means
                    .extend(self.band_pass.take_sums().map(|sum| sum / n));
                self.n_closed += 1;
            }
        }
    }

    fn mean_squares(&self, k: usize) -> &[f64] {
        let n_bands = self.band_pass.n_bands();
        &self.means[k * n_bands..][..n_bands]
    }
}

#[cfg(test)]
mod tests;
