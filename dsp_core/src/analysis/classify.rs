//! Feature windows to candidates.

use std::fmt;

use crate::open::SoundClass;

/// Number of sound classes.
pub const N_CLASSES: usize = SoundClass::ALL.len();
/// Margin of a class that the model has no output for.
pub const NO_OUTPUT: f32 = f32::NEG_INFINITY;

/// The scores of one window, relative to each class's threshold: what might leave.
///
/// # Guarantee
/// Scores are private to the crate and overwritten when dropped; no `Clone`, no serialisation, `Debug` prints ids only.
pub struct Candidate {
    pub(crate) sensor_id: u32,
    /// Number of the window.
    pub(crate) index: u64,
    /// Second that the event would be in.
    pub(crate) slot: u64,
    /// A-weighted level of the window without the speech band.
    pub(crate) level_dbfs: f32,
    /// (16,), logit minus threshold on the full band, by `SoundClass` code.
    pub(crate) full_margin: [f32; N_CLASSES],
    /// (16,), logit minus threshold on the masked bands; `NO_OUTPUT` throughout where the masked pass was not needed.
    pub(crate) masked_margin: [f32; N_CLASSES],
    /// (16,), 0 to 3, from the deciding pass.
    pub(crate) confidence: [u8; N_CLASSES],
}

impl Candidate {
    /// The sensor that heard it.
    pub fn sensor_id(&self) -> u32 {
        self.sensor_id
    }

    /// Number of its window.
    pub fn index(&self) -> u64 {
        self.index
    }
}

impl Drop for Candidate {
    fn drop(&mut self) {
        use zeroize::Zeroize;
        self.level_dbfs.zeroize();
        self.full_margin.zeroize();
        self.masked_margin.zeroize();
        self.confidence.zeroize();
    }
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate")
            .field("sensor_id", &self.sensor_id)
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}
