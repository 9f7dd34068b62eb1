//! Equivalent levels: mean squares of a signal, whole or period by period, summed in 64 bits.

use crate::error::ParameterError;
use crate::simd::per_path;

/// The least mean square that a level is made of: digital silence is −300 dB re 1, not minus infinity, so that levels can be
/// averaged and drawn. The quietest 32-bit recording of a real microphone lies above −150 dB.
pub const LEAST_MEAN_SQUARE: f64 = 1e-30;
/// Partial sums.
const LANES: usize = 16;

/// Level of a mean square in dB; `reference`: rms value of 0 dB, over 0.
pub fn level_db(mean_square: f64, reference: f64) -> f64 {
    let held = if mean_square > LEAST_MEAN_SQUARE {
        mean_square
    } else {
        LEAST_MEAN_SQUARE
    };
    10.0 * libm::log10(held) - 20.0 * libm::log10(reference)
}

/// Largest magnitude of an array's samples: the power spectrum of 16 384 such samples still fits 32 bits.
pub const MAX_MAGNITUDE: f32 = 1e12;

/// How the values of an array are called where one is refused.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// Name of the parameter.
    pub name: &'static str,
    /// One value.
    pub value: &'static str,
    /// The place of a value in its row.
    pub column: &'static str,
    /// A row.
    pub row: &'static str,
}

/// A signal: rows of samples.
pub const SIGNAL: Words = Words {
    name: "y",
    value: "sample",
    column: "sample",
    row: "row",
};

/// Frames of bands.
pub const FRAMES: Words = Words {
    name: "frames",
    value: "value",
    column: "band",
    row: "frame",
};

/// Names the first sample that is NaN, infinite or beyond ±[`MAX_MAGNITUDE`].
///
/// # Shape
/// `samples`: (m, n), `n` samples a row.
///
/// # Errors
/// There is one.
pub fn check_samples(words: Words, samples: &[f32], n: usize) -> Result<(), ParameterError> {
    // False for NaN too. Without an early exit the check runs over many samples at once.
    let is_good = |x: &f32| x.abs() <= MAX_MAGNITUDE;
    if samples.iter().fold(true, |ok, x| ok & is_good(x)) {
        return Ok(());
    }
    let at = samples.iter().position(|x| !is_good(x)).unwrap_or(0);
    let (expected, what) = match samples[at] {
        x if x.is_nan() => (format!("finite {}s", words.value), "NaN"),
        x if x.is_infinite() => (format!("finite {}s", words.value), "infinity"),
        _ => (format!("{}s within ±1e12", words.value), "more"),
    };
    let (row, column) = (at / n.max(1), at % n.max(1));
    let mut place = format!("{what} at {} {column}", words.column);
    if samples.len() / n.max(1) > 1 {
        place += &format!(" of {} {row}", words.row);
    }
    Err(ParameterError::new(words.name, expected, place))
}

/// Where periods of equal length begin: period k holds the samples from ceil(k × length) on.
#[derive(Debug, Clone, Copy)]
pub struct Periods {
    length: f64,
    count: usize,
}

impl Periods {
    /// The complete periods of `period_s` among `n` samples; without a length, all samples are one period.
    ///
    /// # Errors
    /// A period of less than a sample, or of more than there are.
    pub fn new(n: usize, sample_rate: u32, period_s: Option<f64>) -> Result<Self, ParameterError> {
        let rate = f64::from(sample_rate);
        let Some(period_s) = period_s else {
            return Ok(Self {
                length: n as f64,
                count: 1,
            });
        };
        let length = period_s * rate;
        if !(length >= 1.0 && length <= n as f64 + SLACK) {
            let expected = format!(
                "at least 1 sample and at most the {} s of y",
                n as f64 / rate
            );
            let actual = format!("{period_s} s");
            return Err(ParameterError::new("period_s", expected, actual));
        }
        let mut periods = Self { length, count: 0 };
        periods.count = (n as f64 / length) as usize + 1;
        while periods.start(periods.count) > n {
            periods.count -= 1;
        }
        Ok(periods)
    }

    /// Number of complete periods, at least 1.
    pub fn count(&self) -> usize {
        self.count
    }

    /// First sample of period `k`.
    pub fn start(&self, k: usize) -> usize {
        libm::ceil(k as f64 * self.length - SLACK).max(0.0) as usize
    }
}

/// Parts of a sample: 0.3 s of 44 100 Hz are 13 230 samples, whatever the binary value of 0.3.
const SLACK: f64 = 1e-6;

/// Equivalent level of each period in dB.
///
/// # Shape
/// `samples`: (n,), `out`: (n_periods,).
pub fn leq_into(samples: &[f32], periods: &Periods, reference: f64, out: &mut [f64]) {
    for (k, out) in out.iter_mut().enumerate().take(periods.count) {
        let end = periods.start(k + 1).min(samples.len());
        let period = &samples[periods.start(k).min(end)..end];
        *out = level_db(sum_of_squares(period) / period.len() as f64, reference);
    }
}

per_path! {
    /// In a fixed order: sixteen partial sums, then those from first to last.
    fn sum_of_squares(samples: &[f32]) -> f64 {
        let mut sums = [0.0; LANES];
        let (groups, rest) = samples.as_chunks::<LANES>();
        for group in groups {
            for l in 0..LANES {
                let x = f64::from(group[l]);
                sums[l] += x * x;
            }
        }
        for (sum, &x) in sums.iter_mut().zip(rest) {
            *sum += f64::from(x) * f64::from(x);
        }
        sums.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_of_known_signals() {
        let all = Periods::new(4_800, 48_000, None).unwrap();
        let mut out = [0.0];
        leq_into(&[0.5; 4_800], &all, 1.0, &mut out);
        assert!((out[0] - 20.0 * 0.5_f64.log10()).abs() < 1e-12);
        leq_into(&[0.0; 4_800], &all, 1.0, &mut out);
        assert_eq!(out[0], -300.0);
    }

    #[test]
    fn periods_are_complete_and_begin_where_eighths_of_a_second_do() {
        let periods = Periods::new(44_100, 44_100, Some(0.125)).unwrap();
        assert_eq!(periods.count(), 8);
        for j in 0..9 {
            assert_eq!(periods.start(j), (j * 44_100).div_ceil(8));
        }
        for (period_s, count) in [(0.3, 3), (0.1, 10), (0.7, 1), (1.0, 1)] {
            let periods = Periods::new(44_100, 44_100, Some(period_s)).unwrap();
            assert_eq!(periods.count(), count, "{period_s}");
            assert_eq!(periods.start(1), (period_s * 44_100.0).round() as usize);
        }
    }

    #[test]
    fn impossible_periods_are_refused() {
        for period_s in [0.0, -1.0, f64::NAN, f64::INFINITY, 2.1, 1e-5] {
            let refused = Periods::new(96_000, 48_000, Some(period_s));
            assert!(refused.is_err_and(|e| e.name == "period_s"), "{period_s}");
        }
    }

    #[test]
    fn a_fault_is_named_by_row_and_sample() {
        let mut samples = [0.0; 12];
        assert_eq!(check_samples(SIGNAL, &samples, 4), Ok(()));
        samples[6] = f32::INFINITY;
        let words = check_samples(SIGNAL, &samples, 4).unwrap_err().to_string();
        assert_eq!(
            words,
            "y: expected finite samples, got infinity at sample 2 of row 1"
        );
        samples[6] = f32::NAN;
        let words = check_samples(SIGNAL, &samples, 12).unwrap_err().to_string();
        assert_eq!(words, "y: expected finite samples, got NaN at sample 6");
        samples[6] = -2e12;
        let words = check_samples(SIGNAL, &samples, 6).unwrap_err().to_string();
        assert_eq!(
            words,
            "y: expected samples within ±1e12, got more at sample 0 of row 1"
        );
    }
}
