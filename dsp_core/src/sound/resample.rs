//! Any rate to any other, in the zone to 16 kHz: polyphase windowed sinc.
//!
//! Output m stands at m / rate s of the stream, whatever the block split and wherever the stream was restored: its place
//! among the input samples is computed in integers. The filter is symmetric, so nothing is shifted. At 16 kHz: pass
//! band to 7.5 kHz; what would fold back below 7.5 kHz (above 8.5 kHz) is 84 dB down by design; in proportion elsewhere.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::error::{BlockError, ParameterError};
use crate::simd::per_path;
use crate::sound::block::check_sample_rate;
use crate::sound::framing::tame;

use table::{N_STEPS, Table, Taps};

mod table;

/// Rate that the front end works at, in Hz.
pub const TARGET_RATE: u32 = 16_000;
/// Partial sums of a dot product.
const LANES: usize = 16;
/// Outputs whose products are summed side by side.
const GROUP: usize = 4;
/// Input samples taken in at once.
const CHUNK: usize = 1_024;

/// The resampler of one sensor.
pub(crate) struct Resampler {
    /// None: equal rates, the sound passes through.
    table: Option<Arc<Table>>,
    input: Zeroizing<Vec<f32>>,
    n_input: usize,
    /// Of the next output: index of its first tap in `input`, and its phase.
    place: Place,
}

impl Resampler {
    /// To 16 kHz, for a stream that starts at sample 0.
    pub(crate) fn new(sample_rate: u32) -> Self {
        Self::between(sample_rate, TARGET_RATE)
    }

    fn between(sample_rate: u32, target_rate: u32) -> Self {
        let table = (sample_rate != target_rate).then(|| Table::shared(sample_rate, target_rate));
        let n_input = table.as_ref().map_or(0, |table| table.n_taps() + CHUNK);
        let mut resampler = Self {
            table,
            input: Zeroizing::new(vec![0.0; n_input]),
            n_input: 0,
            place: Place {
                first_tap: 0,
                phase: 0,
            },
        };
        resampler.restart(0, 0);
        resampler
    }

    /// Input samples before and after an output's place that it is made of.
    pub(crate) fn n_taps(&self) -> usize {
        self.table.as_ref().map_or(0, |table| table.n_taps())
    }

    /// First output that needs no sample before `start_sample` (the stream's own start needs none).
    pub(crate) fn first_output(&self, start_sample: u64) -> u64 {
        let Some(table) = &self.table else {
            return start_sample;
        };
        if start_sample == 0 {
            return 0;
        }
        let place = u128::from(start_sample) + table.half as u128 - 1;
        (place * u128::from(table.up)).div_ceil(u128::from(table.down)) as u64
    }

    /// Empties it, for a stream that goes on at `start_sample` and whose next output is `output`, at least `first_output`.
    pub(crate) fn restart(&mut self, start_sample: u64, output: u64) {
        self.input.fill(0.0);
        let Some(table) = &self.table else {
            self.n_input = 0;
            self.place.first_tap = output.saturating_sub(start_sample) as usize;
            return;
        };
        // Before the stream there was silence.
        self.n_input = if start_sample == 0 { table.half - 1 } else { 0 };
        let (place, phase) = table.place(output);
        let before = if start_sample == 0 {
            0
        } else {
            table.half as u64 - 1
        };
        self.place.first_tap = (place - before - start_sample.min(place - before)) as usize;
        self.place.phase = phase;
    }

    /// Takes samples and gives out as many as come of them and fit, and says how many. If fewer came than fit, all samples were
    /// taken.
    pub(crate) fn take(&mut self, samples: &mut &[f32], out: &mut [f32]) -> usize {
        // Out and in again: a count of its users would be one more thing that threads share.
        let Some(table) = self.table.take() else {
            return self.pass_through(samples, out);
        };
        let n = self.take_by(&table, samples, out);
        self.table = Some(table);
        n
    }

    fn take_by(&mut self, table: &Table, samples: &mut &[f32], out: &mut [f32]) -> usize {
        let mut n = 0;
        loop {
            let input = &self.input[..self.n_input];
            let (n_new, place) = run(table, input, self.place, &mut out[n..]);
            self.place = place;
            self.forget();
            n += n_new;
            if n == out.len() || samples.is_empty() {
                return n;
            }
            self.feed(samples);
        }
    }

    /// At equal rates nothing is kept.
    fn pass_through(&mut self, samples: &mut &[f32], out: &mut [f32]) -> usize {
        let (skipped, rest) = samples.split_at(self.place.first_tap.min(samples.len()));
        self.place.first_tap -= skipped.len();
        let (passed, rest) = rest.split_at(rest.len().min(out.len()));
        for (to, &from) in out.iter_mut().zip(passed) {
            *to = tame(from);
        }
        *samples = rest;
        passed.len()
    }

    /// Takes in as many samples as there is room for.
    fn feed(&mut self, samples: &mut &[f32]) {
        let room = &mut self.input[self.n_input..];
        let (fed, rest) = samples.split_at(room.len().min(samples.len()));
        for (to, &from) in room.iter_mut().zip(fed) {
            *to = tame(from);
        }
        self.n_input += fed.len();
        *samples = rest;
    }

    /// Overwrites input that is no longer needed.
    fn forget(&mut self) {
        let n_old = self.place.first_tap.min(self.n_input);
        self.input.copy_within(n_old..self.n_input, 0);
        self.input[self.n_input - n_old..self.n_input].fill(0.0);
        self.n_input -= n_old;
        self.place.first_tap -= n_old;
    }
}

/// Adds one vector's products. By value, so that sums stay in registers.
#[inline(always)]
fn multiply_add(sums: [f32; LANES], samples: &[f32; LANES], taps: &Taps) -> [f32; LANES] {
    let mut next = sums;
    for l in 0..LANES {
        next[l] += samples[l] * taps.0[l];
    }
    next
}

/// Sum of partial sums by halves.
#[inline(always)]
fn halve(sums: [f32; LANES]) -> f32 {
    // Through memory: else the compiler shapes the vectors of the loop before after the halving, two lanes wide.
    let sums = std::hint::black_box(sums);
    let mut four = [0.0; 4];
    for l in 0..4 {
        four[l] = (sums[l] + sums[l + 8]) + (sums[l + 4] + sums[l + 12]);
    }
    (four[0] + four[2]) + (four[1] + four[3])
}

/// Sum of products in a fixed order: `LANES` partial sums, then halves.
#[inline(always)]
fn dot(samples: &[f32], taps: &[Taps]) -> f32 {
    let mut sums = [0.0; LANES];
    for (x, h) in samples.as_chunks().0.iter().zip(taps) {
        sums = multiply_add(sums, x, h);
    }
    halve(sums)
}

/// Four such sums side by side: they do not wait for each other.
#[inline(always)]
fn four_dots(samples: [&[f32]; GROUP], taps: [&[Taps]; GROUP]) -> [f32; GROUP] {
    let [x0, x1, x2, x3] = samples.map(|x| x.as_chunks::<LANES>().0.iter());
    let [h0, h1, h2, h3] = taps.map(|h| h.iter());
    let (mut s0, mut s1) = ([0.0; LANES], [0.0; LANES]);
    let (mut s2, mut s3) = ([0.0; LANES], [0.0; LANES]);
    let pairs = x0.zip(h0).zip(x1.zip(h1)).zip(x2.zip(h2)).zip(x3.zip(h3));
    for ((((x0, h0), (x1, h1)), (x2, h2)), (x3, h3)) in pairs {
        s0 = multiply_add(s0, x0, h0);
        s1 = multiply_add(s1, x1, h1);
        s2 = multiply_add(s2, x2, h2);
        s3 = multiply_add(s3, x3, h3);
    }
    [halve(s0), halve(s1), halve(s2), halve(s3)]
}

/// Where an output stands among the input.
#[derive(Clone, Copy)]
struct Place {
    first_tap: usize,
    phase: u64,
}

impl Place {
    #[inline(always)]
    fn step(&mut self, table: &Table) {
        self.first_tap += table.step.0;
        self.phase += table.step.1;
        if self.phase >= table.up {
            self.phase -= table.up;
            self.first_tap += 1;
        }
    }
}

/// Outputs side by side while there is input and room, and how many.
#[inline(always)]
fn run_groups(table: &Table, input: &[f32], place: &mut Place, out: &mut [f32]) -> usize {
    let n_taps = table.n_taps();
    let mut n_done = 0;
    for out in out.chunks_exact_mut(GROUP) {
        let mut next = *place;
        let places = [(); GROUP].map(|()| {
            let this = next;
            next.step(table);
            this
        });
        if places[GROUP - 1].first_tap + n_taps > input.len() {
            break;
        }
        let samples = places.map(|place| &input[place.first_tap..place.first_tap + n_taps]);
        let sums = if table.up == 1 {
            // The same taps for all: they are loaded once.
            four_dots(samples, [table.row(0); GROUP])
        } else {
            four_dots(samples, places.map(|place| table.row(place.phase as usize)))
        };
        out.copy_from_slice(&sums);
        *place = next;
        n_done += GROUP;
    }
    n_done
}

/// One output between two rows of the table.
#[inline(always)]
fn interpolate(table: &Table, samples: &[f32], phase: u64) -> f32 {
    let at = phase * N_STEPS as u64;
    let row = (at / table.up) as usize;
    let share = (at % table.up) as f32 / table.up as f32;
    let before = dot(samples, table.row(row));
    before + (dot(samples, table.row(row + 1)) - before) * share
}

per_path! {
    fn run(table: &Table, input: &[f32], place: Place, out: &mut [f32]) -> (usize, Place) {
        let n_taps = table.n_taps();
        let mut place = place;
        let mut n = 0;
        if table.is_exact {
            n = run_groups(table, input, &mut place, out);
        }
        while n < out.len() && place.first_tap + n_taps <= input.len() {
            let samples = &input[place.first_tap..place.first_tap + n_taps];
            out[n] = if table.is_exact {
                dot(samples, table.row(place.phase as usize))
            } else {
                interpolate(table, samples, place.phase)
            };
            n += 1;
            place.step(table);
        }
        (n, place)
    }
}

/// Refuses rates that nothing is resampled from or to.
///
/// # Errors
/// A rate outside 8 000 to 192 000 Hz.
pub fn check_rates(sample_rate: u32, target_rate: u32) -> Result<(), ParameterError> {
    for (name, rate) in [("sample_rate", sample_rate), ("target_rate", target_rate)] {
        check_sample_rate(rate)
            .map_err(|e: BlockError| ParameterError::new(name, e.expected, e.actual))?;
    }
    Ok(())
}

/// Samples that `n` samples become.
pub fn n_resampled(n: usize, sample_rate: u32, target_rate: u32) -> usize {
    let n_out = (n as u128 * u128::from(target_rate)).div_ceil(u128::from(sample_rate.max(1)));
    usize::try_from(n_out).unwrap_or(usize::MAX)
}

/// A whole signal at another rate, at 16 kHz with the bytes that the stream gives. Values below 1e-12 are zero.
///
/// # Shape
/// `samples`: (n,), at `sample_rate`; `out`: (n_resampled(n, ...),).
///
/// # Errors
/// A rate outside 8 000 to 192 000 Hz; `out` of another length.
pub fn resample_into(
    samples: &[f32],
    sample_rate: u32,
    target_rate: u32,
    out: &mut [f32],
) -> Result<(), ParameterError> {
    check_rates(sample_rate, target_rate)?;
    let n = n_resampled(samples.len(), sample_rate, target_rate);
    if out.len() != n {
        return Err(ParameterError::new("out", format!("{n} values"), out.len()));
    }
    let mut resampler = Resampler::between(sample_rate, target_rate);
    let (mut rest, mut done) = (samples, 0);
    while done < out.len() {
        if rest.is_empty() {
            rest = &[0.0; CHUNK];
        }
        done += resampler.take(&mut rest, &mut out[done..]);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
