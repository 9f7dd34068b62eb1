//! A calibrator's tone to what full scale is at a sensor.
//!
//! The tone's level is measured narrowly in every quarter of a second: a flat-top window, at 13 frequencies within ±3 % of the
//! stated one. The longest steady run counts, without its first and last half second, because a person puts the calibrator
//! on and takes it off.

use std::f64::consts::PI;

use zeroize::{Zeroize, Zeroizing};

use crate::error::{BlockError, ParameterError, Reason};
use crate::sound::AudioBlock;
use crate::sound::block::check_sample_rate;

/// Segments of a second.
const SEGMENTS_PER_S: u32 = 4;
/// Segments that a steady tone must last, its ends left out: 5 s.
const MIN_SEGMENTS: usize = 20;
/// Segments left out at either end.
const N_ENDS: usize = 2;
/// Segments that are kept: an hour; what comes later counts for nothing.
const MAX_SEGMENTS: usize = 14_400;
/// Frequencies that the tone is looked for at, and their distance as a share of the tone's.
const N_OFFSETS: i32 = 6;
const OFFSET: f64 = 0.005;
/// Share of a segment's energy that the tone must have: 15 dB above the rest.
const MIN_PURITY: f64 = 0.969;
/// Share of a segment's energy that makes a tone, though other sound covers it.
const MIN_SHARE: f64 = 0.5;
/// The two frequencies of common calibrators: who states the one may have the other on the microphone.
const CALIBRATORS_HZ: [f64; 2] = [250.0, 1_000.0];
/// From one segment to the next, a steady tone changes by less, in dB.
const MAX_STEP_DB: f64 = 0.3;
/// Largest spread of a tone that a level is taken from, in dB.
const MAX_SPREAD_DB: f64 = 0.2;
/// Two samples in a row at full scale of 16 bits are clipped.
const FULL_SCALE: f32 = 1.0 - 1.0 / 32_768.0;
/// Largest second and third harmonic together, re the tone: more is a tone that was cut off below full scale, in a microphone
/// or its amplifier, by half a decibel or more of its peak, and would read low.
///
/// # Source
/// IEC 60942:2017: total distortion and noise of a class 2 calibrator stay below 3 %.
const MAX_HARMONICS: f64 = 0.03;
/// A tone below this level, in dBFS, is no calibrator's.
const MIN_DBFS: f64 = -90.0;
/// Flat-top window.
///
/// # Source
/// G. Heinzel et al., Spectrum and spectral density estimation by the DFT (2002), window SFT5F of D.3.
const FLAT_TOP: [f64; 5] = [0.1881, -0.36923, 0.28702, -0.13077, 0.02488];

/// What a segment is taken for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The tone, and hardly anything else.
    Pure,
    /// The tone under other sound.
    Noisy,
    /// The tone of the other calibrator.
    Other,
    Quiet,
    Unknown,
}

/// What a segment came to.
#[derive(Clone, Copy)]
struct Segment {
    /// Mean square of the tone.
    power: f64,
    /// Of its second and third harmonic.
    harmonics: f64,
    kind: Kind,
    is_clipped: bool,
}

/// What a calibration found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibrated {
    /// Level of a mean square of 1 in dB re 20 µPa, on a grid of 0.1 dB.
    pub full_scale_db: f64,
    /// Highest less lowest level of the steady tone in dB, on a grid of 0.1 dB.
    pub spread_db: f64,
}

/// Measures a calibrator's tone.
///
/// # Guarantee
/// Samples are kept for a quarter of a second and overwritten. What comes out is two numbers of a steady pure tone, or a
/// reason; of any other sound it says that it is none.
///
/// # Source
/// IEC 60942:2017: nominal levels 94 and 114 dB, nominal frequencies 250 Hz and 1 kHz.
pub struct Calibrate {
    tone_hz: f64,
    tone_db: f64,
    sample_rate: u32,
    window_fn: Vec<f64>,
    samples: Zeroizing<Vec<f32>>,
    segments: Vec<Segment>,
}

impl Calibrate {
    /// For a calibrator of that frequency and level.
    ///
    /// # Errors
    /// A rate outside 8 000 to 192 000 Hz; a tone outside 200 to 2 000 Hz or 60 to 140 dB.
    pub fn new(sample_rate: u32, tone_hz: f64, tone_db: f64) -> Result<Self, ParameterError> {
        check_sample_rate(sample_rate)
            .map_err(|e| ParameterError::new("sample_rate", e.expected, e.actual))?;
        if !(200.0..=2_000.0).contains(&tone_hz) {
            return Err(ParameterError::new("tone_hz", "200 to 2000 Hz", tone_hz));
        }
        if !(60.0..=140.0).contains(&tone_db) {
            return Err(ParameterError::new("tone_db", "60 to 140 dB", tone_db));
        }
        let n = (sample_rate / SEGMENTS_PER_S) as usize;
        let term = |k: usize, i: usize| 2.0 * PI * (k * i) as f64 / n as f64;
        let weight = |i: usize| -> f64 {
            let terms = FLAT_TOP.iter().enumerate();
            terms.map(|(k, a)| a * libm::cos(term(k, i))).sum()
        };
        Ok(Self {
            tone_hz,
            tone_db,
            sample_rate,
            window_fn: (0..n).map(weight).collect(),
            samples: Zeroizing::new(Vec::with_capacity(n)),
            segments: Vec::new(),
        })
    }

    /// Hears a block; in order, of one recording.
    ///
    /// # Errors
    /// `Mismatch` for a block of another rate.
    pub fn push(&mut self, block: &AudioBlock) -> Result<(), BlockError> {
        if block.sample_rate() != self.sample_rate {
            let [expected, actual] =
                [self.sample_rate, block.sample_rate()].map(|r| format!("{r} Hz"));
            return Err(BlockError::new(Reason::Mismatch, expected, actual));
        }
        let mut rest = block.samples();
        while !rest.is_empty() && self.segments.len() < MAX_SEGMENTS {
            let room = self.window_fn.len() - self.samples.len();
            let (piece, after) = rest.split_at(room.min(rest.len()));
            self.samples.extend_from_slice(piece);
            rest = after;
            if self.samples.len() == self.window_fn.len() {
                self.segments.push(self.measure());
                self.samples.zeroize();
            }
        }
        Ok(())
    }

    /// What full scale is.
    ///
    /// # Errors
    /// Without 5 s of a steady, pure tone of the frequency (6 s with its ends): `WrongFrequency`, `TooNoisy` or `TooQuiet` if most
    /// of the recording says so, else `NoTone`. `Clipped`, at full scale or below it; `Unstable` for a spread over 0.2 dB.
    pub fn finish(&mut self) -> Result<Calibrated, BlockError> {
        let run = self.longest_run();
        let steady = run.len().saturating_sub(2 * N_ENDS);
        if steady < MIN_SEGMENTS {
            return Err(self.without_tone(steady));
        }
        let middle = &run[N_ENDS..run.len() - N_ENDS];
        if middle.iter().any(|segment| segment.is_clipped) {
            let actual = "samples at full scale: lower the gain";
            return Err(BlockError::new(
                Reason::Clipped,
                "a tone below full scale",
                actual,
            ));
        }
        let sum = |part: fn(&Segment) -> f64| middle.iter().map(part).sum::<f64>();
        let harmonics = libm::sqrt(sum(|s| s.harmonics) / sum(|s| s.power));
        if harmonics > MAX_HARMONICS {
            let expected = format!("harmonics below {} %", 100.0 * MAX_HARMONICS);
            let actual = format!("{:.1} %: lower the gain", 100.0 * harmonics);
            return Err(BlockError::new(Reason::Clipped, expected, actual));
        }
        let levels = middle.iter().map(|segment| level(segment.power));
        let (low, high) = levels.fold((f64::MAX, f64::MIN), |(l, h), x| (l.min(x), h.max(x)));
        if high - low > MAX_SPREAD_DB {
            let expected = format!("a tone steady within {MAX_SPREAD_DB} dB");
            let actual = format!("{:.1} dB: is the calibrator tight?", high - low);
            return Err(BlockError::new(Reason::Unstable, expected, actual));
        }
        let power = sum(|s| s.power) / middle.len() as f64;
        Ok(Calibrated {
            full_scale_db: to_tenths(self.tone_db - level(power)),
            spread_db: to_tenths(high - low),
        })
    }

    /// Why there is no tone to measure: what most of the recording is.
    fn without_tone(&self, n_steady: usize) -> BlockError {
        let hz = self.tone_hz;
        let is_most = |kind: Kind| {
            let n = self.segments.iter().filter(|s| s.kind == kind).count();
            2 * n > self.segments.len()
        };
        let (reason, expected, actual) = if is_most(Kind::Other) {
            let actual = format!("one of {} Hz", other_calibrator(hz));
            let reason = Reason::WrongFrequency;
            (reason, format!("a tone of {hz} Hz"), actual)
        } else if is_most(Kind::Noisy) {
            let actual = "other sound over it: is the calibrator tight?".to_owned();
            let expected = format!("a tone of {hz} Hz 15 dB above all else");
            (Reason::TooNoisy, expected, actual)
        } else if is_most(Kind::Quiet) {
            let actual = "silence: is the calibrator on, and the gain up?".to_owned();
            let expected = format!("a tone above {MIN_DBFS} dBFS");
            (Reason::TooQuiet, expected, actual)
        } else {
            let expected = format!("5 s of a steady, pure tone of {hz} Hz");
            let actual = format!("{} s", n_steady / SEGMENTS_PER_S as usize);
            (Reason::NoTone, expected, actual)
        };
        BlockError::new(reason, expected, actual)
    }

    /// The longest run of pure segments that follow each other without a step.
    fn longest_run(&self) -> &[Segment] {
        let is_steady = |pair: &[Segment]| {
            let step = level(pair[1].power) - level(pair[0].power);
            step.abs() <= MAX_STEP_DB
        };
        let (mut best, mut start) = (0..0, 0);
        for (i, segment) in self.segments.iter().enumerate() {
            if segment.kind != Kind::Pure {
                start = i + 1;
                continue;
            }
            if i > start && !is_steady(&self.segments[i - 1..=i]) {
                start = i;
            }
            if i + 1 - start > best.len() {
                best = start..i + 1;
            }
        }
        &self.segments[best]
    }

    fn measure(&self) -> Segment {
        let power = self.power_near(self.tone_hz);
        let n = self.samples.len() as f64;
        let mean = self.samples.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
        let square = |&x: &f32| (f64::from(x) - mean) * (f64::from(x) - mean);
        let total = self.samples.iter().map(square).sum::<f64>() / n;
        let is_full = |x: &f32| x.abs() >= FULL_SCALE;
        let half = 0.49 * f64::from(self.sample_rate);
        let overtones = [2.0, 3.0].map(|k| k * self.tone_hz);
        let held = overtones.into_iter().filter(|hz| *hz < half);
        Segment {
            power,
            harmonics: held.map(|hz| self.power_near(hz)).sum(),
            kind: self.kind(power, total),
            is_clipped: self.samples.windows(2).any(|pair| pair.iter().all(is_full)),
        }
    }

    fn kind(&self, power: f64, total: f64) -> Kind {
        if level(total) <= MIN_DBFS {
            Kind::Quiet
        } else if power >= MIN_PURITY * total {
            Kind::Pure
        } else if power >= MIN_SHARE * total {
            Kind::Noisy
        } else if self.power_near(other_calibrator(self.tone_hz)) >= MIN_PURITY * total {
            Kind::Other
        } else {
            Kind::Unknown
        }
    }

    /// Mean square of a tone within ±3 % of `hz`.
    fn power_near(&self, hz: f64) -> f64 {
        let at = |k: i32| self.power_at(hz * (1.0 + OFFSET * f64::from(k)));
        (-N_OFFSETS..=N_OFFSETS).map(at).fold(0.0, f64::max)
    }

    /// Mean square of a tone at `hz`, by Goertzel's recursion on windowed samples.
    fn power_at(&self, hz: f64) -> f64 {
        let omega = 2.0 * PI * hz / f64::from(self.sample_rate);
        let factor = 2.0 * libm::cos(omega);
        let (mut s1, mut s2) = (0.0, 0.0);
        for (&x, &w) in self.samples.iter().zip(&self.window_fn) {
            let s = f64::from(x) * w + factor * s1 - s2;
            (s2, s1) = (s1, s);
        }
        let squared = s1 * s1 + s2 * s2 - factor * s1 * s2;
        let gain: f64 = self.window_fn.iter().sum();
        2.0 * squared / (gain * gain)
    }
}

impl Drop for Calibrate {
    fn drop(&mut self) {
        self.segments.clear();
    }
}

/// The frequency of common calibrators that is further from the stated one.
fn other_calibrator(tone_hz: f64) -> f64 {
    let [low, high] = CALIBRATORS_HZ;
    if tone_hz < 500.0 { high } else { low }
}

fn level(power: f64) -> f64 {
    10.0 * libm::log10(power.max(1e-30))
}

fn to_tenths(db: f64) -> f64 {
    libm::floor(db * 10.0 + 0.5) / 10.0
}

#[cfg(test)]
mod tests;
