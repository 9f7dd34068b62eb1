//! The gates, which mint the records, and the checkpoint of all stages.

use dsp_core::gate::{self, Calibration, Levels, NoiseRecord};
use pyo3::prelude::*;

use crate::error;
use crate::handles::{Candidate, Description};
use crate::policy::Policy;
use crate::records::{Event, LevelRecord, SensorHealth};
use crate::stages::{Describe, Trigger};

fn calibration(full_scale_db: Option<f64>) -> PyResult<Calibration> {
    Calibration::new(full_scale_db).map_err(error::parameter)
}

/// The one door of events, for one sensor.
///
/// Parameters
/// ----------
/// sensor_id : int
///     Number of the sensor.
/// policy : Policy
///     What may leave.
/// full_scale_db : float or None, default=None
///     Level of full scale in dB re 20 µPa, from the calibration; None for an uncalibrated sensor, whose levels are dBFS.
///
/// Raises
/// ------
/// ParameterError
///     If a parameter is out of its range: its name, what it may be, what it was.
#[pyclass(module = "dsp_core.zone")]
pub(crate) struct Gate(pub(crate) gate::Gate);

#[pymethods]
impl Gate {
    #[new]
    #[pyo3(signature = (*, sensor_id, policy, full_scale_db=None))]
    fn new(sensor_id: u32, policy: &Policy, full_scale_db: Option<f64>) -> PyResult<Self> {
        let calibration = calibration(full_scale_db)?;
        Ok(Self(gate::Gate::new(sensor_id, &policy.0, calibration)))
    }
    /// Judges candidates; they are used up.
    ///
    /// Parameters
    /// ----------
    /// candidates : sequence of Candidate
    ///     From `Classify`, in the order of the windows; a second use raises.
    ///
    /// Raises
    /// ------
    /// ParameterError
    ///     If a candidate was used before.
    fn push(&mut self, candidates: Vec<PyRef<'_, Candidate>>) -> PyResult<()> {
        for candidate in candidates {
            self.0.push(candidate.take()?);
        }
        Ok(())
    }
    /// Mints the events of every second that is over, by second and class.
    ///
    /// Parameters
    /// ----------
    /// description : Description
    ///     Of the block whose candidates were pushed.
    ///
    /// Returns
    /// -------
    /// list of Event
    ///     What leaves now.
    fn advance(&mut self, description: &Description) -> Vec<Event> {
        into_events(self.0.advance(&description.0))
    }
    /// Withholds every event of the clock hour that a second lies in: for a live stream that goes on without its state.
    ///
    /// Parameters
    /// ----------
    /// slot : int
    ///     Second since 1970-01-01T00:00:00Z.
    fn withhold_hour_of(&mut self, slot: u64) {
        self.0.withhold_hour_of(slot);
    }
    /// Ends the stream: mints the events that are still held.
    fn finish(&mut self) -> Vec<Event> {
        into_events(self.0.finish())
    }
    fn __repr__(&self) -> String {
        format!("<Gate sensor_id={}>", self.0.sensor_id())
    }
}

fn into_events(events: Vec<dsp_core::open::Event>) -> Vec<Event> {
    events.into_iter().map(Event::from).collect()
}

/// The one door of noise levels and of the sensor's state, for one sensor.
///
/// Parameters
/// ----------
/// sensor_id : int
///     Number of the sensor.
/// policy : Policy
///     What may leave.
/// start_slot : int
///     Second of the first sample, since 1970-01-01T00:00:00Z.
/// full_scale_db : float or None, default=None
///     Level of full scale in dB re 20 µPa, from the calibration; None for an uncalibrated sensor, whose levels are dBFS.
///
/// Raises
/// ------
/// ParameterError
///     If a parameter is out of its range: its name, what it may be, what it was.
#[pyclass(module = "dsp_core.zone")]
pub(crate) struct LevelGate(pub(crate) gate::LevelGate);

#[pymethods]
impl LevelGate {
    #[new]
    #[pyo3(signature = (*, sensor_id, policy, start_slot, full_scale_db=None))]
    fn new(
        sensor_id: u32,
        policy: &Policy,
        start_slot: u64,
        full_scale_db: Option<f64>,
    ) -> PyResult<Self> {
        let calibration = calibration(full_scale_db)?;
        let stage = gate::LevelGate::new(sensor_id, &policy.0, calibration, start_slot);
        Ok(Self(stage))
    }
    /// Takes a description's seconds; gives the records of every period that ended 3 s ago or more.
    ///
    /// Parameters
    /// ----------
    /// description : Description
    ///     From `Describe`, in order.
    /// gate : Gate
    ///     Tells whether the budget withheld an event.
    ///
    /// Returns
    /// -------
    /// list of LevelRecord or SensorHealth
    ///     What leaves now.
    fn push<'py>(
        &mut self,
        py: Python<'py>,
        description: &Description,
        gate: &Gate,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        into_records(py, &self.0.push(&description.0, Some(&gate.0)))
    }
    /// Takes a second of a live stream that brought no sound: its periods end in time, with gaps.
    ///
    /// Parameters
    /// ----------
    /// slot : int
    ///     Second since 1970-01-01T00:00:00Z.
    /// gate : Gate
    ///     Tells whether the budget withheld an event.
    ///
    /// Returns
    /// -------
    /// list of LevelRecord or SensorHealth
    ///     What leaves now.
    fn miss<'py>(
        &mut self,
        py: Python<'py>,
        slot: u64,
        gate: &Gate,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        into_records(py, &self.0.miss(slot, Some(&gate.0)))
    }
    /// Says of the period that is open that sound and clock did not go together.
    fn mark_clock(&mut self) {
        self.0.mark_clock();
    }
    /// First second that counts, since 1970-01-01T00:00:00Z.
    #[getter]
    fn next_slot(&self) -> u64 {
        self.0.next_slot()
    }
    /// Ends the stream: gives the records of the periods that are still open.
    ///
    /// Parameters
    /// ----------
    /// gate : Gate
    ///     Tells whether the budget withheld an event.
    ///
    /// Returns
    /// -------
    /// list of LevelRecord or SensorHealth
    ///     What still leaves.
    fn finish<'py>(&mut self, py: Python<'py>, gate: &Gate) -> PyResult<Vec<Bound<'py, PyAny>>> {
        into_records(py, &self.0.finish(Some(&gate.0)))
    }
}

fn into_records<'py>(py: Python<'py>, levels: &Levels) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let records = levels.in_order().iter();
    records
        .map(|record| match *record {
            NoiseRecord::Level(level) => Ok(Bound::new(py, LevelRecord::from(level))?.into_any()),
            NoiseRecord::Health(health) => {
                Ok(Bound::new(py, SensorHealth::from(health))?.into_any())
            }
        })
        .collect()
}

/// The state of one sensor's stages at a position; opaque, and without bytes in Python.
#[pyclass(frozen, module = "dsp_core.zone")]
pub(crate) struct Checkpoint(pub(crate) dsp_core::checkpoint::Checkpoint);

#[pymethods]
impl Checkpoint {
    /// Keeps the state of the stages as it is now.
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
        Self(dsp_core::checkpoint::Checkpoint::new(
            &describe.0,
            &trigger.0,
            &gate.0,
            &level_gate.0,
        ))
    }
    /// Position of the next expected sample.
    #[getter]
    fn position(&self) -> u64 {
        self.0.position()
    }
    /// Makes the stages anew; `Describe` and `Trigger` are then to be refilled with the 2 s before the position.
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
    ///     If it is of another policy.
    fn restore(&self, policy: &Policy) -> PyResult<(Describe, Trigger, Gate, LevelGate)> {
        let stages = self.0.restore(&policy.0).map_err(error::block)?;
        Ok(into_stages(stages))
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
    ///     If it is of another policy.
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
}

fn into_stages(stages: dsp_core::checkpoint::Stages) -> (Describe, Trigger, Gate, LevelGate) {
    (
        Describe(stages.describe),
        Trigger(stages.trigger),
        Gate(stages.gate),
        LevelGate(stages.level_gate),
    )
}

/// Adds the gates and the checkpoint.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Gate>()?;
    module.add_class::<LevelGate>()?;
    module.add_class::<Checkpoint>()
}
