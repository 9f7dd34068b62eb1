//! How the pooled bands of a street vary together: shrinkage Mahalanobis length of a deviation.

use super::anomaly::{bounded, load_count};
use crate::checkpoint::{Reader, Writer};
use crate::error::BlockError;
use crate::simd::per_path;

/// Pooled bands: means of 4 neighbours.
pub(crate) const N_POOLED: usize = 16;
/// Units between two refreshes of the whitening: a minute.
const REFRESH_UNITS: u64 = 300;
/// The prior counts as ten minutes, and nothing as more than an hour.
const PRIOR_UNITS: f32 = 3_000.0;
const MEMORY_UNITS: f32 = 18_000.0;
/// Part of the mean variance that is put on the diagonal, so that no direction is ever trusted to be still.
const SHRINKAGE: f32 = 0.3;
/// Deviations enter the covariance with at most this many scales: one bang must not teach a direction.
const CLIP: f32 = 3.0;
/// Prior covariance: variance of a pooled band in units of its scale, and the correlation of two of them.
const PRIOR_VARIANCE: f32 = 1.0;
const PRIOR_CORRELATION: f32 = 0.4;
const MIN_VARIANCE: f32 = 0.05;

type Matrix = [[f32; N_POOLED]; N_POOLED];

/// Second moments of the pooled deviations, and their whitening as of the last full minute.
#[derive(Clone)]
pub(crate) struct Pooled {
    n_units: u64,
    moments: Matrix,
    /// Column j: what component j adds to the whitened vector (inverse of the Cholesky factor).
    whitening: Matrix,
}

impl Pooled {
    pub(crate) fn prior() -> Self {
        let mut moments = [[PRIOR_VARIANCE * PRIOR_CORRELATION; N_POOLED]; N_POOLED];
        for (i, row) in moments.iter_mut().enumerate() {
            row[i] = PRIOR_VARIANCE;
        }
        Self {
            n_units: 0,
            whitening: whiten(&moments),
            moments,
        }
    }

    /// Root mean square of the whitened deviation; `deviation` holds positive parts only.
    pub(crate) fn length(&self, deviation: &[f32; N_POOLED]) -> f32 {
        whitened_length(&self.whitening, deviation)
    }

    /// Takes one unit's signed deviations in.
    pub(crate) fn learn(&mut self, deviation: &[f32; N_POOLED]) {
        let rate = 1.0 / (self.n_units as f32 + PRIOR_UNITS).min(MEMORY_UNITS);
        learn_moments(&mut self.moments, deviation, rate);
        self.n_units += 1;
        if self.n_units.is_multiple_of(REFRESH_UNITS) {
            self.whitening = whiten(&self.moments);
        }
    }

    pub(crate) fn save(&self, out: &mut Writer) {
        out.u64(self.n_units);
        self.moments.iter().for_each(|row| out.f32s(row));
        self.whitening.iter().for_each(|row| out.f32s(row));
    }

    pub(crate) fn load(from: &mut Reader) -> Result<Self, BlockError> {
        let mut pooled = Self::prior();
        pooled.n_units = load_count(from)?;
        for row in pooled.moments.iter_mut().chain(&mut pooled.whitening) {
            from.f32s(row)?;
        }
        Ok(pooled)
    }
}

per_path! {
    fn whitened_length(whitening: &Matrix, deviation: &[f32; N_POOLED]) -> f32 {
        let mut whitened = [0.0_f32; N_POOLED];
        for (column, &d) in whitening.iter().zip(deviation) {
            for (w, &c) in whitened.iter_mut().zip(column) {
                *w += c * d;
            }
        }
        let mut sum = 0.0;
        for w in whitened {
            sum += w * w;
        }
        (sum / N_POOLED as f32).sqrt()
    }
}

per_path! {
    fn learn_moments(moments: &mut Matrix, deviation: &[f32; N_POOLED], rate: f32) {
        let mut clipped = *deviation;
        for d in &mut clipped {
            *d = bounded(*d, -CLIP, CLIP);
        }
        for (row, &d) in moments.iter_mut().zip(&clipped) {
            for (m, &e) in row.iter_mut().zip(&clipped) {
                *m += rate * (d * e - *m);
            }
        }
    }
}

/// Inverse of the Cholesky factor of the shrunk moments, by columns. Diagonal loading keeps every pivot positive.
#[allow(clippy::needless_range_loop)] // the indices of the textbook
fn whiten(moments: &Matrix) -> Matrix {
    let mut trace = 0.0;
    for (i, row) in moments.iter().enumerate() {
        trace += row[i];
    }
    let mean = (trace / N_POOLED as f32).max(MIN_VARIANCE);
    let mut factor = [[0.0_f32; N_POOLED]; N_POOLED];
    for i in 0..N_POOLED {
        for j in 0..=i {
            let mut value = (1.0 - SHRINKAGE) * moments[i][j];
            if i == j {
                value += SHRINKAGE * mean;
            }
            for k in 0..j {
                value -= factor[i][k] * factor[j][k];
            }
            factor[i][j] = if i == j {
                value.max(0.1 * SHRINKAGE * mean).sqrt()
            } else {
                value / factor[j][j]
            };
        }
    }
    invert_lower(&factor)
}

#[allow(clippy::needless_range_loop)]
fn invert_lower(factor: &Matrix) -> Matrix {
    let mut columns = [[0.0_f32; N_POOLED]; N_POOLED];
    for (j, column) in columns.iter_mut().enumerate() {
        column[j] = 1.0 / factor[j][j];
        for i in j + 1..N_POOLED {
            let mut sum = 0.0;
            for k in j..i {
                sum += factor[i][k] * column[k];
            }
            column[i] = -sum / factor[i][i];
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prior_whitens_its_own_covariance() {
        let columns = whiten(&Pooled::prior().moments);
        let mut shrunk = Pooled::prior().moments;
        for (i, row) in shrunk.iter_mut().enumerate() {
            for (j, m) in row.iter_mut().enumerate() {
                *m = (1.0 - SHRINKAGE) * *m + if i == j { SHRINKAGE } else { 0.0 };
            }
        }
        for a in 0..N_POOLED {
            for b in 0..N_POOLED {
                let mut sum = 0.0;
                for i in 0..N_POOLED {
                    for j in 0..N_POOLED {
                        sum += columns[i][a] * shrunk[i][j] * columns[j][b];
                    }
                }
                let expected = if a == b { 1.0 } else { 0.0 };
                assert!((sum - expected).abs() < 1e-4, "{a} {b}: {sum}");
            }
        }
    }

    #[test]
    fn what_always_moves_together_counts_less_than_one_band_alone() {
        let mut pooled = Pooled::prior();
        for i in 0..18_000_u32 {
            let common = if i % 2 == 0 { 1.5 } else { -1.5 };
            pooled.learn(&[common; N_POOLED]);
        }
        let mut alone = [0.0; N_POOLED];
        alone[5] = 4.0;
        assert!(pooled.length(&alone) > 2.0 * pooled.length(&[1.0; N_POOLED]));
    }

    #[test]
    fn extreme_deviations_leave_it_finite() {
        let mut pooled = Pooled::prior();
        for _ in 0..1_000 {
            pooled.learn(&[f32::MAX; N_POOLED]);
            pooled.learn(&[0.0; N_POOLED]);
        }
        assert!(pooled.length(&[20.0; N_POOLED]).is_finite());
    }
}
