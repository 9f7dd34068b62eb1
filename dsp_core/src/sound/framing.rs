//! 16 kHz samples to overlapping frames: what is kept between two blocks because the next frames need it.

use zeroize::Zeroizing;

use crate::sound::mel::LogMelSettings;

const WIN_LENGTH: usize = LogMelSettings::STREET.win_length;

/// Values below −240 dB re full scale are zero: no subnormal arithmetic.
#[inline(always)]
pub(crate) fn tame(sample: f32) -> f32 {
    const LEAST: f32 = 1e-12;
    if sample.abs() < LEAST { 0.0 } else { sample }
}

/// The samples from the start of the next frame on: fewer than a frame has.
pub(crate) struct FrameTail {
    samples: Zeroizing<Vec<f32>>,
    n_samples: usize,
    next_frame: u64,
}

impl FrameTail {
    /// Empty; the next sample is the first of frame `next_frame`.
    pub(crate) fn new(next_frame: u64) -> Self {
        Self {
            samples: Zeroizing::new(vec![0.0; WIN_LENGTH]),
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

    /// Number of the first frame that is not complete.
    pub(crate) fn next_frame(&self) -> u64 {
        self.next_frame
    }

    /// States that the next frame is complete.
    pub(crate) fn pass(&mut self) {
        self.next_frame += 1;
    }

    /// The samples.
    pub(crate) fn samples(&self) -> &[f32] {
        &self.samples[..self.n_samples]
    }

    /// Keeps these samples instead.
    pub(crate) fn keep(&mut self, samples: &[f32]) {
        let n_samples = samples.len().min(WIN_LENGTH);
        self.samples[..n_samples].copy_from_slice(&samples[..n_samples]);
        self.samples[n_samples..].fill(0.0);
        self.n_samples = n_samples;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_it_is_given_and_overwrites_the_rest() {
        let mut tail = FrameTail::new(3);
        tail.keep(&[1.0; 399]);
        tail.keep(&[2.0; 240]);
        assert_eq!(tail.samples(), [2.0; 240]);
        assert!(tail.samples[240..].iter().all(|&x| x == 0.0));
        tail.pass();
        assert_eq!(tail.next_frame(), 4);
        tail.restart(9);
        assert!(tail.samples().is_empty() && tail.samples.iter().all(|&x| x == 0.0));
    }

    #[test]
    fn what_is_almost_nothing_is_nothing() {
        assert_eq!(tame(1e-40), 0.0);
        assert_eq!(tame(-0.5), -0.5);
    }
}
