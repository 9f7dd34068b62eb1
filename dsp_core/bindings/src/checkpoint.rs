//! The state of stages: kept and restored, never shown.

use dsp_core::checkpoint::{self, Hearing, Stages};
use pyo3::prelude::*;

use crate::error;
use crate::gates::{Gate, LevelGate};
use crate::policy::Policy;
use crate::stage::Stage;
use crate::stages::{Describe, Trigger};
use crate::transport::Mark;

/// The state of one sensor's stages at a position; opaque, and without bytes in Python.
#[pyclass(frozen, module = "dsp_core.zone")]
pub(crate) struct Checkpoint(pub(crate) checkpoint::Checkpoint);

#[pymethods]
impl Checkpoint {
    /// Keeps the state of all stages as it is now.
    ///
    /// Parameters
    /// ----------
    /// describe : Describe
    ///     The stage.
    /// trigger : Trigger
    ///     The stage.
    /// gate : Gate
    ///     The stage.
    /// level_gate : LevelGate
    ///     The stage.
    ///
    /// Returns
    /// -------
    /// Checkpoint
    ///     Opaque.
    #[staticmethod]
    fn take(describe: &Describe, trigger: &Trigger, gate: &Gate, level_gate: &LevelGate) -> Self {
        let (describe, trigger) = (describe.0.lock(), trigger.0.lock());
        let level_gate = level_gate.0.lock();
        let taken = checkpoint::Checkpoint::new(&describe, &trigger, &gate.0, &level_gate);
        Self(taken)
    }
    /// Keeps the state of the stages that hear, where events are judged elsewhere.
    ///
    /// Parameters
    /// ----------
    /// describe : Describe
    ///     The stage.
    /// trigger : Trigger
    ///     The stage.
    /// level_gate : LevelGate
    ///     The stage.
    /// mark : Mark or None, default=None
    ///     The last sealed block that they took; None where sound comes unsealed.
    /// kafka_offset : int, default=0
    ///     Where the input is to be read from again, with the 2 s of sound before the position.
    /// note : bytes or None, default=None
    ///     What whoever carries the blocks must know to go on.
    ///
    /// Returns
    /// -------
    /// Checkpoint
    ///     Opaque.
    #[staticmethod]
    #[pyo3(signature = (describe, trigger, level_gate, *, mark=None, kafka_offset=0, note=None))]
    fn take_hearing(
        describe: &Describe,
        trigger: &Trigger,
        level_gate: &LevelGate,
        mark: Option<&Mark>,
        kafka_offset: u64,
        note: Option<&[u8]>,
    ) -> Self {
        let mark = mark.map(|mark| mark.0).unwrap_or_default();
        Self(checkpoint::Checkpoint::of_hearing(
            &describe.0.lock(),
            &trigger.0.lock(),
            &level_gate.0.lock(),
            &mark,
            kafka_offset,
            note.unwrap_or_default(),
        ))
    }
    /// Keeps the state of a gate of events that stands behind a broker.
    ///
    /// Parameters
    /// ----------
    /// gate : Gate
    ///     The stage.
    /// mark : Mark
    ///     The last candidate that it took.
    /// kafka_offset : int
    ///     Where the input is to be read from again; what comes twice, the mark refuses.
    ///
    /// Returns
    /// -------
    /// Checkpoint
    ///     Opaque.
    #[staticmethod]
    #[pyo3(signature = (gate, *, mark, kafka_offset))]
    fn take_gate(gate: &Gate, mark: &Mark, kafka_offset: u64) -> Self {
        let taken = checkpoint::Checkpoint::of_gate(&gate.0, &mark.0, kafka_offset);
        Self(taken)
    }
    /// Position of the next expected sample; 0 for a gate.
    #[getter]
    fn position(&self) -> u64 {
        self.0.position()
    }
    /// Where the input is to be read from again; 0 where it comes through no broker.
    #[getter]
    fn kafka_offset(&self) -> u64 {
        self.0.kafka_offset()
    }
    /// What whoever carries the blocks wrote beside the stages.
    #[getter]
    fn note(&self) -> &[u8] {
        self.0.note()
    }
    /// Makes all stages anew; `Describe` and `Trigger` are then to be refilled with the 2 s before the position.
    ///
    /// Parameters
    /// ----------
    /// policy : Policy
    ///     The one that it was taken under.
    ///
    /// Returns
    /// -------
    /// tuple of Describe, Trigger, Gate, LevelGate
    ///     The stages as they were.
    ///
    /// Raises
    /// ------
    /// BlockError
    ///     If it is of another policy, or of other stages.
    fn restore(&self, policy: &Policy) -> PyResult<(Describe, Trigger, Gate, LevelGate)> {
        let stages = self.0.restore(&policy.0);
        stages.map(into_stages).map_err(error::block)
    }
    /// Makes the stages that hear anew; `Describe` and `Trigger` are then to be refilled with the 2 s before the position.
    ///
    /// Parameters
    /// ----------
    /// policy : Policy
    ///     The one that it was taken under.
    ///
    /// Returns
    /// -------
    /// tuple of Describe, Trigger, LevelGate, Mark
    ///     The stages as they were.
    ///
    /// Raises
    /// ------
    /// BlockError
    ///     If it is of another policy, or of other stages.
    fn restore_hearing(&self, policy: &Policy) -> PyResult<(Describe, Trigger, LevelGate, Mark)> {
        let hearing = self.0.restore_hearing(&policy.0);
        hearing.map(into_hearing).map_err(error::block)
    }
    /// Makes a gate of events anew, as it was.
    ///
    /// Parameters
    /// ----------
    /// policy : Policy
    ///     The one that it was taken under.
    ///
    /// Returns
    /// -------
    /// tuple of Gate, Mark
    ///     The stage, and the last candidate that it took.
    ///
    /// Raises
    /// ------
    /// BlockError
    ///     If it is of another policy, or of other stages.
    fn restore_gate(&self, policy: &Policy) -> PyResult<(Gate, Mark)> {
        let restored = self.0.restore_gate(&policy.0).map_err(error::block)?;
        Ok((Gate(restored.0), Mark(restored.1)))
    }
    /// Makes the stages of a live stream that goes on without the sound before: the gates as they were, the background
    /// that was learnt, and a new beginning of the sound.
    ///
    /// Parameters
    /// ----------
    /// policy : Policy
    ///     The one that it was taken under.
    /// sample_rate : int
    ///     Of the blocks to come, in Hz.
    /// start_slot : int
    ///     Second of their first sample, since 1970-01-01T00:00:00Z.
    ///
    /// Returns
    /// -------
    /// tuple of Describe, Trigger, Gate, LevelGate
    ///     The stages.
    ///
    /// Raises
    /// ------
    /// BlockError
    ///     If it is of another policy, or of other stages.
    #[pyo3(signature = (policy, *, sample_rate, start_slot))]
    fn resume(
        &self,
        policy: &Policy,
        sample_rate: u32,
        start_slot: u64,
    ) -> PyResult<(Describe, Trigger, Gate, LevelGate)> {
        let stages = self.0.resume(&policy.0, sample_rate, start_slot);
        stages.map(into_stages).map_err(error::block)
    }
    /// Makes the stages that hear a live stream which goes on without the sound before, as `resume` does.
    ///
    /// Parameters
    /// ----------
    /// policy : Policy
    ///     The one that it was taken under.
    /// sample_rate : int
    ///     Of the blocks to come, in Hz.
    /// start_slot : int
    ///     Second of their first sample, since 1970-01-01T00:00:00Z.
    /// first_sample : int, default=0
    ///     What the sensor counts that sample as.
    ///
    /// Returns
    /// -------
    /// tuple of Describe, Trigger, LevelGate, Mark
    ///     The stages.
    ///
    /// Raises
    /// ------
    /// BlockError
    ///     If it is of another policy, or of other stages.
    #[pyo3(signature = (policy, *, sample_rate, start_slot, first_sample=0))]
    fn resume_hearing(
        &self,
        policy: &Policy,
        sample_rate: u32,
        start_slot: u64,
        first_sample: u64,
    ) -> PyResult<(Describe, Trigger, LevelGate, Mark)> {
        let hearing = self
            .0
            .resume_hearing(&policy.0, sample_rate, start_slot, first_sample);
        hearing.map(into_hearing).map_err(error::block)
    }
}

fn into_stages(stages: Stages) -> (Describe, Trigger, Gate, LevelGate) {
    (
        Describe(Stage::new(stages.describe)),
        Trigger(Stage::new(stages.trigger)),
        Gate(stages.gate),
        LevelGate(Stage::new(stages.level_gate)),
    )
}

fn into_hearing(hearing: Hearing) -> (Describe, Trigger, LevelGate, Mark) {
    (
        Describe(Stage::new(hearing.describe)),
        Trigger(Stage::new(hearing.trigger)),
        LevelGate(Stage::new(hearing.level_gate)),
        Mark(hearing.mark),
    )
}
