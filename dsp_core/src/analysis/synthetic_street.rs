//! A street made of numbers, for long runs: unit means of 64 bands, five a second, without any sound.
//!
//! It is feature-level: spectra of a site, the swing of the day, slow and fast drift, passing vehicles, short sounds, rain,
//! roadworks. What it shows is whether the counting holds, not how often a real street would be called unusual.

use crate::wiped::Wiped;

use super::anomaly::FLOOR;
use super::description::Description;
use super::prior;
use super::window::N_BANDS;

/// Frames as `describe` would give them.
pub(crate) fn description(first_frame: u64, frames: &[[f32; N_BANDS]]) -> Description {
    Description {
        sensor_id: 7,
        start_slot: 1_000,
        first_frame,
        bands: Wiped::new(frames.as_flattened().to_vec()),
        masked_energy: Wiped::new(frames.iter().map(|f| f[60].abs()).collect()),
        ..Description::default()
    }
}

/// SplitMix64 and what can be drawn from it.
pub(crate) struct Draw(pub(crate) u64);

impl Draw {
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// Sum of 6 uniform draws, scaled to unit variance: its tails end at 4.2.
    pub(crate) fn normal(&mut self) -> f64 {
        let sum: f64 = (0..6).map(|_| self.uniform()).sum();
        (sum - 3.0) * std::f64::consts::SQRT_2
    }

    fn exponential(&mut self) -> f64 {
        -libm::log(1.0 - self.uniform())
    }
}

/// One sound that comes and goes: spectrum above the site's, and when.
struct Passing {
    spectrum: [f64; N_BANDS],
    middle: f64,
    width: f64,
    is_steady: bool,
}

pub(crate) struct Street {
    draw: Draw,
    site: [f64; N_BANDS],
    busy: f64,
    phase: f64,
    drift: [f64; 2],
    colour: [f64; 16],
    passing: Vec<Passing>,
    rain: f64,
    rain_target: f64,
    works_until: f64,
    second: f64,
}

const STEP_S: f64 = 0.2;
const DAY_S: f64 = 86_400.0;

impl Street {
    pub(crate) fn new(seed: u64) -> Self {
        let mut draw = Draw(seed.wrapping_mul(0x1234_5678_9abc_def1) ^ seed);
        let gain = draw.between(-3.0, 1.0);
        let mut colour = 0.0;
        let site = prior::SHAPE.map(|s| {
            colour = 0.95 * colour + 0.25 * draw.normal();
            f64::from(s) + gain + colour
        });
        let busy = libm::exp(0.7 * draw.normal());
        Self {
            site,
            busy,
            phase: draw.between(0.0, DAY_S),
            drift: [0.0; 2],
            colour: [0.0; 16],
            passing: Vec::new(),
            rain: 0.0,
            rain_target: 0.0,
            works_until: 0.0,
            second: 0.0,
            draw,
        }
    }

    /// The next unit.
    pub(crate) fn step(&mut self) -> [f32; N_BANDS] {
        self.second += STEP_S;
        let t = self.second;
        let day = libm::sin(2.0 * std::f64::consts::PI * (t + self.phase) / DAY_S);
        self.arrivals(day);
        self.passing.retain(|p| t < p.middle + 4.0 * p.width);
        for (drift, (tau, sd)) in self.drift.iter_mut().zip([(60.0, 0.15), (10.0, 0.12)]) {
            let keep = 1.0 - STEP_S / tau;
            *drift = keep * *drift + sd * libm::sqrt(1.0 - keep * keep) * self.draw.normal();
        }
        for colour in &mut self.colour {
            *colour = 0.9 * *colour + 0.1 * 0.436 * self.draw.normal();
        }
        self.rain += (self.rain_target - self.rain) * STEP_S / 120.0;
        let mut unit = [0.0; N_BANDS];
        for (i, u) in unit.iter_mut().enumerate() {
            let calm = self.site[i] + 0.5 * day + self.drift[0] + self.drift[1];
            let mut magnitude = libm::exp(calm + self.colour[i / 4] + 0.2 * self.draw.normal());
            magnitude +=
                libm::exp(self.site[i] + self.rain + 0.02 * i as f64 - 1.0) * self.rain.min(1.0);
            for p in &self.passing {
                let away = (t - p.middle) / p.width;
                let shape = if p.is_steady {
                    f64::from(u8::from((0.0..1.0).contains(&away)))
                } else {
                    libm::exp(-0.5 * away * away)
                };
                magnitude += shape * p.spectrum[i];
            }
            *u = (libm::log(magnitude + 0.001) as f32).max(FLOOR);
        }
        unit
    }

    fn arrivals(&mut self, day: f64) {
        let traffic = self.busy * (130.0 + 110.0 * day) / 3_600.0 * STEP_S;
        if self.draw.uniform() < traffic {
            let (level, width) = (0.8 + 0.6 * self.draw.normal(), self.draw.between(1.0, 3.0));
            let tilt = 0.01 * self.draw.normal();
            self.pass(level, 4.0 * width, width, false, |i| {
                tilt * (i as f64 - 20.0)
            });
        }
        if self.draw.uniform() < self.busy * 40.0 / 3_600.0 * STEP_S {
            let (level, width) = (
                0.3 + self.draw.exponential(),
                0.2 + 0.4 * self.draw.exponential(),
            );
            let (middle, spread) = (self.draw.between(0.0, 64.0), self.draw.between(2.0, 20.0));
            self.pass(level, 0.0, width, true, |i| {
                let away = (i as f64 - middle) / spread;
                -0.5 * away * away
            });
        }
        if self.draw.uniform() < 4.0 / DAY_S * STEP_S {
            self.rain_target = if self.rain_target > 0.0 {
                0.0
            } else {
                self.draw.between(0.5, 2.0)
            };
        }
        if self.draw.uniform() < 0.5 / DAY_S * STEP_S {
            self.works_until = self.second + self.draw.between(3_600.0, 7_200.0);
        }
        if self.second < self.works_until && self.draw.uniform() < STEP_S / 60.0 {
            let (level, width) = (1.0 + self.draw.exponential(), self.draw.between(3.0, 20.0));
            self.pass(level, 0.0, width, true, |i| -0.02 * i as f64);
        }
    }

    fn pass(
        &mut self,
        level: f64,
        ahead: f64,
        width: f64,
        is_steady: bool,
        shape: impl Fn(usize) -> f64,
    ) {
        let mut spectrum = [0.0; N_BANDS];
        for (i, s) in spectrum.iter_mut().enumerate() {
            *s = libm::exp(self.site[i] + level + shape(i));
        }
        let middle = self.second + ahead;
        self.passing.push(Passing {
            spectrum,
            middle,
            width,
            is_steady,
        });
    }
}
