//! Blocks of many sensors in one call.

use crate::analysis::description::Description;
use crate::error::BlockError;
use crate::sound::AudioBlock;
use crate::wiped::Wiped;

use super::Describe;
use super::lanes::{Memory, OF_MANY};

/// Vectors that a workspace keeps.
const MAX_SPARE: usize = 64;

/// A block to be described.
pub struct Job<'a> {
    /// Its sensor's stage.
    pub stage: &'a mut Describe,
    /// The next block of that sensor.
    pub block: &'a AudioBlock,
    /// Where its frames and seconds go.
    pub out: &'a mut Description,
    /// Why the block was refused, if it was: then the stage is as it was, and `out` is empty.
    pub refusal: Option<BlockError>,
}

/// What describing many sensors works in: 70 kB and the memory of some descriptions, made once and used again.
///
/// # Guarantee
/// Holds sound and spectra while a call lasts; is overwritten before the call returns.
pub struct Workspace {
    memory: Box<Memory<OF_MANY>>,
    /// Empty vectors for the bands of descriptions to come.
    spare: Vec<Wiped<f32>>,
}

impl Workspace {
    /// An empty one.
    pub fn new() -> Self {
        Self {
            memory: Box::new(Memory::new()),
            spare: Vec::new(),
        }
    }

    /// Overwrites the bands of a description that the next stages have taken, and keeps their memory for others. The
    /// description still says how far it reaches and what its seconds were.
    pub fn take_back(&mut self, out: &mut Description) {
        let mut bands = std::mem::take(&mut out.bands);
        bands.clear();
        if self.spare.len() < MAX_SPARE {
            self.spare.push(bands);
        }
    }

    #[cfg(test)]
    pub(super) fn is_wiped(&self) -> bool {
        self.memory.is_wiped() && self.spare.iter().all(|bands| bands.is_empty())
    }
}

impl Default for Workspace {
    fn default() -> Self {
        Self::new()
    }
}

/// Describes blocks of many sensors, of any lengths and rates.
///
/// Each job comes to what `Describe::push_into` makes of it alone, to the bit, and has its own refusal. What is gained is that
/// frames of several sensors go through the front end side by side, where one block alone does not fill its lanes, and
/// that the working memory is wiped once.
///
/// # Shape
/// No allocation once each `out` has held as much.
///
/// # Guarantee
/// Nothing that comes of one job depends on the sound of another.
pub fn push_many_into(jobs: &mut [Job<'_>], workspace: &mut Workspace) {
    for job in jobs.iter_mut().filter(|job| job.out.bands.capacity() == 0) {
        job.out.bands = workspace.spare.pop().unwrap_or_default();
    }
    let mut lanes = workspace.memory.lanes();
    for number in 0..jobs.len() {
        let (before, rest) = jobs.split_at_mut(number);
        if let Some(job) = rest.first_mut() {
            let mut outs = Outs {
                before,
                this: Some(job.out),
            };
            let taken = job.stage.take_in(job.block, number, &mut lanes, &mut outs);
            job.refusal = taken.err();
        }
    }
    let mut outs = Outs {
        before: jobs,
        this: None,
    };
    lanes.run(&mut outs);
    workspace.memory.wipe();
}

/// Where frames go: to the jobs before the one at work, and to that one.
pub(super) struct Outs<'a, 'b> {
    pub(super) before: &'a mut [Job<'b>],
    pub(super) this: Option<&'a mut Description>,
}

impl Outs<'_, '_> {
    pub(super) fn of(&mut self, owner: usize) -> Option<&mut Description> {
        match self.before.get_mut(owner) {
            Some(job) => Some(job.out),
            None => self.this.as_deref_mut(),
        }
    }
}
