//! Many sensors in one call.

use std::sync::{Mutex, PoisonError};

use dsp_core::analysis::describe::{Job, Workspace, push_many_into};
use dsp_core::analysis::{self, describe, trigger};
use dsp_core::{BlockError, ParameterError, gate};
use pyo3::exceptions::{PyOSError, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::error;
use crate::gates::{LevelGate, into_records};
use crate::handles::{AudioBlock, Description};
use crate::helpers::{Helpers, Piece};
use crate::stage::Stage;
use crate::stages::{Describe, Trigger, into_handles};

/// Sensors whose frames share lanes: 80 frames of 100 ms are five whole groups.
const AT_ONCE: usize = 8;
const MAX_THREADS: usize = 64;

/// One sensor's stages, as Python hands them over.
type Stages<'py> = (
    PyRef<'py, Describe>,
    PyRef<'py, Trigger>,
    PyRef<'py, LevelGate>,
);

/// One sensor's stages, its block, and what comes of it.
struct Heard {
    number: usize,
    describe: Stage<describe::Describe>,
    trigger: Stage<trigger::Trigger>,
    level_gate: Stage<gate::LevelGate>,
    block: Py<AudioBlock>,
    out: analysis::Description,
    refusal: Option<BlockError>,
    windows: Vec<analysis::FeatureWindow>,
    levels: gate::Levels,
}

/// Sensors that are described together.
struct Together(Vec<Heard>);

impl Piece for Together {
    fn run(&mut self, workspace: &mut Workspace) {
        describe_all(&mut self.0, workspace);
        for heard in self.0.iter_mut().filter(|heard| heard.refusal.is_none()) {
            heard.windows = heard.trigger.lock().push(&heard.out);
            heard.levels = heard.level_gate.lock().push(&heard.out);
            workspace.take_back(&mut heard.out);
        }
    }
}

fn describe_all(all: &mut [Heard], workspace: &mut Workspace) {
    let mut locked: Vec<_> = all
        .iter_mut()
        .map(|heard| {
            let stage = heard.describe.lock();
            (
                stage,
                &heard.block.get().0,
                &mut heard.out,
                &mut heard.refusal,
            )
        })
        .collect();
    let mut jobs: Vec<Job> = locked
        .iter_mut()
        .map(|(stage, block, out, _)| Job {
            stage,
            block,
            out,
            refusal: None,
        })
        .collect();
    push_many_into(&mut jobs, workspace);
    let refusals: Vec<_> = jobs.into_iter().map(|job| job.refusal).collect();
    for ((.., refusal), found) in locked.iter_mut().zip(refusals) {
        **refusal = found;
    }
}

/// Blocks of many sensors to frames, windows and levels, in one call.
///
/// What comes of a sensor is what `Describe.push`, `Trigger.push` and `LevelGate.push` give for its block alone, to the bit,
/// whatever the others hear. It costs less: frames of several sensors go through the front end side by side, the GIL is let go
/// of once, and threads share the work.
///
/// Parameters
/// ----------
/// n_threads : int, default=1
///     Threads that work, the caller's among them, 1 to 64. The others wait between calls, and end with this object.
///
/// Raises
/// ------
/// ParameterError
///     If a parameter is out of its range: its name, what it may be, what it was.
/// OSError
///     If the system gives no more threads.
#[pyclass(frozen, module = "dsp_core.zone")]
pub(crate) struct DescribeMany {
    n_threads: usize,
    helpers: Mutex<Helpers<Together>>,
}

#[pymethods]
impl DescribeMany {
    #[new]
    #[pyo3(signature = (*, n_threads=1))]
    fn new(n_threads: usize) -> PyResult<Self> {
        if !(1..=MAX_THREADS).contains(&n_threads) {
            let expected = format!("1 to {MAX_THREADS}");
            let refusal = ParameterError::new("n_threads", expected, n_threads);
            return Err(error::parameter(refusal));
        }
        let helpers = Helpers::new(n_threads).map_err(|e| PyOSError::new_err(e.to_string()))?;
        Ok(Self {
            n_threads,
            helpers: Mutex::new(helpers),
        })
    }
    /// Threads that work, the caller's among them.
    #[getter]
    fn n_threads(&self) -> usize {
        self.n_threads
    }
    /// Hears one block of each sensor, of any lengths and rates.
    ///
    /// Parameters
    /// ----------
    /// sensors : sequence of tuple of Describe, Trigger, LevelGate
    ///     The stages of each; no stage stands twice.
    /// blocks : sequence of AudioBlock
    ///     The next block of each, in the same order.
    ///
    /// Returns
    /// -------
    /// list of tuple or BlockError
    ///     In the order of the blocks: (Description, tuple of FeatureWindow, tuple of LevelRecord or SensorHealth); or why the
    ///     block was refused, and then that sensor's stages are as they were, and the others' go on. The description's
    ///     frames were used up by the trigger; what `Gate.advance` asks of it, it still says.
    ///
    /// Raises
    /// ------
    /// ParameterError
    ///     If there are more or fewer blocks than sensors, or a stage stands twice: then nothing was heard.
    fn push<'py>(
        &self,
        py: Python<'py>,
        sensors: Vec<Stages<'py>>,
        blocks: Vec<Py<AudioBlock>>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        if sensors.len() != blocks.len() {
            let expected = format!("one for each of {} sensors", sensors.len());
            let refusal = ParameterError::new("blocks", expected, blocks.len());
            return Err(error::parameter(refusal));
        }
        let all = in_order(&sensors).map_err(error::parameter)?.into_iter();
        let all = all
            .map(|number| begun(number, &sensors[number], blocks[number].clone_ref(py)))
            .collect();
        let mut told: Vec<Option<Bound<'py, PyAny>>> = vec![None; blocks.len()];
        for heard in py.detach(|| self.hear(all)) {
            let number = heard.number;
            told[number] = Some(tell(py, heard)?);
        }
        let told: Option<_> = told.into_iter().collect();
        told.ok_or_else(|| PyRuntimeError::new_err("a thread of DescribeMany broke"))
    }
}

impl DescribeMany {
    fn hear(&self, all: Vec<Heard>) -> Vec<Heard> {
        let mut pieces = Vec::with_capacity(all.len().div_ceil(AT_ONCE));
        let mut rest = all.into_iter();
        while rest.len() > 0 {
            pieces.push(Together(rest.by_ref().take(AT_ONCE).collect()));
        }
        let mut helpers = self.helpers.lock().unwrap_or_else(PoisonError::into_inner);
        let done = helpers.run(pieces);
        done.into_iter().flat_map(|together| together.0).collect()
    }
}

fn begun(
    number: usize,
    (describe, trigger, level_gate): &Stages<'_>,
    block: Py<AudioBlock>,
) -> Heard {
    Heard {
        number,
        describe: describe.0.clone(),
        trigger: trigger.0.clone(),
        level_gate: level_gate.0.clone(),
        block,
        out: analysis::Description::default(),
        refusal: None,
        windows: Vec::new(),
        levels: gate::Levels::default(),
    }
}

/// Their numbers by the place of their first stage: two calls then lock stages that both have in one order, and none waits for
/// ever.
fn in_order(sensors: &[Stages<'_>]) -> Result<Vec<usize>, ParameterError> {
    let numbers = by_place(sensors.iter().map(|stages| stages.0.0.place()));
    let triggers = by_place(sensors.iter().map(|stages| stages.1.0.place()));
    let level_gates = by_place(sensors.iter().map(|stages| stages.2.0.place()));
    match (numbers, triggers, level_gates) {
        (Some(numbers), Some(_), Some(_)) => Ok(numbers),
        _ => {
            let (expected, actual) = ("each stage once", "one that stands twice");
            Err(ParameterError::new("sensors", expected, actual))
        }
    }
}

/// The numbers in the order of the places; none if two share a place.
fn by_place(places: impl Iterator<Item = usize>) -> Option<Vec<usize>> {
    let mut places: Vec<_> = places.enumerate().collect();
    places.sort_unstable_by_key(|&(_, place)| place);
    let is_twice = places.windows(2).any(|pair| pair[0].1 == pair[1].1);
    (!is_twice).then(|| places.into_iter().map(|(number, _)| number).collect())
}

/// What Python is told of a sensor.
fn tell<'py>(py: Python<'py>, heard: Heard) -> PyResult<Bound<'py, PyAny>> {
    if let Some(refusal) = heard.refusal {
        return Ok(error::block(refusal)
            .into_value(py)
            .into_bound(py)
            .into_any());
    }
    let description = Description(heard.out);
    let records = into_records(py, &heard.levels)?;
    // Tuples: those of most sensors are empty, and there is one empty tuple.
    let windows = PyTuple::new(py, into_handles(heard.windows))?;
    let told = (description, windows, PyTuple::new(py, records)?);
    Ok(told.into_pyobject(py)?.into_any())
}
