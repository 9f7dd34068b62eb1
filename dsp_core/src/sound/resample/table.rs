//! Filter coefficients from one rate to another.

use std::sync::Arc;

use super::LANES;
use crate::sound::shared::Shared;

/// Stop-band attenuation that the Kaiser window is designed for, in dB.
const ATTENUATION_DB: f64 = 84.0;
/// From the pass band's edge to the stop band's, as a share of the lower rate: 7.5 to 8.5 kHz at 16 kHz.
const TRANSITION: f64 = 1.0 / 16.0;
/// Most coefficients of a table with every phase: enough for all usual rates.
const MAX_COEFFICIENTS: usize = 65_536;
/// Rows of a table for awkward rates: outputs between two rows are interpolated linearly, with an error below
/// (π / 2 / 256)² / 2, −94 dB, at the highest frequency.
pub(super) const N_STEPS: usize = 256;

/// Coefficients that meet one vector of samples; aligned, as loads across cache lines cost twice.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Taps(pub(super) [f32; LANES]);

/// Filter coefficients from one rate to another.
pub(super) struct Table {
    /// Output m stands at input sample m × `down` / `up`.
    pub(super) up: u64,
    pub(super) down: u64,
    /// `down` / `up` in whole samples and the rest.
    pub(super) step: (usize, u64),
    /// Taps on either side of the output's place.
    pub(super) half: usize,
    /// One row a phase, or `N_STEPS` + 1 rows.
    pub(super) coefficients: Vec<Taps>,
    pub(super) is_exact: bool,
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Modified Bessel function of order 0, by its series.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut term, mut sum, mut n) = (1.0, 1.0, 1.0);
    while term > sum * 1e-17 {
        term *= quarter / (n * n);
        sum += term;
        n += 1.0;
    }
    sum
}

impl Table {
    pub(super) fn new(sample_rate: u32, target_rate: u32) -> Self {
        let (rate, target) = (u64::from(sample_rate), u64::from(target_rate));
        let common = gcd(rate, target);
        let (up, down) = (target / common, rate / common);
        // Going up, the band's top is that of the input.
        let top = f64::from(sample_rate.max(target_rate));
        // Kaiser's length formula.
        let width = 2.0 * std::f64::consts::PI * (TRANSITION * f64::from(target_rate)) / top;
        let n_taps = ((ATTENUATION_DB - 7.95) / (2.285 * width)) as usize + 1;
        let n_taps = n_taps.next_multiple_of(LANES);
        let is_exact = up as usize * n_taps <= MAX_COEFFICIENTS;
        let n_rows = if is_exact { up as usize } else { N_STEPS + 1 };
        let divisor = if is_exact { up as usize } else { N_STEPS };
        let mut coefficients = Vec::with_capacity(n_rows * n_taps / LANES);
        for row in 0..n_rows {
            let fraction = row as f64 / divisor as f64;
            let row = phase(fraction, n_taps / 2, f64::from(target_rate) / top);
            coefficients.extend(row.as_chunks::<LANES>().0.iter().copied().map(Taps));
        }
        Self {
            up,
            down,
            step: ((down / up) as usize, down % up),
            half: n_taps / 2,
            coefficients,
            is_exact,
        }
    }

    /// The table of two rates, made once and shared while anyone uses it: a pure function of the rates.
    pub(super) fn shared(sample_rate: u32, target_rate: u32) -> Arc<Self> {
        static TABLES: Shared<[u32; 2], Table> = Shared::new();
        TABLES.get([sample_rate, target_rate], || {
            Self::new(sample_rate, target_rate)
        })
    }

    /// Input sample at or before output `m`, and the phase after it in 1 / `up`.
    pub(super) fn place(&self, m: u64) -> (u64, u64) {
        let at = u128::from(m) * u128::from(self.down);
        let up = u128::from(self.up);
        ((at / up) as u64, (at % up) as u64)
    }

    pub(super) fn n_taps(&self) -> usize {
        2 * self.half
    }

    #[inline(always)]
    pub(super) fn row(&self, i: usize) -> &[Taps] {
        let n = self.n_taps() / LANES;
        &self.coefficients[i * n..][..n]
    }
}

/// Coefficients for an output `fraction` of a sample after the input sample at tap `half` - 1; their sum is 1.
fn phase(fraction: f64, half: usize, cutoff: f64) -> Vec<f32> {
    let beta = 0.1102 * (ATTENUATION_DB - 8.7);
    let taps: Vec<f64> = (0..2 * half)
        .map(|i| {
            let t = i as f64 + 1.0 - half as f64 - fraction;
            let x = t / half as f64;
            let taper = bessel_i0(beta * libm::sqrt((1.0 - x * x).max(0.0)));
            let angle = std::f64::consts::PI * cutoff * t;
            let sinc = if t == 0.0 {
                1.0
            } else {
                libm::sin(angle) / angle
            };
            sinc * taper
        })
        .collect();
    let sum: f64 = taps.iter().sum();
    taps.iter().map(|tap| (tap / sum) as f32).collect()
}
