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

/// Coefficients of section (b - b z⁻²) / (1 + a1 z⁻¹ + a2 z⁻²) of each band.
#[derive(Clone, Copy)]
struct Section {
    b: Lanes,
    a1: Lanes,
    a2: Lanes,
}

/// The bank, its state and the sums of its squares.
pub(super) struct BandPass {
    sections: [Section; SECTIONS],
    states: [[Lanes; 2]; SECTIONS],
    sums: Lanes,
}

impl BandPass {
    /// `edges`: lower and upper edge of up to eight bands in Hz, below half the rate.
    pub(super) fn new(edges: &[(f64, f64)], rate: f64) -> Self {
        let nothing = Section {
            b: [0.0; LANES],
            a1: [0.0; LANES],
            a2: [0.0; LANES],
        };
        let mut sections = [nothing; SECTIONS];
        for (lane, &(lower, upper)) in edges.iter().take(LANES).enumerate() {
            for (section, [b, a1, a2]) in sections.iter_mut().zip(design(lower, upper, rate)) {
                (section.b[lane], section.a1[lane], section.a2[lane]) = (b, a1, a2);
            }
        }
        Self {
            sections,
            states: [[[0.0; LANES]; 2]; SECTIONS],
            sums: [0.0; LANES],
        }
    }

    /// Filters samples and adds up their squares.
    pub(super) fn hear(&mut self, samples: &[f64]) {
        run(&self.sections, &mut self.states, &mut self.sums, samples);
        for state in self.states.as_flattened_mut().as_flattened_mut() {
            *state = if state.abs() < LEAST_STATE {
                0.0
            } else {
                *state
            };
        }
    }

    /// The sums since the last call.
    pub(super) fn take_sums(&mut self) -> Lanes {
        std::mem::replace(&mut self.sums, [0.0; LANES])
    }
}

/// The sections of one band: Butterworth low-pass of fourth order to band-pass, then the bilinear transform, s = (1 - z⁻¹) /
/// (1 + z⁻¹), with both edges where they shall be.
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

per_path! {
    fn run(
        sections: &[Section; SECTIONS],
        states: &mut [[Lanes; 2]; SECTIONS],
        sums: &mut Lanes,
        samples: &[f64],
    ) {
        let (mut now, mut squares) = (*states, *sums);
        for &sample in samples {
            let mut x = [sample; LANES];
            for (section, [first, second]) in sections.iter().zip(&mut now) {
                for l in 0..LANES {
                    let bx = section.b[l] * x[l];
                    let y = bx + first[l];
                    first[l] = second[l] - section.a1[l] * y;
                    second[l] = -bx - section.a2[l] * y;
                    x[l] = y;
                }
            }
            for l in 0..LANES {
                squares[l] += x[l] * x[l];
            }
        }
        (*states, *sums) = (now, squares);
    }
}
