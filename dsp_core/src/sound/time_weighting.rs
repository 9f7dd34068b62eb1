//! Time weighting: the running exponential mean of the square, in dB at each sample.

use crate::simd::per_path;
use crate::sound::leq::LEAST_MEAN_SQUARE;

/// Time constant of F in seconds.
///
/// # Source
/// IEC 61672-1:2013, 5.8.1.
pub const FAST_S: f64 = 0.125;
/// Time constant of S in seconds.
///
/// # Source
/// IEC 61672-1:2013, 5.8.1.
pub const SLOW_S: f64 = 1.0;
/// Time constants of I in seconds: of the mean, and of the decay of the peak detector behind it.
///
/// # Source
/// IEC 61672-1:2002, Annex C (the edition of 2013 has it no longer).
const IMPULSE_S: [f64; 2] = [0.035, 1.5];
/// Values whose logarithms are taken side by side.
const LANES: usize = 16;
/// A mean that decays in silence stops here instead of turning subnormal.
const LEAST_MEAN: f64 = 1e-60;

/// The detector of a sound level meter.
#[derive(Debug, Clone, Copy)]
pub struct TimeWeighting {
    decay: f64,
    /// Decay of the peak detector; 0: there is none.
    peak_decay: f64,
}

impl TimeWeighting {
    /// With one time constant in seconds, over 0.
    pub fn exponential(sample_rate: u32, time_constant_s: f64) -> Self {
        Self {
            decay: decay(sample_rate, time_constant_s),
            peak_decay: 0.0,
        }
    }

    /// Impulse: the mean rises with 35 ms, what is shown falls with 1.5 s.
    pub fn impulse(sample_rate: u32) -> Self {
        let [mean_s, peak_s] = IMPULSE_S;
        Self {
            decay: decay(sample_rate, mean_s),
            peak_decay: decay(sample_rate, peak_s),
        }
    }

    /// The mean after one more square.
    #[inline(always)]
    pub(crate) fn next(&self, mean: f64, square: f64) -> f64 {
        let mean = self.decay * mean + (1.0 - self.decay) * square;
        if mean < LEAST_MEAN { 0.0 } else { mean }
    }

    /// Levels in dB of a signal that starts from rest; `reference`: rms value of 0 dB, over 0. Silence is −300 dB re 1.
    ///
    /// # Shape
    /// `samples`, `out`: (n,); where they differ, the shorter counts.
    pub fn levels_into(&self, samples: &[f32], reference: f64, out: &mut [f32]) {
        let n = samples.len().min(out.len());
        run(
            self,
            20.0 * libm::log10(reference),
            &samples[..n],
            &mut out[..n],
        );
    }
}

/// Factor of the mean from one sample to the next.
fn decay(sample_rate: u32, time_constant_s: f64) -> f64 {
    libm::exp(-1.0 / (time_constant_s * f64::from(sample_rate)))
}

per_path! {
    fn run(weighting: &TimeWeighting, reference_db: f64, samples: &[f32], out: &mut [f32]) {
        let (mut mean, mut peak) = (0.0, 0.0);
        for (samples, out) in samples.chunks(LANES).zip(out.chunks_mut(LANES)) {
            let mut shown = [LEAST_MEAN_SQUARE; LANES];
            for (shown, &x) in shown.iter_mut().zip(samples) {
                let x = f64::from(x);
                mean = weighting.next(mean, x * x);
                let held = peak * weighting.peak_decay;
                peak = if mean > held { mean } else { held };
                *shown = if peak > *shown { peak } else { *shown };
            }
            for value in &mut shown {
                *value = decibels(*value) - reference_db;
            }
            for (out, &value) in out.iter_mut().zip(&shown) {
                *out = value as f32;
            }
        }
    }
}

/// Ten times the decimal logarithm of a normal positive number, in plain arithmetic that the compiler turns into vectors.
///
/// With v = 2^e m, m in [√½, √2), s = (m - 1) / (m + 1): ln v = e ln 2 + 2 artanh s, whose series after s¹¹ is below 1e-10 dB.
#[inline(always)]
fn decibels(v: f64) -> f64 {
    use std::f64::consts::{LN_2, LN_10};
    const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    const ONE: u64 = 0x3ff0_0000_0000_0000;
    const MANTISSA: u64 = 0x000f_ffff_ffff_ffff;
    // 2^52: whole numbers stand in its last bits, so that one becomes a float without a conversion.
    const WHOLE: u64 = 0x4330_0000_0000_0000;
    let shifted = v.to_bits().wrapping_add(ONE - SQRT_HALF);
    let exponent = f64::from_bits(WHOLE | (shifted >> 52)) - (4_503_599_627_370_496.0 + 1_023.0);
    let mantissa = f64::from_bits((shifted & MANTISSA).wrapping_add(SQRT_HALF));
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let z = s * s;
    let series = 1.0 / 3.0 + z * (1.0 / 5.0 + z * (1.0 / 7.0 + z * (1.0 / 9.0 + z * (1.0 / 11.0))));
    (10.0 / LN_10) * (exponent * LN_2 + 2.0 * (s + s * (z * series)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decibels_are_ten_times_the_logarithm() {
        for i in -3_000..3_000 {
            let v = libm::pow(10.0, f64::from(i) * 0.0237);
            let error = decibels(v) - 10.0 * libm::log10(v);
            assert!(error.abs() < 2e-10, "{v}: {error}");
        }
        assert_eq!(decibels(1.0), 0.0);
    }

    /// Levels of a burst of ones, then zeros.
    fn levels(weighting: TimeWeighting, n_ones: usize, n_zeros: usize) -> Vec<f32> {
        let mut samples = vec![1.0; n_ones];
        samples.extend(vec![0.0; n_zeros]);
        let mut out = vec![0.0; samples.len()];
        weighting.levels_into(&samples, 1.0, &mut out);
        out
    }

    /// IEC 61672-1:2013, 5.8.2: F decays by at least 25 dB/s, S by 3.4 to 5.3 dB/s; IEC 61672-1:2002, C.3: I by 2.9 dB/s.
    #[test]
    fn decay_rates() {
        let rate = 48_000;
        for (weighting, expected) in [
            (TimeWeighting::exponential(rate, FAST_S), 34.74),
            (TimeWeighting::exponential(rate, SLOW_S), 4.343),
            (TimeWeighting::impulse(rate), 2.895),
        ] {
            let out = levels(weighting, 480_000, 96_000);
            let fall = out[480_000 + 24_000] - out[480_000 + 72_000];
            assert!((fall - expected).abs() < 0.01, "{fall} {expected}");
        }
    }

    #[test]
    fn silence_has_a_floor() {
        let out = levels(TimeWeighting::exponential(8_000, 0.01), 0, 100);
        assert!(out.iter().all(|&level| level == -300.0));
        let out = levels(TimeWeighting::exponential(8_000, 0.01), 10, 40_000);
        assert_eq!(out[40_009], -300.0);
    }
}
