//! Levels: A-weighted mean square per second, Fast levels at 8 Hz, full scale and silence.
//!
//! Second k holds the samples from k × rate on, in integers; an eighth j of it those from ceil(j × rate / 8) on. Steps of
//! eight samples start anew with each eighth, so that where a sum ends depends on its position alone, not on the blocks.

use std::sync::Arc;

use crate::analysis::describe::SecondLevel;
use crate::checkpoint::{Reader, Writer};
use crate::error::BlockError;
use crate::simd::per_path;
use crate::sound::framing::tame;
use crate::sound::shared::Shared;
use crate::sound::weighting::{STEP, State, Weighting, WeightingKind};

/// Time constant of Fast in seconds.
///
/// # Source
/// IEC 61672-1:2013, 5.8.1.
const FAST_S: f64 = 0.125;
/// Full scale of 16 bits; what 24 bits or float hold above it is full scale too.
const FULL_SCALE: f32 = 1.0 - 1.0 / 32_768.0;
/// A second whose samples differ by no more than one step of 16 bits holds nothing: a dead or muted microphone may
/// still toggle its last bit around a constant.
const SILENT_RANGE: f32 = 1.0 / 32_768.0;
/// Eighths of a second.
const N_FAST: u64 = 8;

/// What is summed up since the second began, and what goes on for ever.
#[derive(Clone)]
struct Sums {
    state: State,
    /// Squares by place in the step, so that they add without waiting for each other.
    squares: [f64; STEP],
    fast: f64,
    low: [f32; STEP],
    high: [f32; STEP],
    n_clipped: u32,
    was_full_scale: bool,
}

impl Sums {
    fn new() -> Self {
        Self {
            state: [0.0; STEP],
            squares: [0.0; STEP],
            fast: 0.0,
            low: [f32::MAX; STEP],
            high: [f32::MIN; STEP],
            n_clipped: 0,
            was_full_scale: false,
        }
    }

    fn start_second(&mut self) {
        self.squares = [0.0; STEP];
        self.low = [f32::MAX; STEP];
        self.high = [f32::MIN; STEP];
        self.n_clipped = 0;
    }

    /// Samples at full scale count from the second of a run on: a recording that was scaled to its own peak has single
    /// ones, a clipped one has runs.
    #[inline(always)]
    fn count_full_scale(&mut self, sample: f32) {
        let is_full_scale = sample.abs() >= FULL_SCALE;
        self.n_clipped += u32::from(is_full_scale && self.was_full_scale);
        self.was_full_scale = is_full_scale;
    }
}

/// Constants of the meter at a rate. Aligned, as loads across cache lines cost twice.
#[repr(C, align(64))]
struct Tables {
    /// Weight of each square of a step in the Fast mean.
    fast_weights: [f64; STEP],
    weighting: Weighting,
    /// Fast decay over one sample, and over one step.
    decay: f64,
    step_decay: f64,
}

impl Tables {
    fn new(sample_rate: u32) -> Self {
        let decay = libm::exp(-1.0 / (FAST_S * f64::from(sample_rate)));
        let mut fast_weights = [1.0 - decay; STEP];
        for i in (0..STEP - 1).rev() {
            fast_weights[i] = fast_weights[i + 1] * decay;
        }
        Self {
            fast_weights,
            weighting: Weighting::new(WeightingKind::A, sample_rate),
            decay,
            step_decay: fast_weights[0] * decay / (1.0 - decay),
        }
    }

    /// 2 kB that all sensors of a rate share.
    fn shared(sample_rate: u32) -> Arc<Self> {
        static TABLES: Shared<u32, Tables> = Shared::new();
        TABLES.get(sample_rate, || Self::new(sample_rate))
    }
}

/// The levels of one sensor.
pub(crate) struct Meter {
    sample_rate: u64,
    tables: Arc<Tables>,
    sums: Sums,
    fast: [f32; N_FAST as usize],
    position: u64,
    /// Samples of a step that is not complete: fewer than `STEP`.
    pending: [f32; STEP],
    n_pending: usize,
}

impl Meter {
    pub(crate) fn new(sample_rate: u32) -> Self {
        Self {
            sample_rate: u64::from(sample_rate),
            tables: Tables::shared(sample_rate),
            sums: Sums::new(),
            fast: [-1.0; N_FAST as usize],
            position: 0,
            pending: [0.0; STEP],
            n_pending: 0,
        }
    }

    /// Position in its second of the start of eighth `j`.
    fn eighth_start(&self, j: u64) -> u64 {
        (j * self.sample_rate).div_ceil(N_FAST)
    }

    /// Second, eighth and samples since the eighth's start, at the position.
    fn place(&self) -> (u64, u64, u64) {
        let (second, within) = (
            self.position / self.sample_rate,
            self.position % self.sample_rate,
        );
        let eighth = within * N_FAST / self.sample_rate;
        (second, eighth, within - self.eighth_start(eighth))
    }

    /// Hears more samples; appends the seconds that end with them. `start_slot`: number of the stream's first second.
    pub(crate) fn push(
        &mut self,
        samples: &[f32],
        start_slot: u64,
        seconds: &mut Vec<SecondLevel>,
    ) {
        let mut rest = samples;
        while !rest.is_empty() {
            let (second, eighth, within) = self.place();
            let length = self.eighth_start(eighth + 1) - self.eighth_start(eighth);
            let n = rest.len().min((length - within) as usize);
            let (piece, after) = rest.split_at(n);
            rest = after;
            self.position += n as u64;
            self.hear(piece);
            if within + n as u64 == length {
                self.finish_step();
                self.fast[eighth as usize] = self.sums.fast as f32;
                if eighth + 1 == N_FAST {
                    seconds.push(self.close(start_slot + second, self.sample_rate));
                }
            }
        }
    }

    /// Closes the last second, if it was begun.
    pub(crate) fn finish(&mut self, start_slot: u64, seconds: &mut Vec<SecondLevel>) {
        let n_heard = self.position % self.sample_rate;
        if n_heard > 0 {
            self.finish_step();
            let slot = start_slot + self.position / self.sample_rate;
            seconds.push(self.close(slot, n_heard));
        }
    }

    /// Samples of one eighth.
    fn hear(&mut self, piece: &[f32]) {
        let mut piece = piece;
        if self.n_pending > 0 {
            let n = piece.len().min(STEP - self.n_pending);
            let (head, tail) = piece.split_at(n);
            self.pending[self.n_pending..][..n].copy_from_slice(head);
            self.n_pending += n;
            piece = tail;
            if self.n_pending < STEP {
                return;
            }
            run_steps(&self.tables, &mut self.sums, &[self.pending]);
        }
        let (steps, rest) = piece.as_chunks::<STEP>();
        run_steps(&self.tables, &mut self.sums, steps);
        self.pending = [0.0; STEP];
        self.pending[..rest.len()].copy_from_slice(rest);
        self.n_pending = rest.len();
    }

    /// The samples of a step that will not be complete, one by one.
    fn finish_step(&mut self) {
        let (sums, tables) = (&mut self.sums, &self.tables);
        for (i, &sample) in self.pending[..self.n_pending].iter().enumerate() {
            let sample = tame(sample);
            let weighted = tables.weighting.one(f64::from(sample), &mut sums.state);
            let square = weighted * weighted;
            sums.squares[i] += square;
            sums.fast = tables.decay * sums.fast + (1.0 - tables.decay) * square;
            sums.low[i] = sums.low[i].min(sample);
            sums.high[i] = sums.high[i].max(sample);
            sums.count_full_scale(sample);
        }
        self.pending = [0.0; STEP];
        self.n_pending = 0;
    }

    fn close(&mut self, slot: u64, n_heard: u64) -> SecondLevel {
        let sums = &mut self.sums;
        let low = sums.low.iter().copied().fold(f32::MAX, f32::min);
        let high = sums.high.iter().copied().fold(f32::MIN, f32::max);
        let second = SecondLevel {
            slot,
            heard: (n_heard as f64 / self.sample_rate as f64) as f32,
            a_mean_square: tree_sum(&sums.squares) / n_heard as f64,
            fast: self.fast,
            n_clipped: sums.n_clipped,
            is_silent: high - low <= SILENT_RANGE,
        };
        sums.start_second();
        self.fast = [-1.0; N_FAST as usize];
        second
    }

    /// Number of samples before the position that are not in the state: a restore brings them back.
    pub(crate) fn n_pending(&self) -> usize {
        (self.place().2 % STEP as u64) as usize
    }

    /// Brings pending samples back after a restore, those from stream position `start` on.
    pub(crate) fn refill(&mut self, start: u64, samples: &[f32]) {
        self.n_pending = self.n_pending();
        let first = self.position - self.n_pending as u64;
        let from = (start.saturating_sub(first) as usize).min(self.n_pending);
        for (to, &sample) in self.pending[from..self.n_pending].iter_mut().zip(samples) {
            *to = sample;
        }
    }

    pub(crate) fn save(&self, writer: &mut Writer) {
        let sums = &self.sums;
        writer.f64s(&sums.state);
        writer.f64s(&sums.squares);
        writer.f64(sums.fast);
        writer.f32s(&sums.low);
        writer.f32s(&sums.high);
        writer.u32(sums.n_clipped);
        writer.u8(u8::from(sums.was_full_scale));
        writer.f32s(&self.fast);
    }

    pub(crate) fn load(
        sample_rate: u32,
        position: u64,
        reader: &mut Reader,
    ) -> Result<Self, BlockError> {
        let mut meter = Self::new(sample_rate);
        meter.position = position;
        let sums = &mut meter.sums;
        reader.f64s(&mut sums.state)?;
        reader.f64s(&mut sums.squares)?;
        reader.f64s(std::slice::from_mut(&mut sums.fast))?;
        reader.f32s(&mut sums.low)?;
        reader.f32s(&mut sums.high)?;
        sums.n_clipped = reader.u32()?;
        sums.was_full_scale = reader.u8()? != 0;
        reader.f32s(&mut meter.fast)?;
        Ok(meter)
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.pending = [0.0; STEP];
        self.sums = Sums::new();
        std::hint::black_box(self);
    }
}

/// Sum in a fixed order that needs no shuffle but halving.
#[inline(always)]
fn tree_sum(values: &[f64; STEP]) -> f64 {
    let mut quarters = [0.0; STEP / 2];
    for i in 0..STEP / 2 {
        quarters[i] = values[i] + values[i + STEP / 2];
    }
    (quarters[0] + quarters[2]) + (quarters[1] + quarters[3])
}

/// Steps that go through the meter together, so that each pass over them is a plain loop.
const BATCH: usize = 8;

/// Samples of a batch as f64, and the extremes.
#[inline(always)]
fn take_in(sums: &mut Sums, steps: &[[f32; STEP]], samples: &mut [[f64; STEP]; BATCH]) {
    let (mut low, mut high) = (sums.low, sums.high);
    for (step, to) in steps.iter().zip(samples) {
        for n in 0..STEP {
            let sample = tame(step[n]);
            low[n] = if sample < low[n] { sample } else { low[n] };
            high[n] = if sample > high[n] { sample } else { high[n] };
            to[n] = f64::from(sample);
        }
    }
    (sums.low, sums.high) = (low, high);
}

/// Counts full-scale samples, where there are any.
#[inline(always)]
fn count_full_scale(sums: &mut Sums, steps: &[[f32; STEP]]) {
    let mut peaks = [0.0_f32; STEP];
    for step in steps {
        for n in 0..STEP {
            let magnitude = step[n].abs();
            peaks[n] = if magnitude > peaks[n] {
                magnitude
            } else {
                peaks[n]
            };
        }
    }
    if sums.was_full_scale || peaks.iter().any(|&peak| peak >= FULL_SCALE) {
        for &sample in steps.as_flattened() {
            sums.count_full_scale(sample);
        }
    }
}

per_path! {
    fn run_steps(tables: &Tables, sums: &mut Sums, steps: &[[f32; STEP]]) {
        let mut samples = [[0.0; STEP]; BATCH];
        let mut weighted = [[0.0; STEP]; BATCH];
        for steps in steps.chunks(BATCH) {
            take_in(sums, steps, &mut samples);
            count_full_scale(sums, steps);
            let n_steps = steps.len();
            let (from, to) = (&samples[..n_steps], &mut weighted[..n_steps]);
            tables.weighting.steps(from, &mut sums.state, to);
            let mut squares = sums.squares;
            let mut shares = [0.0; BATCH];
            for (step, share) in weighted[..n_steps].iter().zip(&mut shares) {
                let mut of_step = [0.0; STEP];
                for n in 0..STEP {
                    let square = step[n] * step[n];
                    squares[n] += square;
                    of_step[n] = square * tables.fast_weights[n];
                }
                *share = tree_sum(&of_step);
            }
            sums.squares = squares;
            let mut fast = sums.fast;
            for &share in &shares[..n_steps] {
                fast = fast * tables.step_decay + share;
                fast = if fast < 1e-60 { 0.0 } else { fast };
            }
            sums.fast = fast;
        }
        // They held sound.
        samples.fill([0.0; STEP]);
        std::hint::black_box(&mut samples);
    }
}
