//! A sound level meter: per second and over all, A, C and Z levels of one stream that comes in any blocks.
//!
//! Samples are gathered until an eighth of a second is complete and are then heard at once, so that no sum depends on where a
//! block ends. Second k holds the samples from k × rate on, eighth j of it those from ceil(j × rate / 8) on, as in the zone's
//! meter. A peak between samples is known eight samples later: the last 0.2 ms of a second count for the next one.

use crate::simd::per_path;
use crate::sound::leq::level_db;
use crate::sound::peak::{Past, Peak, larger};
use crate::sound::time_weighting::{FAST_S, SLOW_S, TimeWeighting};
use crate::sound::weighting::{STEP, State, Weighting, WeightingKind};
use crate::sound::z_weighting::{self, ZWeighting};

/// Fast levels of a second.
pub const N_FAST: usize = 8;

/// Levels of one second, in dB.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SecondLevels {
    /// Its number from the stream's start.
    pub second: u64,
    /// What was measured in it.
    pub levels: Levels,
    /// A-weighted Fast level at the end of each eighth.
    pub laf_db: [f64; N_FAST],
}

/// Levels of a time, in dB.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Levels {
    /// A-weighted equivalent level.
    pub laeq_db: f64,
    /// Highest A-weighted Fast level.
    pub lafmax_db: f64,
    /// Highest A-weighted Slow level.
    pub lasmax_db: f64,
    /// C-weighted equivalent level.
    pub lceq_db: f64,
    /// Equivalent level with Z.
    pub lzeq_db: f64,
    /// Highest magnitude of the C-weighted signal, between samples too.
    pub lcpeak_db: f64,
}

/// Sums and maxima of a time.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    n: u64,
    a_energy: f64,
    c_energy: f64,
    z_energy: f64,
    fast_max: f64,
    slow_max: f64,
    c_peak_square: f64,
}

impl Sums {
    fn with(self, other: Self) -> Self {
        Self {
            n: self.n + other.n,
            a_energy: self.a_energy + other.a_energy,
            c_energy: self.c_energy + other.c_energy,
            z_energy: self.z_energy + other.z_energy,
            fast_max: self.fast_max.max(other.fast_max),
            slow_max: self.slow_max.max(other.slow_max),
            c_peak_square: self.c_peak_square.max(other.c_peak_square),
        }
    }

    fn levels(&self, reference: f64) -> Levels {
        let n = self.n as f64;
        Levels {
            laeq_db: level_db(self.a_energy / n, reference),
            lafmax_db: level_db(self.fast_max, reference),
            lasmax_db: level_db(self.slow_max, reference),
            lceq_db: level_db(self.c_energy / n, reference),
            lzeq_db: level_db(self.z_energy / n, reference),
            lcpeak_db: level_db(self.c_peak_square, reference),
        }
    }
}

/// What does not change.
struct Filters {
    a: Weighting,
    c: Weighting,
    z: ZWeighting,
    fast: TimeWeighting,
    slow: TimeWeighting,
    peak: Peak,
}

/// What goes on from sample to sample.
#[derive(Clone, Copy, Default)]
struct Running {
    a: State,
    c: State,
    z: z_weighting::Last,
    fast: f64,
    slow: f64,
    /// The last C-weighted samples.
    past: Past,
}

/// A meter for one stream.
pub struct SoundLevelMeter {
    sample_rate: u64,
    reference: f64,
    filters: Filters,
    running: Running,
    /// Of the begun second, and of those before it.
    second: Sums,
    before: Sums,
    /// Fast mean squares of the begun second's complete eighths.
    fast: Vec<f64>,
    /// Samples of the begun eighth.
    eighth: Vec<f32>,
    scratch: Weighted,
}

/// An eighth, weighted.
#[derive(Default)]
struct Weighted {
    a: Vec<f64>,
    c: Vec<f64>,
}

impl Weighted {
    fn with_capacity(n: usize) -> Self {
        Self {
            a: Vec::with_capacity(n),
            c: Vec::with_capacity(n),
        }
    }
}

impl SoundLevelMeter {
    /// For a rate of at least 8 000 Hz; `reference`: rms value of 0 dB, over 0.
    pub fn new(sample_rate: u32, reference: f64) -> Self {
        let most = sample_rate as usize / N_FAST + 1;
        Self {
            sample_rate: u64::from(sample_rate),
            reference,
            filters: Filters {
                a: Weighting::new(WeightingKind::A, sample_rate),
                c: Weighting::new(WeightingKind::C, sample_rate),
                z: ZWeighting::new(sample_rate),
                fast: TimeWeighting::exponential(sample_rate, FAST_S),
                slow: TimeWeighting::exponential(sample_rate, SLOW_S),
                peak: Peak::new(),
            },
            running: Running::default(),
            second: Sums::default(),
            before: Sums::default(),
            fast: Vec::with_capacity(N_FAST),
            eighth: Vec::with_capacity(most),
            scratch: Weighted::with_capacity(most),
        }
    }

    /// Samples heard.
    pub fn n_samples(&self) -> u64 {
        self.before.n + self.second.n + self.eighth.len() as u64
    }

    /// Hears more samples, finite ones; appends the seconds that end with them.
    ///
    /// # Shape
    /// `samples`: (n,).
    pub fn push_into(&mut self, samples: &[f32], seconds: &mut Vec<SecondLevels>) {
        let mut rest = samples;
        while !rest.is_empty() {
            let end = ((self.fast.len() as u64 + 1) * self.sample_rate).div_ceil(N_FAST as u64);
            let n_missing = (end - self.second.n) as usize - self.eighth.len();
            let (piece, after) = rest.split_at(rest.len().min(n_missing));
            rest = after;
            self.eighth.extend_from_slice(piece);
            if piece.len() == n_missing {
                let mut scratch = std::mem::take(&mut self.scratch);
                (self.running, self.second) = self.heard(&mut scratch);
                self.scratch = scratch;
                self.fast.push(self.running.fast);
                self.eighth.clear();
            }
            if self.fast.len() == N_FAST {
                seconds.push(self.close());
            }
        }
    }

    /// What is known after the samples gathered so far.
    fn heard(&self, weighted: &mut Weighted) -> (Running, Sums) {
        let (mut running, mut sums) = (self.running, self.second);
        let Weighted { a, c } = weighted;
        for (out, weighting, state) in [
            (&mut *a, &self.filters.a, &mut running.a),
            (&mut *c, &self.filters.c, &mut running.c),
        ] {
            out.resize(self.eighth.len(), 0.0);
            weigh(weighting, state, &self.eighth, out);
        }
        sum_up(&self.filters, &mut running, &mut sums, &self.eighth, a, c);
        let highest = sums.c_peak_square;
        sums.c_peak_square = highest_square(&self.filters.peak, &mut running.past, c, highest);
        (running, sums)
    }

    fn close(&mut self) -> SecondLevels {
        let mut laf_db = [0.0; N_FAST];
        for (level, &mean_square) in laf_db.iter_mut().zip(&self.fast) {
            *level = level_db(mean_square, self.reference);
        }
        let closed = SecondLevels {
            second: self.before.n / self.sample_rate,
            levels: self.second.levels(self.reference),
            laf_db,
        };
        self.before = self.before.with(self.second);
        self.second = Sums::default();
        self.fast.clear();
        closed
    }

    /// Levels over everything heard, the begun second included; none before the first sample.
    pub fn total(&self) -> Option<Levels> {
        let all = self.before.with(self.heard(&mut Weighted::default()).1);
        (all.n > 0).then(|| all.levels(self.reference))
    }

    /// A-weighted Fast levels at the end of the begun second's complete eighths, in dB.
    pub fn begun_laf_db(&self) -> Vec<f64> {
        let levels = self.fast.iter();
        levels.map(|&mean| level_db(mean, self.reference)).collect()
    }
}

// Three loops, not one: together they do not fit the registers, and the compiler breaks the vectors of the weighting up.

per_path! {
    /// One weighting of an eighth.
    fn weigh(weighting: &Weighting, state: &mut State, samples: &[f32], out: &mut [f64]) {
        let mut now = *state;
        let (steps, rest) = samples.as_chunks::<STEP>();
        let (out_steps, out_rest) = out.as_chunks_mut::<STEP>();
        for (step, out) in steps.iter().zip(out_steps) {
            weighting.steps(&[step.map(f64::from)], &mut now, std::slice::from_mut(out));
        }
        for (&x, out) in rest.iter().zip(out_rest) {
            *out = weighting.one(f64::from(x), &mut now);
        }
        *state = now;
    }
}

per_path! {
    /// Squares of samples and of weighted ones, and the highest running means.
    fn sum_up(
        filters: &Filters,
        running: &mut Running,
        sums: &mut Sums,
        samples: &[f32],
        a: &[f64],
        c: &[f64],
    ) {
        let (mut fast, mut slow, mut z) = (running.fast, running.slow, running.z);
        let mut new = *sums;
        new.n += samples.len() as u64;
        for ((&x, &a), &c) in samples.iter().zip(a).zip(c) {
            let a_square = a * a;
            fast = filters.fast.next(fast, a_square);
            slow = filters.slow.next(slow, a_square);
            let weighted = filters.z.next(&mut z, f64::from(x));
            new.a_energy += a_square;
            new.c_energy += c * c;
            new.z_energy += weighted * weighted;
            new.fast_max = larger(new.fast_max, fast);
            new.slow_max = larger(new.slow_max, slow);
        }
        z.settle();
        (running.fast, running.slow, running.z) = (fast, slow, z);
        *sums = new;
    }
}

per_path! {
    /// Of the C-weighted samples and of what lies between them.
    fn highest_square(peak: &Peak, past: &mut Past, c: &[f64], highest: f64) -> f64 {
        let (mut now, mut highest) = (*past, highest);
        let (steps, rest) = c.as_chunks::<STEP>();
        for step in steps {
            highest = peak.of_step(&mut now, step, highest);
        }
        for &c in rest {
            highest = peak.of_sample(&mut now, c, highest);
        }
        *past = now;
        highest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(n: usize) -> Vec<f32> {
        (0..n)
            .map(|i| ((i * i) % 1_009) as f32 / 504.5 - 1.0)
            .collect()
    }

    #[test]
    fn any_split_gives_the_same_seconds() {
        let samples = noise(30_000);
        let mut whole = Vec::new();
        let mut meter = SoundLevelMeter::new(11_025, 1.0);
        meter.push_into(&samples, &mut whole);
        assert_eq!(whole.len(), 2);
        for n in [1, 7, 1_379, 11_025, 29_999] {
            let mut seconds = Vec::new();
            let mut split = SoundLevelMeter::new(11_025, 1.0);
            samples
                .chunks(n)
                .for_each(|block| split.push_into(block, &mut seconds));
            assert_eq!(seconds, whole, "{n}");
            assert_eq!(split.total(), meter.total(), "{n}");
            assert_eq!(split.begun_laf_db(), meter.begun_laf_db(), "{n}");
        }
    }

    #[test]
    fn every_path_gives_the_same_bytes() {
        let samples = noise(20_000);
        let measure = || {
            let (mut meter, mut seconds) = (SoundLevelMeter::new(16_000, 1.0), Vec::new());
            meter.push_into(&samples, &mut seconds);
            let mut fast = vec![0.0; samples.len()];
            TimeWeighting::impulse(16_000).levels_into(&samples, 1.0, &mut fast);
            (seconds, meter.total(), fast)
        };
        let widest = measure();
        for path in [crate::simd::Path::Baseline, crate::simd::Path::Avx2] {
            crate::simd::limit_path(path);
            assert_eq!(measure(), widest, "{path:?}");
        }
        crate::simd::limit_path(crate::simd::Path::Avx512);
    }

    #[test]
    fn a_begun_second_counts_by_its_length() {
        let mut meter = SoundLevelMeter::new(8_000, 1.0);
        assert_eq!(meter.total(), None);
        let mut seconds = Vec::new();
        meter.push_into(&noise(8_000 + 2_500), &mut seconds);
        assert_eq!((seconds.len(), meter.n_samples()), (1, 10_500));
        assert_eq!(meter.begun_laf_db().len(), 2);
    }
}
