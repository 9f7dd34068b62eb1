//! The peak of a signal between its samples: interpolated to four times its rate.
//!
//! Polyphase: a sinc under a Kaiser window, sixteen samples long, gives the values at one, two and three quarters of the way from
//! a sample to the next, within 0.03 dB up to 0.4 of the rate. The largest sample alone reads up to 2.0 dB low for a single cycle
//! at a quarter of the rate.

use std::f64::consts::PI;

use crate::sound::weighting::STEP;

/// Values for each sample.
const FACTOR: usize = 4;
/// Samples that a value between two is made of, half of them after it.
const TAPS: usize = 16;
/// Shape of the Kaiser window, β.
const BETA: f64 = 5.0;
/// No value between samples is more than this many times the largest of its samples: the sum of the taps' magnitudes is 2.1.
const MOST: f64 = 2.2;

/// Samples that the next values need again, and the largest square of each half of them, or more.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Past {
    samples: [f64; TAPS],
    largest: [f64; 2],
}

/// Finds peaks. Values between samples come eight samples late, when what follows them is known.
pub(crate) struct Peak {
    taps: [[f64; TAPS]; FACTOR - 1],
}

impl Peak {
    pub(crate) fn new() -> Self {
        let mut taps = [[0.0; TAPS]; FACTOR - 1];
        for (p, taps) in taps.iter_mut().enumerate() {
            let between = (p + 1) as f64 / FACTOR as f64;
            for (j, tap) in taps.iter_mut().enumerate() {
                let place = j as f64 + 1.0 - 0.5 * TAPS as f64 - between;
                *tap = sinc(place) * kaiser(place / (0.5 * TAPS as f64));
            }
            let sum: f64 = taps.iter().sum();
            taps.iter_mut().for_each(|tap| *tap /= sum);
        }
        Self { taps }
    }

    /// The largest square of the new samples, of the values that become known with them, and of `highest`.
    #[inline(always)]
    pub(crate) fn of_step(&self, past: &mut Past, new: &[f64; STEP], highest: f64) -> f64 {
        let [oldest, older] = past.largest;
        let newest = largest_of(new.map(|x| x * x));
        let largest = larger(larger(oldest, older), newest);
        let highest = if largest * (MOST * MOST) <= highest {
            highest // no value can be higher, and no sample
        } else {
            self.look(&past.samples, new, highest)
        };
        past.samples.copy_within(STEP.., 0);
        past.samples[STEP..].copy_from_slice(new);
        past.largest = [older, newest];
        highest
    }

    /// The same for one sample.
    #[inline(always)]
    pub(crate) fn of_sample(&self, past: &mut Past, new: f64, highest: f64) -> f64 {
        let before = past.samples;
        past.samples[..TAPS - 1].copy_from_slice(&before[1..]);
        past.samples[TAPS - 1] = new;
        let largest = before.iter().fold(new * new, |l, &x| larger(l, x * x));
        past.largest = [largest; 2];
        self.look(&before, &[new], highest)
    }

    #[inline(always)]
    fn look<const N: usize>(&self, past: &[f64; TAPS], new: &[f64; N], highest: f64) -> f64 {
        let mut window = [0.0; TAPS + STEP];
        window[..TAPS].copy_from_slice(past);
        window[TAPS..][..N].copy_from_slice(new);
        let mut highest = new.iter().fold(highest, |h, &x| larger(h, x * x));
        for taps in &self.taps {
            let mut values = [0.0; N];
            for (j, tap) in taps.iter().enumerate() {
                for (value, x) in values.iter_mut().zip(&window[j + 1..][..N]) {
                    *value += tap * x;
                }
            }
            highest = values.iter().fold(highest, |h, &x| larger(h, x * x));
        }
        highest
    }
}

/// In few steps that wait for each other.
#[inline(always)]
fn largest_of(mut lanes: [f64; STEP]) -> f64 {
    let mut n = STEP / 2;
    while n > 0 {
        for i in 0..n {
            lanes[i] = larger(lanes[i], lanes[i + n]);
        }
        n /= 2;
    }
    lanes[0]
}

fn sinc(x: f64) -> f64 {
    libm::sin(PI * x) / (PI * x)
}

/// Kaiser's window at −1 to 1, but for its scale.
fn kaiser(x: f64) -> f64 {
    bessel_i0(BETA * libm::sqrt((1.0 - x * x).max(0.0)))
}

/// Modified Bessel function of the first kind, by its series.
fn bessel_i0(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for k in 1..40 {
        let factor = x / (2.0 * f64::from(k));
        term *= factor * factor;
        sum += term;
    }
    sum
}

/// `f64::max` without its rule for NaN.
#[inline(always)]
pub(crate) fn larger(x: f64, y: f64) -> f64 {
    if y > x { y } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn highest(samples: &[f64]) -> f64 {
        let (peak, mut past) = (Peak::new(), Past::default());
        let one = |h: f64, &x: &f64| peak.of_sample(&mut past, x, h);
        libm::sqrt(samples.iter().fold(0.0, one))
    }

    #[test]
    fn a_sine_between_its_samples() {
        // A quarter of the rate, sampled at ±√½ alone; and just off it, so that every place comes.
        let tone = |share: f64, n: usize| {
            let angle = move |i: usize| 2.0 * PI * share * i as f64 + 0.25 * PI;
            (0..n).map(move |i| angle(i).sin()).collect::<Vec<_>>()
        };
        let steady = |share: f64| {
            let (rise, y) = (1_000, tone(share, 3_000));
            let gain = |i: usize| (i as f64 / rise as f64).min(1.0);
            y.iter()
                .enumerate()
                .map(|(i, y)| y * gain(i))
                .collect::<Vec<_>>()
        };
        assert!((highest(&steady(0.25)) - 1.0).abs() < 1e-3);
        for share in [0.01, 0.11, 0.2501, 0.33, 0.4] {
            // A maximum lies an eighth of a sample from the nearest value at most.
            let lowest = (PI * share / FACTOR as f64).cos() - 0.004;
            let found = highest(&steady(share));
            assert!(found > lowest && found < 1.004, "{share} {found}");
        }
    }

    #[test]
    fn no_value_is_passed_over() {
        let peak = Peak::new();
        let most = peak
            .taps
            .iter()
            .map(|taps| taps.iter().map(|t| t.abs()).sum::<f64>());
        assert!(most.fold(0.0, f64::max) < MOST);
        // Eight at a time or one by one, with or without a look at the bound.
        let samples: Vec<f64> = (0..8_000_u32)
            .map(|i| f64::from((i * i) % 1_009) / 504.5 - 1.0)
            .collect();
        let (mut past, mut by_steps) = (Past::default(), 0.0);
        for step in samples.as_chunks::<STEP>().0 {
            by_steps = peak.of_step(&mut past, step, by_steps);
        }
        let (mut past, mut all) = (Past::default(), 0.0_f64);
        for step in samples.as_chunks::<STEP>().0 {
            all = all.max(peak.of_step(&mut past, step, 0.0));
        }
        assert_eq!(libm::sqrt(by_steps), highest(&samples));
        assert_eq!(by_steps, all);
    }

    /// Found by a search: a loud step before two quiet ones, and a value among these above all that came before.
    #[test]
    fn what_came_two_steps_before_counts() {
        let samples = [
            [0.42, 0.8, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0],
            [-0.55, -0.55, 0.55, -0.46, 0.51, -0.52, 0.54, -0.5],
            [0.41, 0.09, -0.08, 0.15, 0.3, -0.44, -0.37, 0.4],
        ];
        let (peak, mut past) = (Peak::new(), Past::default());
        let by_steps = samples.map(|step| peak.of_step(&mut past, &step, 0.0));
        let (mut past, mut found) = (Past::default(), 0.0);
        for step in &samples {
            found = peak.of_step(&mut past, step, found);
        }
        assert!(by_steps[2] > by_steps[0].max(by_steps[1]));
        assert_eq!(found, by_steps[2]);
    }

    #[test]
    fn samples_and_steps_may_follow_each_other() {
        let samples: Vec<f64> = (0..1_000_u32)
            .map(|i| f64::from((i * i) % 97) / 48.5 - 1.0)
            .collect();
        let (peak, mut past) = (Peak::new(), Past::default());
        let (mut rest, mut found) = (&samples[..], 0.0);
        while let Some((step, after)) = rest.split_first_chunk::<STEP>() {
            found = peak.of_step(&mut past, step, found);
            let n = after.len().min(step[0].to_bits() as usize % 7);
            for &x in &after[..n] {
                found = peak.of_sample(&mut past, x, found);
            }
            rest = &after[n..];
        }
        let found = rest
            .iter()
            .fold(found, |h, &x| peak.of_sample(&mut past, x, h));
        assert_eq!(libm::sqrt(found), highest(&samples));
    }
}
