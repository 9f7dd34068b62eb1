//! `FeatureWindow`: 0.96 s of log-mel bands, the input of the classifier.

use std::fmt;

use zeroize::Zeroizing;

use crate::checkpoint::{Reader, Writer, damaged};
use crate::error::{BlockError, Reason};

/// Bands of one frame.
pub const N_BANDS: usize = 64;
/// Frames of one window.
pub const WINDOW_FRAMES: usize = 96;
/// Frames between the starts of two windows.
pub const WINDOW_HOP: usize = 48;
/// Frames of a second.
pub(crate) const FRAMES_PER_SLOT: u64 = 100;
/// Steps of one ln-mel unit: 0.004 dB, and ±16 units hold ±140 dB about full scale.
pub(crate) const BAND_STEPS: f32 = 2_048.0;
/// Version of what a window holds: another front end, whose windows the network was not trained on, has another one.
pub(crate) const FEATURES_VERSION: u32 = 1;

/// First second that a window after this one can be heard in: what comes before it is over.
pub(crate) fn first_slot_after(start_slot: u64, index: u64) -> u64 {
    let start_frame = index.saturating_add(1).saturating_mul(WINDOW_HOP as u64);
    start_slot.saturating_add(start_frame / FRAMES_PER_SLOT)
}

/// The seconds that a window lies in: its slot is one of them.
pub(crate) fn slots_of(start_slot: u64, index: u64) -> std::ops::RangeInclusive<u64> {
    let start = index.saturating_mul(WINDOW_HOP as u64);
    let last = start.saturating_add(WINDOW_FRAMES as u64 - 1);
    let slot = |frame: u64| start_slot.saturating_add(frame / FRAMES_PER_SLOT);
    slot(start)..=slot(last)
}

/// A span of log-mel frames of one sensor, on the grid of window starts every 48 frames from the start of the stream.
///
/// An empty one holds no bands: it says that the stream has come so far and that no window before is still to come. Where the
/// chain is cut, it ends an alarm, so that what the gate holds leaves in time.
///
/// # Guarantee
/// The bands are private and overwritten when the window is dropped. No `Clone`, no serialisation; `Debug` prints ids and
/// sizes.
///
/// ```compile_fail
/// fn bands(window: &dsp_core::analysis::FeatureWindow) -> &[f32] {
///     window.bands()
/// }
/// ```
pub struct FeatureWindow {
    sensor_id: u32,
    /// Second of the stream's first sample: `(start_slot, index)` grows from window to window of a sensor.
    start_slot: u64,
    index: u64,
    slot: u64,
    /// When the zone received its sound, in ms since 1970-01-01T00:00:00Z.
    received_ms: Option<u64>,
    level_dbfs: f32,
    bands: Zeroizing<Vec<f32>>,
}

impl FeatureWindow {
    /// `bands`: (96, 64), f32, ln(mel magnitude + 0.001); `slot`: second of the loudest frame outside the speech band;
    /// `level_dbfs`: A-weighted level of the window without the speech band.
    pub(crate) fn new(
        sensor_id: u32,
        index: u64,
        slot: u64,
        level_dbfs: f32,
        bands: Vec<f32>,
    ) -> Self {
        debug_assert_eq!(bands.len(), WINDOW_FRAMES * N_BANDS);
        let bands = Zeroizing::new(bands);
        Self {
            sensor_id,
            start_slot: 0,
            index,
            slot,
            received_ms: None,
            level_dbfs,
            bands,
        }
    }

    /// A window without bands.
    pub(crate) fn empty(sensor_id: u32, start_slot: u64, index: u64) -> Self {
        Self {
            sensor_id,
            start_slot,
            index,
            slot: *slots_of(start_slot, index).start(),
            received_ms: None,
            level_dbfs: 0.0,
            bands: Zeroizing::default(),
        }
    }

    /// The same window of a stream that began at another second than 0.
    pub(crate) fn of_stream(mut self, start_slot: u64) -> Self {
        self.start_slot = start_slot;
        self
    }

    /// The sensor that heard it.
    pub fn sensor_id(&self) -> u32 {
        self.sensor_id
    }

    /// Number of the window: it starts at frame 48 × `index` of the stream.
    pub fn index(&self) -> u64 {
        self.index
    }

    pub(crate) fn start_slot(&self) -> u64 {
        self.start_slot
    }

    /// When the zone received its sound, in ms since 1970-01-01T00:00:00Z.
    pub fn received_ms(&self) -> Option<u64> {
        self.received_ms
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bands.is_empty()
    }

    pub(crate) fn slot(&self) -> u64 {
        self.slot
    }

    pub(crate) fn level_dbfs(&self) -> f32 {
        self.level_dbfs
    }

    pub(crate) fn bands(&self) -> &[f32] {
        &self.bands
    }

    /// Writes all but its place and its time. An empty window is as long as any other.
    ///
    /// # Errors
    /// `OutOfRange` for bands that no trigger cuts: they lie on the grid of its ring.
    pub(crate) fn write(&self, out: &mut Writer) -> Result<(), BlockError> {
        out.u64(self.slot);
        out.f32(self.level_dbfs);
        out.flag(self.is_empty());
        let mut frame = Zeroizing::new([0; 2 * N_BANDS]);
        for start in (0..WINDOW_FRAMES * N_BANDS).step_by(N_BANDS) {
            for (i, two) in (start..).zip(frame.as_chunks_mut().0) {
                let band = self.bands.get(i).copied().unwrap_or(0.0);
                let steps = (band * BAND_STEPS) as i16;
                if band_of(steps).to_bits() != band.to_bits() {
                    let expected = format!("bands in steps of 1/{BAND_STEPS}");
                    return Err(BlockError::new(Reason::OutOfRange, expected, "others"));
                }
                *two = steps.to_le_bytes();
            }
            out.bytes(&*frame);
        }
        Ok(())
    }

    /// Reads back what `write` wrote. `place`: sensor, start of the stream, number of the window.
    pub(crate) fn read(
        input: &mut Reader,
        (sensor_id, start_slot, index): (u32, u64, u64),
        received_ms: u64,
    ) -> Result<Self, BlockError> {
        let slot = input.u64()?;
        let level_dbfs = input.finite_f32()?;
        let is_empty = input.flag()?;
        if !slots_of(start_slot, index).contains(&slot) {
            return Err(damaged("a second outside the window"));
        }
        let mut bands = Zeroizing::new(Vec::with_capacity(WINDOW_FRAMES * N_BANDS));
        for _ in 0..WINDOW_FRAMES * N_BANDS {
            bands.push(band_of(i16::from_le_bytes(input.array()?)));
        }
        if is_empty {
            bands = Zeroizing::default();
        }
        Ok(Self {
            sensor_id,
            start_slot,
            index,
            slot,
            received_ms: Some(received_ms),
            level_dbfs,
            bands,
        })
    }
}

/// A band of a number of steps.
fn band_of(steps: i16) -> f32 {
    f32::from(steps) * (1.0 / BAND_STEPS)
}

impl fmt::Debug for FeatureWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeatureWindow")
            .field("sensor_id", &self.sensor_id)
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::analysis::{Describe, Description, Trigger};
    use crate::sound::AudioBlock;

    /// Windows of a falling tone over noise, from 48 kHz.
    fn windows() -> Vec<FeatureWindow> {
        let mut describe = Describe::new(1, 48_000, 0).unwrap();
        let mut trigger = Trigger::new(1, f64::INFINITY, None).unwrap();
        let mut description = Description::default();
        let sample = |i: u32| {
            let noise = (i.wrapping_mul(2_654_435_761) >> 16) as f32 / 65_536.0 - 0.5;
            let square = if (i / (8 + i / 6_000)).is_multiple_of(2) {
                0.3
            } else {
                -0.3
            };
            0.05 * noise + square
        };
        let samples = (0..144_000).map(sample).collect();
        let block = AudioBlock::new(1, 48_000, 0, samples).unwrap();
        describe.push_into(&block, &mut description).unwrap();
        trigger.push(&description)
    }

    /// Whoever changes what a window holds sees this fail, and gives it another version.
    #[test]
    fn the_version_is_that_of_the_bytes() {
        let mut out = Writer::default();
        for window in windows() {
            window.write(&mut out).unwrap();
        }
        let digest = Sha256::digest(&*out.into_bytes());
        let known = [237, 87, 255, 103];
        assert_eq!((FEATURES_VERSION, &digest[..4]), (1, &known[..]));
    }

    #[test]
    fn bands_off_the_grid_are_not_written() {
        let bands = vec![0.1; WINDOW_FRAMES * N_BANDS];
        let window = FeatureWindow::new(1, 0, 0, 0.0, bands);
        let refusal = window.write(&mut Writer::default()).unwrap_err();
        assert_eq!(refusal.reason, Reason::OutOfRange);
    }
}
