//! The part of `describe` that makes frames.

use std::sync::{Arc, OnceLock};

use crate::open::policy::SPEECH_BAND_HZ;
use crate::sound::framing::FrameTail;
use crate::sound::mel::{LogMel, LogMelSettings};
use crate::sound::resample::{Resampler, TARGET_RATE, n_resampled};
use crate::sound::weighting::WeightingKind;

use super::lanes::Lanes;
use super::many::Outs;

/// The part that makes frames.
pub(super) struct Events {
    pub(super) resampler: Resampler,
    pub(super) tail: FrameTail,
    tables: Arc<LogMel>,
}

/// Per bin of the transform: A weighting squared, outside the speech band, over what makes the sum a mean square. The guard
/// of the band, 80 Hz, is as wide as the main lobe of the Hann window is on one side: a tone at 300 Hz does not reach into
/// what is left.
fn masked_gains([low_hz, high_hz]: [f64; 2]) -> Vec<f32> {
    let LogMelSettings {
        sample_rate,
        n_fft,
        win_length,
        ..
    } = LogMelSettings::STREET;
    // Parseval over n_fft points, and the window's own power: 3/8 a sample.
    let scale = 1.0 / (n_fft as f64 * win_length as f64 * 0.375);
    (0..=n_fft / 2)
        .map(|k| {
            let hz = k as f64 * f64::from(sample_rate) / n_fft as f64;
            let is_speech = (low_hz..=high_hz).contains(&hz);
            let gain = if is_speech {
                0.0
            } else {
                WeightingKind::A.gain(hz)
            };
            let n_sides = if k == 0 || k == n_fft / 2 { 1.0 } else { 2.0 };
            (gain * gain * n_sides * scale) as f32
        })
        .collect()
}

/// The tables of a speech band; those of the narrowest one are made once.
fn tables(speech_band_hz: [f64; 2]) -> Option<Arc<LogMel>> {
    static NARROWEST: OnceLock<Option<Arc<LogMel>>> = OnceLock::new();
    let make = || LogMel::street(masked_gains(speech_band_hz)).map(Arc::new);
    if speech_band_hz == SPEECH_BAND_HZ {
        return NARROWEST.get_or_init(make).clone();
    }
    make()
}

impl Events {
    pub(super) fn new(sample_rate: u32) -> Option<Self> {
        if sample_rate < TARGET_RATE {
            return None;
        }
        Some(Self {
            resampler: Resampler::new(sample_rate),
            tail: FrameTail::new(0),
            tables: tables(SPEECH_BAND_HZ)?,
        })
    }

    /// Leaves another band out of the energy.
    pub(super) fn leave_out(&mut self, speech_band_hz: [f64; 2]) {
        if let Some(tables) = tables(speech_band_hz) {
            self.tables = tables;
        }
    }

    /// Hears samples and sends the frames that they complete to `owner`, but none from `end_frame` on.
    pub(super) fn hear(
        &mut self,
        samples: &[f32],
        end_frame: u64,
        owner: usize,
        lanes: &mut Lanes,
        outs: &mut Outs,
    ) {
        lanes.begin(&self.tables, &self.tail, outs);
        let mut rest = samples;
        let mut is_more = true;
        while is_more && self.tail.next_frame() < end_frame {
            is_more = lanes.take(&mut self.resampler, &mut rest);
            lanes.line_up(owner, &mut self.tail, end_frame, outs);
        }
        lanes.end(&mut self.tail);
    }

    /// Frames that come of so many samples, at most.
    pub(super) fn n_frames_of(&self, n_samples: usize, sample_rate: u32) -> usize {
        let LogMelSettings { hop, .. } = LogMelSettings::STREET;
        (self.tail.samples().len() + n_resampled(n_samples, sample_rate, TARGET_RATE)) / hop + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Describe, Description};
    use crate::sound::AudioBlock;

    #[test]
    fn a_wider_speech_band_leaves_more_out_and_no_other_is_taken() {
        let tone = |hz: f32| -> Vec<f32> {
            let step = 2.0 * std::f32::consts::PI * hz / 16_000.0;
            (0..16_000).map(|i| 0.1 * (step * i as f32).sin()).collect()
        };
        let energy = |band: Option<[f64; 2]>, hz| {
            let describe = Describe::new(1, 16_000, 0).unwrap();
            let mut describe = match band {
                Some(band) => describe.with_speech_band(band).unwrap(),
                None => describe,
            };
            let mut out = Description::default();
            let block = AudioBlock::new(1, 16_000, 0, tone(hz)).unwrap();
            describe.push_into(&block, &mut out).unwrap();
            out.masked_energy[20]
        };
        assert!(energy(None, 5000.0) > 1e-3);
        assert!(energy(Some([100.0, 6000.0]), 5000.0) < 1e-6);
        assert_eq!(energy(Some(SPEECH_BAND_HZ), 5000.0), energy(None, 5000.0));
        for narrow in [
            [300.0, 4000.0],
            [100.0, 3400.0],
            [f64::NAN, 4000.0],
            [100.0, f64::INFINITY],
        ] {
            let describe = Describe::new(1, 16_000, 0).unwrap();
            assert!(describe.with_speech_band(narrow).is_err());
        }
    }
}
