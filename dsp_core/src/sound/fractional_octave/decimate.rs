//! Half the rate: every second sample of a half-band filter, without delay.

use crate::simd::per_path;

/// Pairs of taps. The filter is as flat as it can be at both ends: 82 dB down from 0.4 of the incoming rate on, within 0.001 dB
/// up to 0.1 of it.
const PAIRS: usize = 7;
const TAPS: usize = 2 * PAIRS;

/// Samples that come in, evens and odds apart.
pub(super) struct Decimator {
    taps: [f64; TAPS],
    even: Vec<f64>,
    /// Begins `PAIRS` samples before `even`.
    odd: Vec<f64>,
    is_odd_next: bool,
}

impl Decimator {
    /// Before the first sample there was silence.
    pub(super) fn new() -> Self {
        Self {
            taps: taps(),
            even: Vec::new(),
            odd: vec![0.0; PAIRS],
            is_odd_next: false,
        }
    }

    /// Takes samples in, and puts in their place what is ready at half the rate. Output m stands where input 2 m stood.
    pub(super) fn halve(&mut self, samples: &mut Vec<f64>) {
        let (first, rest) = samples.split_at(usize::from(self.is_odd_next).min(samples.len()));
        self.odd.extend_from_slice(first);
        let (pairs, last) = rest.as_chunks::<2>();
        self.even.extend(pairs.iter().map(|pair| pair[0]));
        self.odd.extend(pairs.iter().map(|pair| pair[1]));
        self.even.extend_from_slice(last);
        self.is_odd_next ^= samples.len() % 2 == 1;
        let n_ready = self
            .even
            .len()
            .min((self.odd.len() + 1).saturating_sub(TAPS));
        samples.clear();
        samples.resize(n_ready, 0.0);
        convolve(&self.taps, &self.even, &self.odd, samples);
        self.even.drain(..n_ready);
        self.odd.drain(..n_ready);
    }
}

/// The taps at odd places of the maximally flat half-band filter, from −13 to 13: half the weights of Lagrange's interpolation
/// at 0 from these places.
fn taps() -> [f64; TAPS] {
    let place = |i: usize| 2.0 * i as f64 + 1.0 - TAPS as f64;
    let mut taps = [0.5; TAPS];
    for (i, tap) in taps.iter_mut().enumerate() {
        for j in (0..TAPS).filter(|&j| j != i) {
            *tap *= place(j) / (place(j) - place(i));
        }
    }
    taps
}

per_path! {
    fn convolve(taps: &[f64; TAPS], even: &[f64], odd: &[f64], out: &mut [f64]) {
        for (m, (out, &centre)) in out.iter_mut().zip(even).enumerate() {
            let mut sum = 0.5 * centre;
            for (tap, x) in taps.iter().zip(&odd[m..m + TAPS]) {
                sum += tap * x;
            }
            *out = sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gain(share: f64) -> f64 {
        let taps = taps();
        let angle =
            |i: usize| 2.0 * std::f64::consts::PI * share * (2.0 * i as f64 + 1.0 - TAPS as f64);
        0.5 + (0..TAPS).map(|i| taps[i] * angle(i).cos()).sum::<f64>()
    }

    #[test]
    fn what_folds_back_is_82_db_down_and_what_stays_is_kept() {
        for i in 0..=100 {
            let share = 0.1 * f64::from(i) / 100.0;
            assert!(20.0 * gain(share).log10() > -0.001, "{share}");
            assert!(
                20.0 * gain(0.5 - share).abs().max(1e-12).log10() < -82.0,
                "{share}"
            );
        }
    }

    #[test]
    fn any_split_gives_the_same_samples_where_they_stood() {
        let x: Vec<f64> = (0..400).map(|i| (0.3 * f64::from(i)).sin()).collect();
        let mut whole = x.clone();
        Decimator::new().halve(&mut whole);
        assert_eq!(whole.len(), (400 - 13) / 2 + 1);
        for (m, y) in whole.iter().enumerate().skip(8) {
            assert!((y - x[2 * m]).abs() < 1e-4, "{m}");
        }
        for n in [1, 2, 13, 127] {
            let mut decimator = Decimator::new();
            let mut out = Vec::new();
            for block in x.chunks(n) {
                let mut samples = block.to_vec();
                decimator.halve(&mut samples);
                out.extend(samples);
            }
            assert_eq!(out, whole, "{n}");
        }
    }
}
