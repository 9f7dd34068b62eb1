//! The state of the stages as bytes, so that a stream goes on elsewhere as if nothing had happened.
//!
//! A checkpoint holds every state variable but the sample tail and the frame ring; those are refilled from the two seconds
//! of sound before its position. A live stream has no such sound: it is resumed, which keeps what was learned and what the
//! gates know, and begins to listen anew. The bytes leave only sealed.

use std::fmt;

use zeroize::Zeroizing;

use crate::analysis::{Describe, Trigger};
use crate::error::{BlockError, ParameterError, Reason};
use crate::gate::{Gate, LevelGate};
use crate::open::Policy;
use crate::seal::{KeyRing, Sealer, Topic};

/// What the bytes begin with: kind and version.
const MAGIC: u64 = u64::from_le_bytes(*b"SRDNCKP2");

/// The state of a sensor's stages at one position of its stream.
///
/// # Guarantee
/// Its bytes are private and overwritten when it is dropped; `Debug` prints the position alone. Restored under another policy,
/// or from bytes that are not those of a checkpoint, it is refused: an error, never a panic.
///
/// ```
/// fn position(checkpoint: &dsp_core::checkpoint::Checkpoint) -> u64 {
///     checkpoint.position()
/// }
/// ```
/// ```compile_fail,E0599
/// fn bytes(checkpoint: &dsp_core::checkpoint::Checkpoint) -> &[u8] {
///     checkpoint.as_bytes()
/// }
/// ```
pub struct Checkpoint {
    sensor_id: u32,
    position: u64,
    bytes: Zeroizing<Vec<u8>>,
}

/// The stages of one sensor, as they were.
pub struct Stages {
    /// To be refilled with the two seconds of sound before the position.
    pub describe: Describe,
    /// To be refilled with what `describe` makes of them.
    pub trigger: Trigger,
    /// As it was.
    pub gate: Gate,
    /// As it was.
    pub level_gate: LevelGate,
}

impl Checkpoint {
    /// Keeps the state of the stages of one sensor, between two blocks.
    pub fn new(
        describe: &Describe,
        trigger: &Trigger,
        gate: &Gate,
        level_gate: &LevelGate,
    ) -> Self {
        let position = describe.position();
        let mut out = Writer::default();
        out.u64(MAGIC);
        out.u64(position);
        describe.save(&mut out);
        trigger.save(&mut out);
        gate.save(&mut out);
        level_gate.save(&mut out);
        let bytes = Zeroizing::new(out.into_bytes());
        Self {
            sensor_id: describe.sensor_id(),
            position,
            bytes,
        }
    }

    /// Next expected sample of the stream.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The stages as they were. Refill frames and tail from the two seconds before the position, then go on.
    ///
    /// # Errors
    /// `BadCheckpoint`: of another policy, of another version, of stages that do not belong together, or damaged.
    pub fn restore(&self, policy: &Policy) -> Result<Stages, BlockError> {
        let mut input = Reader::new(&self.bytes);
        if input.u64()? != MAGIC {
            return Err(damaged("other bytes, or another version"));
        }
        let position = input.u64()?;
        let stages = Stages {
            describe: Describe::load(&mut input)?,
            trigger: Trigger::load(&mut input)?,
            gate: Gate::load(policy, &mut input)?,
            level_gate: LevelGate::load(policy, &mut input)?,
        };
        input.finish()?;
        let sensors = [
            stages.describe.sensor_id(),
            stages.trigger.sensor_id(),
            stages.gate.sensor_id(),
            stages.level_gate.sensor_id(),
        ];
        if sensors.iter().any(|&id| id != sensors[0]) {
            return Err(damaged("stages of different sensors"));
        }
        if stages.describe.position() != position {
            return Err(damaged("stages of another position"));
        }
        Ok(stages)
    }

    /// The stages of a live stream that goes on at `start_slot` without the sound before: the gates as they were, a trigger
    /// that knows the background, and a new beginning of the sound.
    ///
    /// # Errors
    /// As [`Checkpoint::restore`]; `BadCheckpoint` also for a rate that no stage is made for.
    pub fn resume(
        &self,
        policy: &Policy,
        sample_rate: u32,
        start_slot: u64,
    ) -> Result<Stages, BlockError> {
        let kept = self.restore(policy)?;
        let refused =
            |e: ParameterError| BlockError::new(Reason::BadCheckpoint, e.expected, e.actual);
        let sensor_id = kept.gate.sensor_id();
        let background = kept.trigger.background();
        Ok(Stages {
            describe: Describe::new(sensor_id, sample_rate, start_slot)
                .and_then(|describe| describe.with_speech_band(policy.speech_band_hz()))
                .map_err(refused)?,
            trigger: Trigger::new(sensor_id, policy.alarms_per_day(), Some(&background))
                .map_err(refused)?,
            ..kept
        })
    }

    /// The state as sealed bytes, its only wire form.
    ///
    /// # Errors
    /// As the sealer's.
    pub fn seal(&self, sealer: &mut Sealer) -> Result<Vec<u8>, BlockError> {
        sealer.seal(Topic::Checkpoints, self.sensor_id, &self.bytes)
    }

    /// Opens what [`Checkpoint::seal`] sealed for this sensor.
    ///
    /// # Errors
    /// `BadSeal`; `BadCheckpoint` of another version.
    pub fn unseal(keys: &KeyRing, sensor_id: u32, sealed: &[u8]) -> Result<Self, BlockError> {
        let bytes = keys.open(Topic::Checkpoints, sensor_id, sealed)?;
        Self::from_bytes(sensor_id, bytes)
    }

    /// Takes over bytes that were unsealed; `restore` checks the rest of them.
    fn from_bytes(sensor_id: u32, bytes: Zeroizing<Vec<u8>>) -> Result<Self, BlockError> {
        let mut input = Reader::new(&bytes);
        if input.u64()? != MAGIC {
            return Err(damaged("other bytes, or another version"));
        }
        let position = input.u64()?;
        Ok(Self {
            sensor_id,
            position,
            bytes,
        })
    }
}

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checkpoint")
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

/// Appends state in a fixed order, little-endian.
#[derive(Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

/// Reads state back in the same order; never reads past the end, never panics.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
}

pub(crate) fn damaged(what: &str) -> BlockError {
    BlockError::new(Reason::BadCheckpoint, "an intact checkpoint", what)
}

macro_rules! scalar {
    ($($name:ident),+) => {
        #[allow(dead_code)]
        impl Writer {
            $(pub(crate) fn $name(&mut self, value: $name) {
                self.bytes.extend_from_slice(&value.to_le_bytes());
            })+
        }
        #[allow(dead_code)]
        impl Reader<'_> {
            $(pub(crate) fn $name(&mut self) -> Result<$name, BlockError> {
                let (head, tail) = self.bytes.split_first_chunk().ok_or_else(|| damaged("one that ends early"))?;
                self.bytes = tail;
                Ok($name::from_le_bytes(*head))
            })+
        }
    };
}
scalar!(u8, u16, u32, u64, i64, f32, f64);

#[allow(dead_code)]
impl Writer {
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn flag(&mut self, value: bool) {
        self.u8(value.into());
    }

    pub(crate) fn option(&mut self, value: Option<u64>) {
        self.flag(value.is_some());
        self.u64(value.unwrap_or(0));
    }

    pub(crate) fn f32s(&mut self, values: &[f32]) {
        values.iter().for_each(|&v| self.f32(v));
    }

    pub(crate) fn f64s(&mut self, values: &[f64]) {
        values.iter().for_each(|&v| self.f64(v));
    }
}

#[allow(dead_code)]
impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// Fills a slice of known length with finite values.
    pub(crate) fn f32s(&mut self, out: &mut [f32]) -> Result<(), BlockError> {
        for value in out {
            *value = self.finite_f32()?;
        }
        Ok(())
    }

    /// Fills a slice of known length with finite values.
    pub(crate) fn f64s(&mut self, out: &mut [f64]) -> Result<(), BlockError> {
        for value in out {
            *value = self.f64()?;
            if !value.is_finite() {
                return Err(damaged("a value that is not finite"));
            }
        }
        Ok(())
    }

    pub(crate) fn flag(&mut self) -> Result<bool, BlockError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(damaged("a flag that is neither 0 nor 1")),
        }
    }

    pub(crate) fn option(&mut self) -> Result<Option<u64>, BlockError> {
        let is_some = self.flag()?;
        let value = self.u64()?;
        Ok(is_some.then_some(value))
    }

    pub(crate) fn finite_f32(&mut self) -> Result<f32, BlockError> {
        let value = self.f32()?;
        value
            .is_finite()
            .then_some(value)
            .ok_or_else(|| damaged("a value that is not finite"))
    }

    /// Every byte was read.
    pub(crate) fn finish(self) -> Result<(), BlockError> {
        if self.bytes.is_empty() {
            Ok(())
        } else {
            Err(damaged("one with bytes left over"))
        }
    }
}

#[cfg(test)]
mod tests;
