//! Frames of any sensors side by side: what the front end works on at once.
//!
//! A block of 100 ms has 10 frames and a vector 16 lanes. So the samples of several sensors lie one behind the other, and a group
//! of frames goes through the transform as soon as it is whole, whosever they are. A frame's bytes depend on its own samples alone
//! (`sound/spectrum.rs`), so nothing of one sensor reaches another.

use std::sync::Arc;

use crate::analysis::description::Description;
use crate::analysis::window::N_BANDS;
use crate::sound::framing::FrameTail;
use crate::sound::mel::{LogMel, LogMelSettings, Scratch};
use crate::sound::resample::Resampler;
use crate::sound::spectrum::LANES;

use super::many::Outs;

const WIN_LENGTH: usize = LogMelSettings::STREET.win_length;
const HOP: usize = LogMelSettings::STREET.hop;
/// Samples that a group of one sensor's frames spans.
const OF_ONE: usize = (LANES - 1) * HOP + WIN_LENGTH;
/// Samples that a group of any frames spans at most: each a sensor's own.
pub(super) const OF_MANY: usize = LANES * WIN_LENGTH;

/// Working memory for `N` samples. Holds sound and spectra while a call lasts; is wiped at its end, and when dropped.
#[repr(C, align(64))]
pub(super) struct Memory<const N: usize> {
    samples: [f32; N],
    rows: [f32; LANES * N_BANDS],
    energy: [f32; LANES],
    scratch: Scratch,
}

impl<const N: usize> Memory<N> {
    pub(super) fn new() -> Self {
        Self {
            samples: [0.0; N],
            rows: [0.0; LANES * N_BANDS],
            energy: [0.0; LANES],
            scratch: Scratch::new(),
        }
    }

    /// Frames on their way, none yet.
    pub(super) fn lanes(&mut self) -> Lanes<'_> {
        Lanes {
            samples: &mut self.samples,
            rows: &mut self.rows,
            energy: &mut self.energy,
            scratch: &mut self.scratch,
            tables: None,
            starts: [0; LANES],
            owners: [0; LANES],
            n_frames: 0,
            start: 0,
            end: 0,
            base: 0,
        }
    }

    #[cfg(test)]
    pub(super) fn is_wiped(&self) -> bool {
        let own = [&self.samples[..], &self.rows, &self.energy];
        own.into_iter().flatten().all(|&x| x == 0.0) && self.scratch.is_wiped()
    }

    /// Overwrites it.
    pub(super) fn wipe(&mut self) {
        self.samples.fill(0.0);
        self.rows.fill(0.0);
        self.energy.fill(0.0);
        self.scratch.wipe();
    }
}

impl<const N: usize> Drop for Memory<N> {
    fn drop(&mut self) {
        self.samples.fill(0.0);
        self.rows.fill(0.0);
        self.energy.fill(0.0);
        // The compiler may not drop stores to what it must take as read. The scratch wipes itself.
        std::hint::black_box(&mut *self);
    }
}

/// Frames on their way through the front end.
pub(super) struct Lanes<'a> {
    samples: &'a mut [f32],
    rows: &'a mut [f32],
    energy: &'a mut [f32],
    scratch: &'a mut Scratch,
    tables: Option<Arc<LogMel>>,
    /// Of the frames that wait for their group to be whole: where each starts in `samples`, and whose it is.
    starts: [usize; LANES],
    owners: [usize; LANES],
    n_frames: usize,
    /// Of the sensor that is being heard: start of its next frame, end of its samples, and the end of what frames that wait need.
    start: usize,
    end: usize,
    base: usize,
}

impl Lanes<'_> {
    /// Lays down what a sensor kept. Frames that wait for other tables than its own go first.
    pub(super) fn begin(&mut self, tables: &Arc<LogMel>, tail: &FrameTail, outs: &mut Outs) {
        if !self
            .tables
            .as_ref()
            .is_some_and(|own| Arc::ptr_eq(own, tables))
        {
            self.run(outs);
            self.tables = Some(tables.clone());
        }
        self.start = self.base;
        self.end = self.start + tail.samples().len();
        self.samples[self.start..self.end].copy_from_slice(tail.samples());
    }

    /// Takes as many samples as complete the group, or as there are, and says whether there may be more.
    pub(super) fn take(&mut self, resampler: &mut Resampler, samples: &mut &[f32]) -> bool {
        let n_missing = LANES - self.n_frames;
        let whole = self.start + (n_missing - 1) * HOP + WIN_LENGTH;
        self.end += resampler.take(samples, &mut self.samples[self.end..whole]);
        self.end == whole
    }

    /// Lines up the frames that are complete, but none from `end_frame` on; runs the group when it is whole.
    pub(super) fn line_up(
        &mut self,
        owner: usize,
        tail: &mut FrameTail,
        end_frame: u64,
        outs: &mut Outs,
    ) {
        while self.start + WIN_LENGTH <= self.end && tail.next_frame() < end_frame {
            self.starts[self.n_frames] = self.start;
            self.owners[self.n_frames] = owner;
            self.n_frames += 1;
            self.base = self.start + WIN_LENGTH;
            self.start += HOP;
            tail.pass();
            if self.n_frames == LANES {
                self.run(outs);
                self.samples.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
            }
        }
    }

    /// Hands back what the sensor's next frames need.
    pub(super) fn end(&mut self, tail: &mut FrameTail) {
        tail.keep(&self.samples[self.start..self.end]);
    }

    /// Sends the frames that wait through the front end, each to its owner.
    pub(super) fn run(&mut self, outs: &mut Outs) {
        let n_frames = std::mem::take(&mut self.n_frames);
        self.base = 0;
        let Some(tables) = self.tables.as_ref().filter(|_| n_frames > 0) else {
            return;
        };
        let frames = (&*self.samples, &self.starts[..n_frames]);
        let rows = &mut self.rows[..n_frames * N_BANDS];
        let energy = &mut self.energy[..n_frames];
        tables.group_into(frames, self.scratch, rows, energy);
        let mut from = 0;
        for of_one in self.owners[..n_frames].chunk_by(|a, b| a == b) {
            let to = from + of_one.len();
            if let Some(out) = outs.of(of_one[0]) {
                append(out, &rows[from * N_BANDS..to * N_BANDS], &energy[from..to]);
            }
            from = to;
        }
    }
}

fn append(out: &mut Description, bands: &[f32], energy: &[f32]) {
    out.bands.extend_from_slice(bands);
    out.masked_energy.extend_from_slice(energy);
}

/// Frames of one sensor, in working memory that lasts as long as the call.
pub(super) fn in_lanes<T>(
    out: &mut Description,
    call: impl FnOnce(&mut Lanes, &mut Outs) -> T,
) -> T {
    let mut memory = Memory::<OF_ONE>::new();
    let mut lanes = memory.lanes();
    let mut outs = Outs {
        before: &mut [],
        this: Some(out),
    };
    let result = call(&mut lanes, &mut outs);
    lanes.run(&mut outs);
    result
}
