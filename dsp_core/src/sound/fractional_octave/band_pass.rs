//! Eight Butterworth band-passes side by side.

use std::f64::consts::PI;

use crate::simd::per_path;

/// Bands of a bank. Edges from 0.1 to 0.47 of the rate leave room for seven.
pub(super) const LANES: usize = 8;
/// Sections of a band, of second order each.
///
/// The bilinear transform squeezes the lower skirt of a band near the top: at 0.47 of the rate sixth order misses class 1 by
/// 10 dB, eighth order meets it everywhere.
const SECTIONS: usize = 4;
/// Qualities of the pole pairs of a Butterworth low-pass of fourth order, 1 / (2 sin((2 k + 1) π / 8)).
const QUALITIES: [f64; 2] = [1.306_562_964_876_376_5, 0.541_196_100_146_197];
/// A state that decays in silence stops at −600 dB instead of turning subnormal.
const LEAST_STATE: f64 = 1e-30;

type Lanes = [f64; LANES];

/// Coefficients of section (1 - z⁻²) / (1 + a1 z⁻¹ + a2 z⁻²) of each band.
#[derive(Clone, Copy)]
struct Section {
    a1: Lanes,
    a2: Lanes,
}

/// The bank, its state and the sums of its squares.
pub(super) struct BandPass {
    n_bands: usize,
    /// Of all sections together.
    gains: Lanes,
    sections: [Section; SECTIONS],
    states: [[Lanes; 2]; SECTIONS],
    sums: Lanes,
}

impl BandPass {
    /// `edges`: lower and upper edge of up to eight bands in Hz, below half the rate.
    pub(super) fn new(edges: &[(f64, f64)], rate: f64) -> Self {
        let mut bank = Self {
            n_bands: edges.len().min(LANES),
            gains: [0.0; LANES],
            sections: [Section {
                a1: [0.0; LANES],
                a2: [0.0; LANES],
            }; SECTIONS],
            states: [[[0.0; LANES]; 2]; SECTIONS],
            sums: [0.0; LANES],
        };
        for (lane, &edges) in edges.iter().take(LANES).enumerate() {
            let (lower, upper) = corners(edges, rate);
            bank.gains[lane] = 1.0;
            for (section, [b, a1, a2]) in bank.sections.iter_mut().zip(design(lower, upper, rate)) {
                bank.gains[lane] *= b;
                (section.a1[lane], section.a2[lane]) = (a1, a2);
            }
        }
        bank
    }

    /// Number of bands.
    pub(super) fn n_bands(&self) -> usize {
        self.n_bands
    }

    /// Filters samples and adds up their squares.
    pub(super) fn hear(&mut self, samples: &[f64]) {
        if self.n_bands > 0 {
            run(self, samples);
        }
        for state in self.states.as_flattened_mut().as_flattened_mut() {
            *state = if state.abs() < LEAST_STATE {
                0.0
            } else {
                *state
            };
        }
    }

    /// The sums since the last call, a band each.
    pub(super) fn take_sums(&mut self) -> impl Iterator<Item = f64> {
        let sums = std::mem::replace(&mut self.sums, [0.0; LANES]);
        sums.into_iter().take(self.n_bands)
    }
}

/// Points of the mean over power in `bandwidth`.
const POINTS: u32 = 8;

/// Where the band is 3.01 dB down: a little inside its edges, so that it passes as much noise as an ideal one (IEC 61260-1:2014,
/// 5.12: effective bandwidth, within 0.002 dB). With corners at the edges it would pass 0.11 dB more, and neighbouring
/// bands near the top of the rate, which the bilinear transform squeezes, would sum up to 0.80 dB (5.16).
fn corners((lower, upper): (f64, f64), rate: f64) -> (f64, f64) {
    // Both bandwidths grow with the share all but in proportion: one step from near the answer is enough.
    const NEAR: f64 = 0.9745;
    let (midband, half) = (libm::sqrt(lower * upper), libm::sqrt(upper / lower));
    let at = |share: f64| {
        let half = libm::pow(half, share);
        (midband / half, midband * half)
    };
    let (l, u) = at(NEAR);
    at(NEAR * libm::log(upper / lower) / bandwidth(l, u, rate))
}

/// Effective bandwidth, ∫ |H|² d ln f, of a band that is designed below.
///
/// |H|² = 1 / (1 + Ω⁸), where Ω = (w - w1 w2 / w) / (w2 - w1): the integral over frequency is that of the width at a power over all
/// powers, which are cos² θ for Ω⁴ = tan θ. With θ = π/2 s² (3 - 2 s) what is summed ends smoothly on either side.
fn bandwidth(lower: f64, upper: f64, rate: f64) -> f64 {
    let (w1, w2) = (libm::tan(PI * lower / rate), libm::tan(PI * upper / rate));
    let slice = |i: u32| {
        let s = (f64::from(i) + 0.5) / f64::from(POINTS);
        let theta = 0.5 * PI * s * s * (3.0 - 2.0 * s);
        let half = 0.5 * (w2 - w1) * libm::pow(libm::tan(theta), 0.25);
        let root = libm::sqrt(half * half + w1 * w2);
        let width = libm::log(libm::atan(root + half) / libm::atan(root - half));
        width * libm::sin(2.0 * theta) * 6.0 * s * (1.0 - s)
    };
    0.5 * PI / f64::from(POINTS) * (0..POINTS).map(slice).sum::<f64>()
}

/// The sections of one band: Butterworth low-pass of fourth order to band-pass, then the bilinear transform, s = (1 - z⁻¹) /
/// (1 + z⁻¹), with both corners where they shall be.
///
/// With w = √(w1 w2) and β = (w2 - w1) / w, a pole pair s² + s / Q + 1 of the low-pass becomes the pairs s² + d w k s + (w k)²
/// and s² + d w / k s + (w / k)², where m = k + 1/k solves m⁴ - (4 + β²) m² + (β / Q)² = 0 and d = β / (Q m).
fn design(lower: f64, upper: f64, rate: f64) -> [[f64; 3]; SECTIONS] {
    let (w1, w2) = (libm::tan(PI * lower / rate), libm::tan(PI * upper / rate));
    let w = libm::sqrt(w1 * w2);
    let beta = (w2 - w1) / w;
    let [first, second] = QUALITIES.map(|quality| {
        let sum = 4.0 + beta * beta;
        let product = beta / quality;
        let m_square = 0.5 * (sum + libm::sqrt(sum * sum - 4.0 * product * product));
        let m = libm::sqrt(m_square);
        let k = 0.5 * (m + libm::sqrt((m_square - 4.0).max(0.0)));
        let damping = product / m;
        [section(w, w * k, damping), section(w, w / k, damping)]
    });
    [first[0], first[1], second[0], second[1]]
}

/// The pole pair s² + d p s + p², with zeros at 0 and at half the rate, and gain 1 at `w`.
fn section(w: f64, p: f64, d: f64) -> [f64; 3] {
    let a0 = 1.0 + d * p + p * p;
    let gain = libm::hypot(p * p - w * w, d * p * w) / w;
    [
        gain / a0,
        2.0 * (p * p - 1.0) / a0,
        (1.0 - d * p + p * p) / a0,
    ]
}

/// The first lanes.
#[inline(always)]
fn first<const L: usize>(lanes: &Lanes) -> [f64; L] {
    let mut out = [0.0; L];
    out.copy_from_slice(&lanes[..L]);
    out
}

/// One sample through one section of each band. By value, so that states stay in registers.
///
/// Transposed direct form II with the first state's sign turned: y = x - g, g' = t + a1 y, t' = x + a2 y.
#[inline(always)]
fn step<const L: usize>(
    [a1, a2]: &[[f64; L]; 2],
    [g, t]: [[f64; L]; 2],
    x: [f64; L],
) -> ([[f64; L]; 2], [f64; L]) {
    let (mut next_g, mut next_t, mut y) = (g, t, x);
    for l in 0..L {
        y[l] = x[l] - g[l];
        next_g[l] = t[l] + a1[l] * y[l];
        next_t[l] = x[l] + a2[l] * y[l];
    }
    ([next_g, next_t], y)
}

/// The first bands of a bank; a lane's bytes do not depend on their number.
#[inline(always)]
fn through<const L: usize>(bank: &mut BandPass, samples: &[f64]) {
    let gains = first::<L>(&bank.gains);
    let sections = bank
        .sections
        .map(|s| [first::<L>(&s.a1), first::<L>(&s.a2)]);
    let [mut s0, mut s1, mut s2, mut s3] =
        bank.states.map(|s| [first::<L>(&s[0]), first::<L>(&s[1])]);
    let mut squares = first::<L>(&bank.sums);
    for &sample in samples {
        let mut y = gains.map(|gain| gain * sample);
        (s0, y) = step(&sections[0], s0, y);
        (s1, y) = step(&sections[1], s1, y);
        (s2, y) = step(&sections[2], s2, y);
        (s3, y) = step(&sections[3], s3, y);
        for l in 0..L {
            squares[l] += y[l] * y[l];
        }
    }
    for (to, from) in bank.states.iter_mut().zip([s0, s1, s2, s3]) {
        to[0][..L].copy_from_slice(&from[0]);
        to[1][..L].copy_from_slice(&from[1]);
    }
    bank.sums[..L].copy_from_slice(&squares);
}

per_path! {
    fn run(bank: &mut BandPass, samples: &[f64]) {
        if bank.n_bands <= LANES / 2 {
            through::<{ LANES / 2 }>(bank, samples);
        } else {
            through::<LANES>(bank, samples);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ∫ |H|² d ln f of the designed sections by small steps of frequency.
    fn passed(lower: f64, upper: f64, rate: f64) -> f64 {
        let sections = design(lower, upper, rate);
        let gain: f64 = sections.iter().map(|s| s[0]).product();
        let step = 1e-4;
        let mut hz = lower / 8.0;
        let mut sum = 0.0;
        while hz < 0.5 * rate {
            let (sin, cos) = (2.0 * PI * hz / rate).sin_cos();
            let (sin2, cos2) = (4.0 * PI * hz / rate).sin_cos();
            let power: f64 = sections
                .iter()
                .map(|[_, a1, a2]| {
                    let above = (1.0 - cos2).powi(2) + sin2 * sin2;
                    let real = 1.0 + a1 * cos + a2 * cos2;
                    above / (real * real + (a1 * sin + a2 * sin2).powi(2))
                })
                .product();
            sum += gain * gain * power * step;
            hz *= 1.0 + step;
        }
        sum
    }

    #[test]
    fn a_band_passes_as_much_noise_as_an_ideal_one() {
        for (midband, tenths, rate) in [
            (1_000.0, 0.05, 16_000.0),
            (19_952.6, 0.05, 48_000.0),
            (1_000.0, 0.15, 24_000.0),
            (15_848.9, 0.15, 48_000.0),
        ] {
            let half = libm::pow(10.0, tenths);
            let edges = (midband / half, midband * half);
            let (lower, upper) = corners(edges, rate);
            assert!(lower > edges.0 && upper < edges.1);
            let ideal = 2.0 * libm::log(half);
            let off = 10.0 * libm::log10(passed(lower, upper, rate) / ideal);
            assert!(off.abs() < 0.005, "{midband} {off}");
            let wider = 10.0 * libm::log10(passed(edges.0, edges.1, rate) / ideal);
            assert!(wider > 0.06, "{midband} {wider}");
        }
    }
}
