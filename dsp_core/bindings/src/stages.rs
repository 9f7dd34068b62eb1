//! The stages before the gates, one class each: values in, values out, the GIL released while the core works.

use std::sync::Arc;

use dsp_core::analysis::{self, Model, background, classify, describe, trigger};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::error;
use crate::handles::{AudioBlock, Candidate, Description, FeatureWindow};
use crate::policy::Policy;
use crate::seal::Sealer;
use crate::stage::Stage;

/// Blocks to frames and levels, for one sensor.
///
/// Parameters
/// ----------
/// sensor_id : int
///     Number of the sensor.
/// sample_rate : int
///     Of the blocks to come, 8000 to 192000 Hz.
/// start_slot : int
///     Second of the first sample, since 1970-01-01T00:00:00Z.
/// policy : Policy
///     Its speech band is left out of the levels of events.
/// first_sample : int, default=0
///     What the sensor counts the first sample as.
///
/// Raises
/// ------
/// ParameterError
///     If a parameter is out of its range: its name, what it may be, what it was.
#[pyclass(frozen, module = "dsp_core.zone")]
pub(crate) struct Describe(pub(crate) Stage<describe::Describe>);

#[pymethods]
impl Describe {
    #[new]
    #[pyo3(signature = (*, sensor_id, sample_rate, start_slot, policy, first_sample=0))]
    fn new(
        sensor_id: u32,
        sample_rate: u32,
        start_slot: u64,
        policy: &Policy,
        first_sample: u64,
    ) -> PyResult<Self> {
        describe::Describe::new(sensor_id, sample_rate, start_slot)
            .and_then(|stage| stage.with_speech_band(policy.0.speech_band_hz()))
            .map(|stage| Self(Stage::new(stage.beginning_at(first_sample))))
            .map_err(error::parameter)
    }
    /// Longest time that a sample lives in the stage's memory, in seconds, for blocks of at most `max_block_s`.
    ///
    /// Parameters
    /// ----------
    /// max_block_s : float
    ///     Length of the longest block in seconds.
    ///
    /// Returns
    /// -------
    /// float
    ///     Seconds of stream time.
    fn longest_sample_life_s(&self, max_block_s: f64) -> f64 {
        self.0.lock().longest_sample_life_s(max_block_s)
    }
    /// Whether the sample rate is high enough (16 kHz) for events; below it there are levels only.
    #[getter]
    fn hears_events(&self) -> bool {
        self.0.lock().hears_events()
    }
    /// Position of the next expected sample.
    #[getter]
    fn position(&self) -> u64 {
        self.0.lock().position()
    }
    /// Describes one block.
    ///
    /// Parameters
    /// ----------
    /// block : AudioBlock
    ///     The next samples of this sensor.
    ///
    /// Returns
    /// -------
    /// Description
    ///     Opaque.
    ///
    /// Raises
    /// ------
    /// BlockError
    ///     If it does not follow the last block, or is of another sensor or rate.
    fn push(&self, py: Python<'_>, block: &AudioBlock) -> PyResult<Description> {
        py.detach(|| {
            let mut out = analysis::Description::default();
            let described = self.0.lock().push_into(&block.0, &mut out);
            described.map(|()| Description(out))
        })
        .map_err(error::block)
    }
    /// Ends the stream: completes the last window with silence and closes the last second.
    fn finish(&self, py: Python<'_>) -> Description {
        py.detach(|| {
            let mut out = analysis::Description::default();
            self.0.lock().finish_into(&mut out);
            Description(out)
        })
    }
    /// After a restore: refills the sample tail from the sound before the position; counts nothing.
    ///
    /// Parameters
    /// ----------
    /// block : AudioBlock
    ///     A part of the 2 s before the position, in order.
    ///
    /// Returns
    /// -------
    /// Description
    ///     For `Trigger.refill`.
    fn refill(&self, py: Python<'_>, block: &AudioBlock) -> PyResult<Description> {
        py.detach(|| {
            let mut out = analysis::Description::default();
            let described = self.0.lock().refill_into(&block.0, &mut out);
            described.map(|()| Description(out))
        })
        .map_err(error::block)
    }
}

/// A learnt background (spectral shape, scale, tail); opaque.
#[pyclass(frozen, module = "dsp_core.zone")]
pub(crate) struct Background(background::Background);

/// Windows around an alarm, for one sensor.
///
/// Parameters
/// ----------
/// sensor_id : int
///     Number of the sensor.
/// alarms_per_day : float
///     The dial, over 0; infinity lets every window through.
/// background : Background or None, default=None
///     What the place sounds like, learnt earlier; the shipped street if None.
///
/// Raises
/// ------
/// ParameterError
///     If a parameter is out of its range: its name, what it may be, what it was.
#[pyclass(frozen, module = "dsp_core.zone")]
pub(crate) struct Trigger(pub(crate) Stage<trigger::Trigger>);

#[pymethods]
impl Trigger {
    #[new]
    #[pyo3(signature = (*, sensor_id, alarms_per_day, background=None))]
    fn new(sensor_id: u32, alarms_per_day: f64, background: Option<&Background>) -> PyResult<Self> {
        let stage = trigger::Trigger::new(sensor_id, alarms_per_day, background.map(|b| &b.0));
        stage.map(Stage::new).map(Self).map_err(error::parameter)
    }
    /// Takes a description's frames; gives the windows that go on.
    ///
    /// Parameters
    /// ----------
    /// description : Description
    ///     From `Describe`, in order.
    ///
    /// Returns
    /// -------
    /// list of FeatureWindow
    ///     Opaque, in the order of time.
    fn push(&self, py: Python<'_>, description: &Description) -> Vec<FeatureWindow> {
        into_handles(py.detach(|| self.0.lock().push(&description.0)))
    }
    /// Ends the stream; gives the last windows that go on.
    fn finish(&self, py: Python<'_>) -> Vec<FeatureWindow> {
        into_handles(py.detach(|| self.0.lock().finish()))
    }
    /// An empty window, once after an alarm: sent behind the alarm's windows, it lets a gate behind a broker mint in time.
    ///
    /// Returns
    /// -------
    /// FeatureWindow or None
    ///     As soon as nothing else can be heard in the second of the last window that went on; None before and after.
    fn lull(&self) -> Option<FeatureWindow> {
        self.0.lock().lull().map(FeatureWindow::from)
    }
    /// After a restore: refills the frame ring from the sound before the position.
    ///
    /// Parameters
    /// ----------
    /// description : Description
    ///     From `Describe.refill`.
    fn refill(&self, description: &Description) {
        self.0.lock().refill(&description.0);
    }
    /// The background learnt so far.
    fn background(&self) -> Background {
        Background(self.0.lock().background())
    }
}

pub(crate) fn into_handles(windows: Vec<analysis::FeatureWindow>) -> Vec<FeatureWindow> {
    windows.into_iter().map(FeatureWindow::from).collect()
}

/// Windows to candidates, with the shipped model.
///
/// Parameters
/// ----------
/// policy : Policy
///     Its speech band is masked in the deciding pass.
#[pyclass(module = "dsp_core.zone")]
pub(crate) struct Classify {
    inner: classify::Classify,
    model_id: String,
}

#[pymethods]
impl Classify {
    #[new]
    #[pyo3(signature = (*, policy))]
    fn new(policy: &Policy) -> PyResult<Self> {
        let model = Model::street().map_err(error::block)?;
        let model_id = model.id().to_owned();
        classify::Classify::new(Arc::new(model), policy.0.speech_band_hz())
            .map(|inner| Self { inner, model_id })
            .map_err(error::parameter)
    }
    /// (name, is experimental) of the classes that the model has an output for.
    #[getter]
    fn classes(&self) -> Vec<(&'static str, bool)> {
        let classes = self.inner.classes().iter();
        classes
            .map(|c| (c.sound_class.name(), c.is_experimental))
            .collect()
    }
    /// Hash of the model's file.
    #[getter]
    fn model_id(&self) -> &str {
        &self.model_id
    }
    /// Scores windows; they are used up.
    ///
    /// Parameters
    /// ----------
    /// windows : sequence of FeatureWindow
    ///     From `Trigger`; a second use raises.
    ///
    /// Returns
    /// -------
    /// list of Candidate
    ///     Opaque, one per window.
    ///
    /// Raises
    /// ------
    /// ParameterError
    ///     If a window was used before.
    fn push(
        &mut self,
        py: Python<'_>,
        windows: Vec<PyRef<'_, FeatureWindow>>,
    ) -> PyResult<Vec<Candidate>> {
        let taken: Vec<_> = windows.iter().map(|w| w.take()).collect::<PyResult<_>>()?;
        let stage = &mut self.inner;
        let candidates = py.detach(|| {
            let scored = taken.into_iter().map(|window| stage.push(window));
            scored.collect::<Vec<_>>()
        });
        Ok(candidates.into_iter().map(Candidate::from).collect())
    }
    /// Opens windows, scores them and seals their candidates, without the GIL throughout.
    ///
    /// Each is taken by itself: what comes of one is what `Sealer.open_window`, `push` and `Sealer.seal_candidate` give, to the
    /// bit, whatever the others are.
    ///
    /// Parameters
    /// ----------
    /// windows : sequence of tuple of int, bytes, int
    ///     Of each the sensor that it came as, the sealed window, and when the zone received it, in ms since
    ///     1970-01-01T00:00:00Z.
    /// sealer : Sealer
    ///     The zone's.
    ///
    /// Returns
    /// -------
    /// list of bytes or BlockError
    ///     In the order of the windows: the sealed candidate, or why the window was refused.
    #[pyo3(signature = (windows, *, sealer))]
    fn push_sealed<'py>(
        &mut self,
        py: Python<'py>,
        windows: Vec<(u32, PyBackedBytes, u64)>,
        sealer: &Sealer,
    ) -> Vec<Bound<'py, PyAny>> {
        let stage = &mut self.inner;
        let told: Vec<_> = py.detach(|| {
            let windows = windows.iter();
            let score = |(sensor_id, sealed, received_ms): &(u32, PyBackedBytes, u64)| {
                let window = sealer.window(*sensor_id, sealed, *received_ms)?;
                sealer.candidate(&stage.push(window))
            };
            windows.map(score).collect()
        });
        let told = told.into_iter().map(|sealed| match sealed {
            Ok(sealed) => PyBytes::new(py, &sealed).into_any(),
            Err(refusal) => error::block(refusal)
                .into_value(py)
                .into_bound(py)
                .into_any(),
        });
        told.collect()
    }
}

/// Adds the stage classes.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Describe>()?;
    module.add_class::<Background>()?;
    module.add_class::<Trigger>()?;
    module.add_class::<Classify>()
}
