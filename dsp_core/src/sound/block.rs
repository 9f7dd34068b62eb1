//! `AudioBlock`: the samples of one message, owned and wiped by the core.

use std::fmt;

use crate::error::{BlockError, Reason};
use crate::wiped::Wiped;

/// Lowest accepted sample rate, in Hz.
pub const MIN_SAMPLE_RATE: u32 = 8_000;
/// Highest accepted sample rate, in Hz.
pub const MAX_SAMPLE_RATE: u32 = 192_000;

/// Largest accepted magnitude of a sample, full scale being 1: 60 dB of headroom, and far from where squares overflow.
pub const MAX_MAGNITUDE: f32 = 1000.0;

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
    samples: Wiped<f32>,
}

impl AudioBlock {
    /// Takes samples over, after checking them.
    ///
    /// # Shape
    /// `samples`: (n,), f32, full scale ±1; `start_sample`: position of the first one in the stream, in samples.
    ///
    /// # Errors
    /// `Empty`, `BadRate` (outside 8 000 to 192 000 Hz), `NotFinite` and `OutOfRange` (a magnitude over 1 000); these two name
    /// the first position.
    pub fn new(
        sensor_id: u32,
        sample_rate: u32,
        start_sample: u64,
        samples: Vec<f32>,
    ) -> Result<Self, BlockError> {
        let samples = Wiped::new(samples);
        check_sample_rate(sample_rate)?;
        if samples.is_empty() {
            return Err(BlockError::new(Reason::Empty, "at least 1 sample", 0));
        }
        if let Some((_, fault)) = first_fault(&samples, start_sample) {
            return Err(fault);
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

/// The first sample that no stage is made for, if there is one, and what is wrong with it.
pub(crate) fn first_fault(samples: &[f32], start_sample: u64) -> Option<(usize, BlockError)> {
    // Without an early exit the check runs over many samples at once; the position is looked for only where it is needed.
    let is_sound = |x: &f32| x.abs() <= MAX_MAGNITUDE;
    if samples.iter().fold(true, |ok, x| ok & is_sound(x)) {
        return None;
    }
    let i = samples.iter().position(|x| !is_sound(x))?;
    let at = start_sample + i as u64;
    let fault = if samples[i].is_finite() {
        let expected = format!("samples within ±{MAX_MAGNITUDE}, full scale being ±1");
        BlockError::new(Reason::OutOfRange, expected, format!("more at sample {at}"))
    } else {
        let actual = format!("NaN, infinity or more than 32 bits hold at sample {at}");
        BlockError::new(Reason::NotFinite, "finite samples", actual)
    };
    Some((i, fault))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(sample: f32) -> Option<Reason> {
        let samples = vec![0.0, 0.5, sample];
        AudioBlock::new(1, 16_000, 40, samples)
            .err()
            .map(|e| e.reason)
    }

    #[test]
    fn samples_that_no_stage_is_made_for_are_refused() {
        assert_eq!(refusal(f32::NAN), Some(Reason::NotFinite));
        assert_eq!(refusal(f32::NEG_INFINITY), Some(Reason::NotFinite));
        assert_eq!(refusal(-1000.1), Some(Reason::OutOfRange));
        assert_eq!(refusal(1000.0), None);
        assert_eq!(refusal(f32::MIN_POSITIVE / 2.0), None);
    }

    #[test]
    fn a_refusal_names_the_position_in_the_stream() {
        let error = AudioBlock::new(1, 16_000, 40, vec![0.0, f32::NAN]).err();
        assert!(error.is_some_and(|e| e.actual.ends_with("at sample 41")));
    }

    #[test]
    fn it_shows_ids_and_sizes() {
        let block = AudioBlock::new(7, 16_000, 3, vec![0.123; 5]).unwrap();
        let expected =
            "AudioBlock { sensor_id: 7, sample_rate: 16000, start_sample: 3, n_samples: 5 }";
        assert_eq!(format!("{block:?}"), expected);
    }
}
