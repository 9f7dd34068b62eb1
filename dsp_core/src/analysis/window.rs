//! `FeatureWindow`: 0.96 s of log-mel bands, the input of the classifier.

use std::fmt;

use zeroize::Zeroizing;

/// Bands of one frame.
pub const N_BANDS: usize = 64;
/// Frames of one window.
pub const WINDOW_FRAMES: usize = 96;
/// Frames between the starts of two windows.
pub const WINDOW_HOP: usize = 48;

/// A span of log-mel frames of one sensor, on the grid of window starts every 48 frames from the start of the stream.
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
    index: u64,
    slot: u64,
    level_dbfs: f32,
    bands: Zeroizing<Vec<f32>>,
}

impl FeatureWindow {
    /// `bands`: (96, 64), f32, ln(mel magnitude + 0.001); `slot`: second of the loudest frame outside the speech band;
    /// `level_dbfs`: A-weighted level of the window without the speech band.
    #[allow(dead_code)]
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
            index,
            slot,
            level_dbfs,
            bands,
        }
    }

    /// The sensor that heard it.
    pub fn sensor_id(&self) -> u32 {
        self.sensor_id
    }

    /// Number of the window: it starts at frame 48 × `index` of the stream.
    pub fn index(&self) -> u64 {
        self.index
    }

    #[allow(dead_code)]
    pub(crate) fn slot(&self) -> u64 {
        self.slot
    }

    #[allow(dead_code)]
    pub(crate) fn level_dbfs(&self) -> f32 {
        self.level_dbfs
    }

    #[allow(dead_code)]
    pub(crate) fn bands(&self) -> &[f32] {
        &self.bands
    }
}

impl fmt::Debug for FeatureWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeatureWindow")
            .field("sensor_id", &self.sensor_id)
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}
