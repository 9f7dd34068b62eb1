//! What `describe` makes of sound: frames and levels.

use std::fmt;

use crate::analysis::window::N_BANDS;
use crate::wiped::Wiped;

/// What `describe` makes of one block: log-mel frames, their energy outside the speech band, and the seconds that ended.
///
/// # Guarantee
/// Fields are private to the crate and overwritten when dropped; `Debug` prints ids and sizes.
#[derive(Default)]
pub struct Description {
    pub(crate) sensor_id: u32,
    /// Second of the stream's first sample, since 1970-01-01T00:00:00Z.
    pub(crate) start_slot: u64,
    /// Number of the first frame here (of the next one, where there is none); frame f starts at 16 kHz sample 160 f of
    /// the stream.
    pub(crate) first_frame: u64,
    /// (n_frames, 64), ln(mel magnitude + 0.001).
    pub(crate) bands: Wiped<f32>,
    /// (n_frames,), A-weighted mean square without 300-3400 Hz ± 80 Hz, full scale = 1.
    pub(crate) masked_energy: Wiped<f32>,
    /// Seconds of sound that ended in this block.
    pub(crate) seconds: Wiped<SecondLevel>,
}

/// The level of one second of sound.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SecondLevel {
    /// Second since 1970-01-01T00:00:00Z.
    pub(crate) slot: u64,
    /// Share of the second that was heard, 0 to 1.
    pub(crate) heard: f32,
    /// A-weighted mean square of what was heard, full scale = 1.
    pub(crate) a_mean_square: f64,
    /// Fast A-weighted level (mean square) at the end of each 125 ms; those not heard are negative.
    pub(crate) fast: [f32; 8],
    /// Samples at full scale that follow another one.
    pub(crate) n_clipped: u32,
    /// Nothing but a constant or silence: all samples within one step of 16 bits.
    pub(crate) is_silent: bool,
}

impl Description {
    /// The sensor that it describes.
    pub fn sensor_id(&self) -> u32 {
        self.sensor_id
    }

    /// Number of frames that the block completed.
    pub fn n_frames(&self) -> usize {
        self.masked_energy.len()
    }
}

impl Description {
    /// Makes room for frames to come, so that those that are here need not be moved, and left behind.
    pub(crate) fn reserve(&mut self, n_frames: usize) {
        self.bands.reserve(n_frames * N_BANDS);
        self.masked_energy.reserve(n_frames);
    }

    /// Overwrites and empties it; keeps its capacity.
    pub(crate) fn clear(&mut self, sensor_id: u32, start_slot: u64, first_frame: u64) {
        self.sensor_id = sensor_id;
        self.start_slot = start_slot;
        self.first_frame = first_frame;
        self.bands.clear();
        self.masked_energy.clear();
        self.seconds.clear();
    }
}

impl fmt::Debug for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Description")
            .field("sensor_id", &self.sensor_id)
            .field("n_frames", &self.n_frames())
            .finish_non_exhaustive()
    }
}
