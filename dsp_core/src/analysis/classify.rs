//! Feature windows to candidates: the network on the full band and, where that could matter, again without the speech band.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

pub use super::model::{Model, ModelClass};
use super::network::{LANES, Scratch};
use super::window::{FeatureWindow, N_BANDS, first_slot_after, slots_of};
use crate::ParameterError;
use crate::checkpoint::{Reader, Writer, damaged};
use crate::error::BlockError;
use crate::open::SoundClass;
use crate::open::policy::SPEECH_BAND_HZ;
use crate::sound::mel::{LogMel, LogMelSettings};

/// Number of sound classes.
pub const N_CLASSES: usize = SoundClass::ALL.len();
/// Margin of a class that the model has no output for.
pub const NO_OUTPUT: f32 = f32::NEG_INFINITY;
/// What a masked band is read as: the value of a band that heard nothing, ln(0 + 0.001).
const MASK_FILL: f32 = -6.907_755_4;

/// The scores of one window, relative to each class's threshold: what might leave.
///
/// # Guarantee
/// Scores are private to the crate and overwritten when dropped; no `Clone`, no serialisation, `Debug` prints ids only.
pub struct Candidate {
    pub(crate) sensor_id: u32,
    /// Second of the first sample of the window's stream.
    pub(crate) start_slot: u64,
    /// Number of the window.
    pub(crate) index: u64,
    /// Second that the event would be in.
    pub(crate) slot: u64,
    /// When the zone received its sound, in ms since 1970-01-01T00:00:00Z.
    pub(crate) received_ms: Option<u64>,
    /// Version of the model that scored it.
    pub(crate) model: u32,
    /// Of an empty window: no scores.
    pub(crate) is_empty: bool,
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
    /// When the zone received its sound, in ms since 1970-01-01T00:00:00Z.
    pub fn received_ms(&self) -> Option<u64> {
        self.received_ms
    }

    /// The sensor that heard it.
    pub fn sensor_id(&self) -> u32 {
        self.sensor_id
    }

    /// Number of its window.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// A candidate without scores.
    pub(crate) fn of(window: &FeatureWindow, model: u32) -> Self {
        Self {
            sensor_id: window.sensor_id(),
            start_slot: window.start_slot(),
            index: window.index(),
            slot: window.slot(),
            received_ms: window.received_ms(),
            model,
            is_empty: window.is_empty(),
            level_dbfs: window.level_dbfs(),
            full_margin: [NO_OUTPUT; N_CLASSES],
            masked_margin: [NO_OUTPUT; N_CLASSES],
            confidence: [0; N_CLASSES],
        }
    }

    /// First second that a candidate after this one can lie in.
    pub(crate) fn first_slot_after(&self) -> u64 {
        first_slot_after(self.start_slot, self.index)
    }

    /// Writes all but its place, its time and its model.
    pub(crate) fn write(&self, out: &mut Writer) {
        out.u64(self.slot);
        out.flag(self.is_empty);
        out.f32(self.level_dbfs);
        out.f32s(&self.full_margin);
        out.f32s(&self.masked_margin);
        out.bytes(&self.confidence);
    }

    /// Reads back what `write` wrote. `place`: sensor, start of the stream, number of the window.
    pub(crate) fn read(
        input: &mut Reader,
        (sensor_id, start_slot, index): (u32, u64, u64),
        received_ms: u64,
        model: u32,
    ) -> Result<Self, BlockError> {
        let slot = input.u64()?;
        if !slots_of(start_slot, index).contains(&slot) {
            return Err(damaged("a second outside the window"));
        }
        let mut candidate = Self::of(&FeatureWindow::empty(sensor_id, start_slot, index), model);
        candidate.slot = slot;
        candidate.received_ms = Some(received_ms);
        candidate.is_empty = input.flag()?;
        candidate.level_dbfs = input.finite_f32()?;
        for margins in [&mut candidate.full_margin, &mut candidate.masked_margin] {
            for value in margins {
                *value = input.f32()?;
            }
        }
        candidate.confidence = input.array()?;
        Ok(candidate)
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

/// Logit minus threshold; 0 or more exactly where the logit reaches the threshold. Not a number counts as no output.
fn margin(logit: f32, threshold: f32) -> f32 {
    let margin = logit - threshold;
    if margin.is_nan() { NO_OUTPUT } else { margin }
}

/// Steps above the threshold: 0 to 3.
fn confidence(margin: f32, step: f32) -> u8 {
    (margin / step).clamp(0.0, 3.0) as u8
}

/// Turns windows into candidates.
///
/// # Guarantee
/// A window's candidate depends on that window and the model alone, bit for bit, whatever came before and whatever the
/// CPU. The window is overwritten, and so is every activation computed from it. Nothing is allocated.
pub struct Classify {
    model: Arc<Model>,
    /// (64,), the bands that the masked pass does not see.
    masked: [bool; N_BANDS],
    scratch: Scratch,
}

impl Classify {
    /// `speech_band_hz`: what the masked pass must not see, guard included.
    ///
    /// # Errors
    /// A speech band that does not contain 220 to 3 480 Hz: a policy may widen it, never narrow it.
    pub fn new(model: Arc<Model>, speech_band_hz: [f64; 2]) -> Result<Self, ParameterError> {
        let [low, high] = speech_band_hz;
        let is_wide = low <= SPEECH_BAND_HZ[0] && high >= SPEECH_BAND_HZ[1];
        if !is_wide || low < 0.0 || !high.is_finite() {
            let actual = format!("{low} to {high}");
            let expected = "a band that contains 220 to 3480 Hz";
            return Err(ParameterError::new("speech_band_hz", expected, actual));
        }
        let touching = LogMel::new(LogMelSettings::STREET)?.bands_touching(low, high);
        let mut masked = [true; N_BANDS];
        for (is_masked, is_touching) in masked.iter_mut().zip(touching) {
            *is_masked = is_touching;
        }
        let scratch = model.network().scratch();
        Ok(Self {
            model,
            masked,
            scratch,
        })
    }

    /// The model's outputs, in its order.
    pub fn classes(&self) -> &[ModelClass] {
        self.model.classes()
    }

    /// Scores one window. The masked pass runs only where it can matter: if a class that is decided on it reaches its
    /// threshold on the full band, for without that the class cannot hit.
    pub fn push(&mut self, window: FeatureWindow) -> Candidate {
        self.score(&window, false)
    }

    fn score(&mut self, window: &FeatureWindow, is_masked_always: bool) -> Candidate {
        let mut candidate = Candidate::of(window, self.model.version());
        if window.is_empty() {
            return candidate;
        }
        let full = self.pass(window, &[false; N_BANDS]);
        let mut is_masked_needed = is_masked_always;
        for (class, logit) in self.model.classes().iter().zip(*full) {
            let code = usize::from(class.sound_class.code());
            let margin = margin(logit, class.full_threshold);
            candidate.full_margin[code] = margin;
            if class.sound_class.is_full_band() {
                candidate.confidence[code] = confidence(margin, class.confidence_step);
            } else {
                is_masked_needed |= margin >= 0.0;
            }
        }
        if is_masked_needed {
            let bands = self.masked;
            let masked = self.pass(window, &bands);
            for (class, logit) in self.model.classes().iter().zip(*masked) {
                let code = usize::from(class.sound_class.code());
                let margin = margin(logit, class.masked_threshold);
                candidate.masked_margin[code] = margin;
                if !class.sound_class.is_full_band() {
                    candidate.confidence[code] = confidence(margin, class.confidence_step);
                }
            }
        }
        self.scratch.wipe();
        candidate
    }

    fn pass(
        &mut self,
        window: &FeatureWindow,
        masked: &[bool; N_BANDS],
    ) -> Zeroizing<[f32; LANES]> {
        let network = self.model.network();
        Zeroizing::new(network.forward(window.bands(), masked, MASK_FILL, &mut self.scratch))
    }
}

impl fmt::Debug for Classify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Classify")
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
