//! The state of the stages as bytes, so that a stream goes on elsewhere as if nothing had happened.
//!
//! A checkpoint holds every state variable but the sample tail and the frame ring; those are refilled from the two seconds
//! of sound before its position. A live stream has no such sound: it is resumed, which keeps what was learned and what the
//! gates know, and begins to listen anew. Where the chain is cut, the stages before and after the cut have checkpoints of their
//! own: those of the sound, and the gate of events. The bytes leave only sealed.

use std::fmt;

use zeroize::Zeroizing;

use crate::analysis::{Describe, Trigger};
use crate::error::{BlockError, ParameterError, Reason};
use crate::gate::{Gate, LevelGate};
use crate::open::Policy;
use crate::seal::{KeyRing, Mark};

pub(crate) use bytes::{Reader, Writer, damaged};

mod bytes;

/// Version of the bytes.
pub(crate) const VERSION: u32 = 4;
/// What the bytes begin with.
const MAGIC: u64 = u64::from_le_bytes(*b"SRDNCKP4");

/// Which stages a checkpoint is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    /// All stages of a sensor.
    Chain = 0,
    /// The stages that hear: describe, trigger and level gate.
    Hearing = 1,
    /// The gate of events.
    Gate = 2,
}

/// The state of a sensor's stages at one position of their input.
///
/// # Guarantee
/// Its bytes are private and overwritten when it is dropped; `Debug` prints positions alone. Restored under another policy,
/// as other stages, or from bytes that are not those of a checkpoint, it is refused: an error, never a panic.
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
    kafka_offset: u64,
    note: Vec<u8>,
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

/// The stages of one sensor that hear, as they were.
pub struct Hearing {
    /// To be refilled with the two seconds of sound before the position.
    pub describe: Describe,
    /// To be refilled with what `describe` makes of them.
    pub trigger: Trigger,
    /// As it was.
    pub level_gate: LevelGate,
    /// The last sealed block that they took.
    pub mark: Mark,
}

impl Checkpoint {
    /// Keeps the state of all stages of one sensor, between two blocks.
    pub fn new(
        describe: &Describe,
        trigger: &Trigger,
        gate: &Gate,
        level_gate: &LevelGate,
    ) -> Self {
        let place = (describe.sensor_id(), describe.position(), 0);
        Self::write(Kind::Chain, place, &[], |out| {
            save_hearing(describe, trigger, level_gate, out);
            gate.save(out);
        })
    }

    /// Keeps the state of the stages of one sensor that hear, between two blocks. `kafka_offset`: where the input is to be
    /// read from again, with the two seconds before the position. `note`: what whoever carries the blocks must know to go on.
    pub fn of_hearing(
        describe: &Describe,
        trigger: &Trigger,
        level_gate: &LevelGate,
        mark: &Mark,
        kafka_offset: u64,
        note: &[u8],
    ) -> Self {
        let place = (describe.sensor_id(), describe.position(), kafka_offset);
        Self::write(Kind::Hearing, place, note, |out| {
            save_hearing(describe, trigger, level_gate, out);
            mark.save(out);
        })
    }

    /// Keeps the state of one sensor's gate of events, between two candidates. `kafka_offset`: where the input is to be read
    /// from again; what the gate took already is at or below the mark.
    pub fn of_gate(gate: &Gate, mark: &Mark, kafka_offset: u64) -> Self {
        let place = (gate.sensor_id(), 0, kafka_offset);
        Self::write(Kind::Gate, place, &[], |out| {
            gate.save(out);
            mark.save(out);
        })
    }

    fn write(
        kind: Kind,
        (sensor_id, position, kafka_offset): (u32, u64, u64),
        note: &[u8],
        save: impl FnOnce(&mut Writer),
    ) -> Self {
        let mut out = Writer::default();
        out.u64(MAGIC);
        out.u8(kind as u8);
        out.u64(position);
        out.u64(kafka_offset);
        out.u64(note.len() as u64);
        out.bytes(note);
        save(&mut out);
        Self {
            sensor_id,
            position,
            kafka_offset,
            note: note.to_vec(),
            bytes: out.into_bytes(),
        }
    }

    /// Next expected sample of the stream; 0 for a gate.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Where the input is to be read from again; 0 where it comes through no broker.
    pub fn kafka_offset(&self) -> u64 {
        self.kafka_offset
    }

    /// What whoever carries the blocks wrote beside the stages; empty where nobody did.
    pub fn note(&self) -> &[u8] {
        &self.note
    }

    /// The stages as they were. Refill frames and tail from the two seconds before the position, then go on.
    ///
    /// # Errors
    /// `BadCheckpoint`: of other stages, another policy, another version, of stages that do not belong together, or damaged.
    pub fn restore(&self, policy: &Policy) -> Result<Stages, BlockError> {
        let mut input = self.read(Kind::Chain)?;
        let (describe, trigger, level_gate) = self.load_hearing(policy, &mut input)?;
        let gate = self.load_gate(policy, &mut input)?;
        input.finish()?;
        Ok(Stages {
            describe,
            trigger,
            gate,
            level_gate,
        })
    }

    /// The stages that hear, as they were. Refill frames and tail from the two seconds before the position, then go on.
    ///
    /// # Errors
    /// As [`Checkpoint::restore`].
    pub fn restore_hearing(&self, policy: &Policy) -> Result<Hearing, BlockError> {
        let mut input = self.read(Kind::Hearing)?;
        let (describe, trigger, level_gate) = self.load_hearing(policy, &mut input)?;
        let mark = Mark::load(&mut input)?;
        input.finish()?;
        Ok(Hearing {
            describe,
            trigger,
            level_gate,
            mark,
        })
    }

    /// The gate of events as it was, and the last candidate that it took.
    ///
    /// # Errors
    /// As [`Checkpoint::restore`].
    pub fn restore_gate(&self, policy: &Policy) -> Result<(Gate, Mark), BlockError> {
        let mut input = self.read(Kind::Gate)?;
        let gate = self.load_gate(policy, &mut input)?;
        let mark = Mark::load(&mut input)?;
        input.finish()?;
        Ok((gate, mark))
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
        let (describe, trigger) = begun(&kept.trigger, policy, sample_rate, start_slot)?;
        Ok(Stages {
            describe,
            trigger,
            ..kept
        })
    }

    /// The stages that hear a live stream which goes on at `start_slot` without the sound before, as [`Checkpoint::resume`];
    /// `first_sample`: what the sensor counts its first sample as.
    ///
    /// # Errors
    /// As [`Checkpoint::resume`].
    pub fn resume_hearing(
        &self,
        policy: &Policy,
        sample_rate: u32,
        start_slot: u64,
        first_sample: u64,
    ) -> Result<Hearing, BlockError> {
        let kept = self.restore_hearing(policy)?;
        let (describe, trigger) = begun(&kept.trigger, policy, sample_rate, start_slot)?;
        Ok(Hearing {
            describe: describe.beginning_at(first_sample),
            trigger,
            ..kept
        })
    }

    /// The state as sealed bytes, its only wire form.
    ///
    /// # Errors
    /// As those of sealing.
    pub fn seal(&self, keys: &KeyRing) -> Result<Vec<u8>, BlockError> {
        let sequence = self.position.max(self.kafka_offset);
        keys.seal_state(self.sensor_id, sequence, &self.bytes)
    }

    /// Opens what [`Checkpoint::seal`] sealed for this sensor.
    ///
    /// # Errors
    /// As those of opening; `BadCheckpoint` of another version.
    pub fn unseal(keys: &KeyRing, sensor_id: u32, sealed: &[u8]) -> Result<Self, BlockError> {
        let bytes = keys.open_state(sensor_id, sealed)?;
        Self::from_bytes(sensor_id, bytes)
    }

    /// Takes over bytes that were unsealed; `restore` checks the rest of them.
    fn from_bytes(sensor_id: u32, bytes: Zeroizing<Vec<u8>>) -> Result<Self, BlockError> {
        let mut input = Reader::new(&bytes);
        check_magic(&mut input)?;
        input.u8()?;
        let (position, kafka_offset) = (input.u64()?, input.u64()?);
        let note = read_note(&mut input)?.to_vec();
        Ok(Self {
            sensor_id,
            position,
            kafka_offset,
            note,
            bytes,
        })
    }

    /// The state of the stages, if it is of these.
    fn read(&self, kind: Kind) -> Result<Reader<'_>, BlockError> {
        let mut input = Reader::new(&self.bytes);
        check_magic(&mut input)?;
        if input.u8()? != kind as u8 {
            return Err(damaged("one of other stages"));
        }
        let place = (input.u64()?, input.u64()?);
        if place != (self.position, self.kafka_offset) {
            return Err(damaged("one of another position"));
        }
        read_note(&mut input)?;
        Ok(input)
    }

    fn load_hearing(
        &self,
        policy: &Policy,
        input: &mut Reader,
    ) -> Result<(Describe, Trigger, LevelGate), BlockError> {
        let describe = Describe::load(input)?;
        let trigger = Trigger::load(input)?;
        let level_gate = LevelGate::load(policy, input)?;
        let sensors = [
            describe.sensor_id(),
            trigger.sensor_id(),
            level_gate.sensor_id(),
        ];
        if sensors != [self.sensor_id; 3] {
            return Err(damaged("stages of different sensors"));
        }
        if describe.position() != self.position {
            return Err(damaged("stages of another position"));
        }
        Ok((describe, trigger, level_gate))
    }

    fn load_gate(&self, policy: &Policy, input: &mut Reader) -> Result<Gate, BlockError> {
        let gate = Gate::load(policy, input)?;
        if gate.sensor_id() != self.sensor_id {
            return Err(damaged("the gate of another sensor"));
        }
        Ok(gate)
    }
}

fn check_magic(input: &mut Reader) -> Result<(), BlockError> {
    if input.u64()? == MAGIC {
        return Ok(());
    }
    Err(damaged("other bytes, or another version"))
}

fn read_note<'a>(input: &mut Reader<'a>) -> Result<&'a [u8], BlockError> {
    let n_bytes = usize::try_from(input.u64()?).unwrap_or(usize::MAX);
    input.slice(n_bytes)
}

fn save_hearing(describe: &Describe, trigger: &Trigger, level_gate: &LevelGate, out: &mut Writer) {
    describe.save(out);
    trigger.save(out);
    level_gate.save(out);
}

/// A new beginning of the sound, for a trigger that knows the background.
fn begun(
    trigger: &Trigger,
    policy: &Policy,
    sample_rate: u32,
    start_slot: u64,
) -> Result<(Describe, Trigger), BlockError> {
    let refused = |e: ParameterError| BlockError::new(Reason::BadCheckpoint, e.expected, e.actual);
    let sensor_id = trigger.sensor_id();
    let describe = Describe::new(sensor_id, sample_rate, start_slot)
        .and_then(|describe| describe.with_speech_band(policy.speech_band_hz()))
        .map_err(refused)?;
    let background = trigger.background();
    let trigger = Trigger::new(sensor_id, policy.alarms_per_day(), Some(&background));
    Ok((describe, trigger.map_err(refused)?))
}

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checkpoint")
            .field("position", &self.position)
            .field("kafka_offset", &self.kafka_offset)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
