//! 16 kHz samples to overlapping frames: what is kept between two blocks because the next frames need it.

use zeroize::Zeroizing;

use crate::sound::mel::LogMelSettings;
use crate::sound::spectrum::LANES;

const WIN_LENGTH: usize = LogMelSettings::STREET.win_length;

/// Values below −240 dB re full scale are zero: no subnormal arithmetic.
#[inline(always)]
pub(crate) fn tame(sample: f32) -> f32 {
    const LEAST: f32 = 1e-12;
    if sample.abs() < LEAST { 0.0 } else { sample }
}

/// Where the frames of a group start that go side by side: rows of `n_samples` lie one behind the other, with `n_frames` (1 or more)
/// frames each.
pub(crate) fn starts(
    group: usize,
    [n_samples, n_frames]: [usize; 2],
    hop: usize,
) -> [usize; LANES] {
    std::array::from_fn(|lane| {
        let frame = group * LANES + lane;
        frame / n_frames * n_samples + frame % n_frames * hop
    })
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
    fn groups_go_over_the_ends_of_rows() {
        let first: Vec<usize> = (0..2)
            .flat_map(|group| starts(group, [1_000, 3], 160))
            .collect();
        assert_eq!(first[..7], [0, 160, 320, 1_000, 1_160, 1_320, 2_000]);
        assert_eq!(first[17], 5 * 1_000 + 2 * 160);
    }

    #[test]
    fn what_is_almost_nothing_is_nothing() {
        assert_eq!(tame(1e-40), 0.0);
        assert_eq!(tame(-0.5), -0.5);
    }
}
