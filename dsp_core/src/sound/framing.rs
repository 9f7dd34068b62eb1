//! 16 kHz samples to overlapping frames: keeps what the next frames still need, and overwrites the rest.

use zeroize::Zeroizing;

use crate::sound::mel::LogMelSettings;
use crate::sound::spectrum::LANES;

const WIN_LENGTH: usize = LogMelSettings::STREET.win_length;
const HOP: usize = LogMelSettings::STREET.hop;
/// Samples of one full group of frames.
const GROUP_SAMPLES: usize = (LANES - 1) * HOP + WIN_LENGTH;

/// Values below −240 dB re full scale are zero: no subnormal arithmetic.
#[inline(always)]
pub(crate) fn tame(sample: f32) -> f32 {
    const LEAST: f32 = 1e-12;
    if sample.abs() < LEAST { 0.0 } else { sample }
}

/// The samples that the next frames still need, at most one group's.
pub(crate) struct FrameBuffer {
    samples: Zeroizing<Vec<f32>>,
    n_samples: usize,
    next_frame: u64,
}

impl FrameBuffer {
    /// Empty; the next sample is the first of frame `next_frame`.
    pub(crate) fn new(next_frame: u64) -> Self {
        Self {
            samples: Zeroizing::new(vec![0.0; GROUP_SAMPLES]),
            n_samples: 0,
            next_frame,
        }
    }

    /// Empties it, for a stream that goes on at the first sample of frame `next_frame`.
    pub(crate) fn restart(&mut self, next_frame: u64) {
        self.samples.fill(0.0);
        self.n_samples = 0;
        self.next_frame = next_frame;
    }

    /// Number of the first frame that is not dropped yet.
    pub(crate) fn next_frame(&self) -> u64 {
        self.next_frame
    }

    /// Room for more samples.
    pub(crate) fn room(&mut self) -> &mut [f32] {
        &mut self.samples[self.n_samples..]
    }

    /// States that the first `n` samples of the room were written.
    pub(crate) fn advance(&mut self, n: usize) {
        self.n_samples = (self.n_samples + n).min(GROUP_SAMPLES);
    }

    /// Whether a whole group of frames is complete.
    pub(crate) fn is_full(&self) -> bool {
        self.n_samples == GROUP_SAMPLES
    }

    /// Number of complete frames, at most a group's.
    pub(crate) fn n_frames(&self) -> usize {
        match self.n_samples.checked_sub(WIN_LENGTH) {
            Some(rest) => rest / HOP + 1,
            None => 0,
        }
    }

    /// The samples, from the start of the next frame.
    pub(crate) fn samples(&self) -> &[f32] {
        &self.samples[..self.n_samples]
    }

    /// Drops the first `n` frames and overwrites what no later frame needs.
    pub(crate) fn drop_frames(&mut self, n: usize) {
        let start = n * HOP;
        let n_left = self.n_samples.saturating_sub(start);
        self.samples
            .copy_within(self.n_samples - n_left..self.n_samples, 0);
        self.samples[n_left..self.n_samples].fill(0.0);
        self.n_samples = n_left;
        self.next_frame += n as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_overlap_and_overwrites_the_rest() {
        let mut buffer = FrameBuffer::new(0);
        let n = buffer.room().len();
        for (i, x) in buffer.room().iter_mut().enumerate() {
            *x = 1.0 + i as f32;
        }
        buffer.advance(n);
        assert!(buffer.is_full());
        assert_eq!(buffer.n_frames(), LANES);
        buffer.drop_frames(LANES);
        assert_eq!(buffer.next_frame(), LANES as u64);
        assert!(!buffer.is_full());
        assert_eq!(buffer.samples().len(), WIN_LENGTH - HOP);
        assert_eq!(buffer.samples()[0], 1.0 + (LANES * HOP) as f32);
        assert!(buffer.room().iter().all(|&x| x == 0.0));
    }

    #[test]
    fn what_is_almost_nothing_is_nothing() {
        assert_eq!(tame(1e-40), 0.0);
        assert_eq!(tame(-0.5), -0.5);
    }
}
