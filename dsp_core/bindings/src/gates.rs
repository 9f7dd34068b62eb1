//! The gates, which mint the records.

use std::collections::BTreeMap;

use dsp_core::gate::{self, Calibration, Levels, NoiseRecord};
use pyo3::prelude::*;

use crate::error;
use crate::handles::{Candidate, Description};
use crate::policy::Policy;
use crate::records::{Event, LevelRecord, SensorHealth};
use crate::stage::Stage;

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
    /// Judges candidates that came through a broker; they are used up. What is over by then is minted.
    ///
    /// A candidate counts only if its second lies between 120 s before and 2 s after the time at which the zone received it.
    ///
    /// Parameters
    /// ----------
    /// candidates : sequence of Candidate
    ///     From `Sealer.open_candidate`, in the order of the windows; a second use raises.
    ///
    /// Returns
    /// -------
    /// list of Event
    ///     What leaves now, by second and class.
    ///
    /// Raises
    /// ------
    /// ParameterError
    ///     If a candidate was used before.
    fn receive(&mut self, candidates: Vec<PyRef<'_, Candidate>>) -> PyResult<Vec<Event>> {
        let mut events = Vec::new();
        for candidate in candidates {
            events.extend(self.0.receive(candidate.take()?));
        }
        Ok(into_events(events))
    }
    /// Mints what is held of seconds over 125 s before a time: nothing that is received from then on counts for them.
    ///
    /// Parameters
    /// ----------
    /// received_ms : int
    ///     Of a candidate of whatever sensor, in ms since 1970-01-01T00:00:00Z.
    ///
    /// Returns
    /// -------
    /// list of Event
    ///     What leaves now, by second and class.
    fn advance_to(&mut self, received_ms: u64) -> Vec<Event> {
        into_events(self.0.advance_to(received_ms))
    }
    /// Number of candidates that were out of time: the zone received them too late, or a sensor's clock is wrong.
    #[getter]
    fn n_out_of_time(&self) -> u64 {
        let code = gate::WithheldReason::OutOfTime.code();
        self.0.n_withheld()[usize::from(code)]
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
    /// Withholds every event of the clock hour of the first candidate that is received in time: for a gate without its state.
    fn withhold_first_hour(&mut self) {
        self.0.withhold_first_hour();
    }
    /// Ends the stream: mints the events that are still held.
    fn finish(&mut self) -> Vec<Event> {
        into_events(self.0.finish())
    }
    fn __repr__(&self) -> String {
        format!("<Gate sensor_id={}>", self.0.sensor_id())
    }
}

/// Number of candidates withheld, by reason, of all gates together; ``weaker`` counts classes on top of them.
///
/// Publish it hourly, and of the same sensors each time: the difference of two sums is one, too.
///
/// Parameters
/// ----------
/// gates : sequence of Gate
///     Of at least 10 sensors: what is withheld tells of the sound, so that no sensor's number of its own is to be had.
///
/// Returns
/// -------
/// dict
///     Every reason, and how often.
///
/// Raises
/// ------
/// ParameterError
///     If they are of fewer sensors.
#[pyfunction]
fn withheld(gates: Vec<PyRef<'_, Gate>>) -> PyResult<BTreeMap<&'static str, u64>> {
    let sums = gate::withheld_by_name(gates.iter().map(|gate| &gate.0));
    Ok(sums.map_err(error::parameter)?.into_iter().collect())
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
#[pyclass(frozen, module = "dsp_core.zone")]
pub(crate) struct LevelGate(pub(crate) Stage<gate::LevelGate>);

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
        Ok(Self(Stage::new(stage)))
    }
    /// Takes a description's seconds; gives the records of every period that ended 3 s ago or more.
    ///
    /// Parameters
    /// ----------
    /// description : Description
    ///     From `Describe`, in order.
    ///
    /// Returns
    /// -------
    /// list of LevelRecord or SensorHealth
    ///     What leaves now.
    fn push<'py>(
        &self,
        py: Python<'py>,
        description: &Description,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        into_records(py, &self.0.lock().push(&description.0))
    }
    /// Takes a second of a live stream that brought no sound: its periods end in time, with gaps.
    ///
    /// Parameters
    /// ----------
    /// slot : int
    ///     Second since 1970-01-01T00:00:00Z.
    ///
    /// Returns
    /// -------
    /// list of LevelRecord or SensorHealth
    ///     What leaves now.
    fn miss<'py>(&self, py: Python<'py>, slot: u64) -> PyResult<Vec<Bound<'py, PyAny>>> {
        into_records(py, &self.0.lock().miss(slot))
    }
    /// Says of the period that is open that sound and clock did not go together.
    fn mark_clock(&self) {
        self.0.lock().mark_clock();
    }
    /// First second that counts, since 1970-01-01T00:00:00Z.
    #[getter]
    fn next_slot(&self) -> u64 {
        self.0.lock().next_slot()
    }
    /// Ends the stream: gives the records of the periods that are still open.
    ///
    /// Returns
    /// -------
    /// list of LevelRecord or SensorHealth
    ///     What still leaves.
    fn finish<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        into_records(py, &self.0.lock().finish())
    }
}

pub(crate) fn into_records<'py>(
    py: Python<'py>,
    levels: &Levels,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
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

/// Adds the gates.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Gate>()?;
    module.add_class::<LevelGate>()?;
    module.add_function(wrap_pyfunction!(withheld, module)?)
}
