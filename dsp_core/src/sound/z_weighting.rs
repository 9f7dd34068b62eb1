//! Z: no weighting from 10 Hz to 20 kHz, and no constant.
//!
//! A zero at 0 Hz and a pole at 1 Hz. The standard leaves open what lies below 10 Hz; a converter's constant is no sound.

use std::f64::consts::PI;

/// Pole in Hz, ours: it takes 0.04 dB at 10 Hz.
const POLE_HZ: f64 = 1.0;
/// A value that decays in silence stops at −600 dB instead of turning subnormal, which some CPUs compute slowly. From there to
/// subnormal it would take 100 s, so that it is enough to look now and then.
const LEAST: f64 = 1e-30;
/// Samples from one look to the next.
const CHUNK: usize = 4_096;

/// The last sample, and what came of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Last {
    x: f64,
    y: f64,
}

impl Last {
    /// Ends what has all but died away: to be called every few seconds at least.
    pub(crate) fn settle(&mut self) {
        if self.y.abs() < LEAST {
            self.y = 0.0;
        }
    }
}

/// Z weighting at one rate.
///
/// # Source
/// IEC 61672-1:2013, 5.5 and Table 3: 0 dB.
#[derive(Debug, Clone, Copy)]
pub struct ZWeighting {
    /// Gain 1 at half the rate.
    gain: f64,
    pole: f64,
}

impl ZWeighting {
    /// For a rate of at least 8 000 Hz.
    pub fn new(sample_rate: u32) -> Self {
        let pole = libm::exp(-2.0 * PI * POLE_HZ / f64::from(sample_rate));
        Self {
            gain: 0.5 * (1.0 + pole),
            pole,
        }
    }

    /// One sample.
    #[inline(always)]
    pub(crate) fn next(&self, last: &mut Last, x: f64) -> f64 {
        let y = self.gain * (x - last.x) + self.pole * last.y;
        *last = Last { x, y };
        y
    }

    /// Weights a whole signal that starts from rest; allocates nothing.
    ///
    /// # Shape
    /// `samples`, `out`: (n,); where they differ, the shorter counts.
    pub fn weight_into(&self, samples: &[f32], out: &mut [f32]) {
        let mut last = Last::default();
        for (out, samples) in out.chunks_mut(CHUNK).zip(samples.chunks(CHUNK)) {
            for (out, &x) in out.iter_mut().zip(samples) {
                *out = self.next(&mut last, f64::from(x)) as f32;
            }
            last.settle();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_vanishes_and_silence_ends_in_zero() {
        let mut samples = vec![1.0; 480_000];
        samples.extend(vec![0.0; 960_000]);
        let mut weighted = vec![7.0; samples.len()];
        ZWeighting::new(48_000).weight_into(&samples, &mut weighted);
        assert!(weighted[0] > 0.999);
        assert!(weighted[400_000..480_000].iter().all(|y| y.abs() < 1e-9));
        assert_eq!(weighted[1_439_999], 0.0);
    }

    #[test]
    fn half_the_rate_stays() {
        let samples: Vec<f32> = (0..800).map(|i| 1.0 - 2.0 * (i % 2) as f32).collect();
        let mut weighted = vec![0.0; samples.len()];
        ZWeighting::new(8_000).weight_into(&samples, &mut weighted);
        assert!((weighted[798] - 1.0).abs() < 2e-3 && (weighted[799] + 1.0).abs() < 2e-3);
    }
}
