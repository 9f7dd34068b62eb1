//! `AudioBlock`: the samples of one message, owned and wiped by the core.

use std::fmt;

use zeroize::Zeroizing;

use crate::error::{BlockError, Reason};

/// Lowest accepted sample rate, in Hz.
pub const MIN_SAMPLE_RATE: u32 = 8_000;
/// Highest accepted sample rate, in Hz.
pub const MAX_SAMPLE_RATE: u32 = 192_000;

/// Consecutive samples of one channel of one sensor.
///
/// # Guarantee
/// The samples are private, are reachable only inside this crate, and are overwritten when the block is dropped. The type
/// has no `Clone`, no serialisation and a `Debug` that prints ids and sizes.
///
/// ```compile_fail
/// fn samples(block: &dsp_core::sound::AudioBlock) -> &[f32] {
///     block.samples()
/// }
/// ```
/// ```compile_fail
/// fn copy(block: &dsp_core::sound::AudioBlock) -> dsp_core::sound::AudioBlock {
///     block.clone()
/// }
/// ```
/// ```compile_fail
/// fn send(block: &dsp_core::sound::AudioBlock) -> Vec<u8> {
///     dsp_core::open::record::canonical_bytes(block)
/// }
/// ```
pub struct AudioBlock {
    sensor_id: u32,
    sample_rate: u32,
    start_sample: u64,
    samples: Zeroizing<Vec<f32>>,
}

impl AudioBlock {
    /// Takes samples over, after checking them.
    ///
    /// # Shape
    /// `samples`: (n,), f32, full scale ±1; `start_sample`: position of the first one in the stream, in samples.
    ///
    /// # Errors
    /// `Empty`, `BadRate` (outside 8 000 to 192 000 Hz), `NotFinite` (names the first position).
    pub fn new(
        sensor_id: u32,
        sample_rate: u32,
        start_sample: u64,
        samples: Vec<f32>,
    ) -> Result<Self, BlockError> {
        let samples = Zeroizing::new(samples);
        check_sample_rate(sample_rate)?;
        if samples.is_empty() {
            return Err(BlockError::new(Reason::Empty, "at least 1 sample", 0));
        }
        if let Some(i) = samples.iter().position(|x| !x.is_finite()) {
            let at = start_sample + i as u64;
            return Err(BlockError::new(
                Reason::NotFinite,
                "finite samples",
                format!("NaN or infinity at sample {at}"),
            ));
        }
        Ok(Self {
            sensor_id,
            sample_rate,
            start_sample,
            samples,
        })
    }

    /// The sensor that heard it.
    pub fn sensor_id(&self) -> u32 {
        self.sensor_id
    }

    /// Sample rate in Hz.
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// Position of the first sample in the stream.
    pub fn start_sample(&self) -> u64 {
        self.start_sample
    }

    /// Number of samples, never 0.
    pub fn n_samples(&self) -> usize {
        self.samples.len()
    }

    #[allow(dead_code)]
    pub(crate) fn samples(&self) -> &[f32] {
        &self.samples
    }
}

/// Refuses rates that no stage is made for.
pub(crate) fn check_sample_rate(sample_rate: u32) -> Result<(), BlockError> {
    if (MIN_SAMPLE_RATE..=MAX_SAMPLE_RATE).contains(&sample_rate) {
        return Ok(());
    }
    Err(BlockError::new(
        Reason::BadRate,
        format!("{MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz"),
        format!("{sample_rate} Hz"),
    ))
}

impl fmt::Debug for AudioBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AudioBlock")
            .field("sensor_id", &self.sensor_id)
            .field("sample_rate", &self.sample_rate)
            .field("start_sample", &self.start_sample)
            .field("n_samples", &self.n_samples())
            .finish()
    }
}
