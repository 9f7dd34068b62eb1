//! The zone's values: handles without constructor, array access, pickle or buffer. Python sees ids and sizes.

use std::sync::{Mutex, PoisonError};

use dsp_core::{analysis, sound};
use pyo3::prelude::*;

use crate::error;

/// Samples of one block: ids and sizes only; the samples stay in the core and are overwritten when it is dropped.
#[pyclass(frozen, module = "dsp_core.zone")]
pub(crate) struct AudioBlock(pub(crate) sound::AudioBlock);

#[pymethods]
impl AudioBlock {
    /// Number of the sensor.
    #[getter]
    fn sensor_id(&self) -> u32 {
        self.0.sensor_id()
    }
    /// Sample rate in Hz.
    #[getter]
    fn sample_rate(&self) -> u32 {
        self.0.sample_rate()
    }
    /// Position of the first sample in the stream.
    #[getter]
    fn start_sample(&self) -> u64 {
        self.0.start_sample()
    }
    /// Number of samples.
    #[getter]
    fn n_samples(&self) -> usize {
        self.0.n_samples()
    }
    fn __repr__(&self) -> String {
        let block = &self.0;
        format!(
            "<AudioBlock sensor_id={} sample_rate={} start_sample={} n_samples={}>",
            block.sensor_id(),
            block.sample_rate(),
            block.start_sample(),
            block.n_samples()
        )
    }
}

/// What `Describe` made of one block; opaque.
#[pyclass(frozen, module = "dsp_core.zone")]
pub(crate) struct Description(pub(crate) analysis::Description);

#[pymethods]
impl Description {
    /// Number of the sensor.
    #[getter]
    fn sensor_id(&self) -> u32 {
        self.0.sensor_id()
    }
    /// Number of frames that the block completed.
    #[getter]
    fn n_frames(&self) -> usize {
        self.0.n_frames()
    }
    fn __repr__(&self) -> String {
        format!(
            "<Description sensor_id={} n_frames={}>",
            self.0.sensor_id(),
            self.0.n_frames()
        )
    }
}

/// Defines a handle whose value a stage takes over: used twice, it raises.
macro_rules! consumed_class {
    ($(#[$doc:meta])* $name:ident, $inner:ty, $class:literal) => {
        $(#[$doc])*
        #[pyclass(frozen, module = "dsp_core.zone")]
        pub(crate) struct $name {
            sensor_id: u32,
            index: u64,
            received_ms: Option<u64>,
            inner: Mutex<Option<$inner>>,
        }

        impl $name {
            /// Hands the value to a stage.
            pub(crate) fn take(&self) -> PyResult<$inner> {
                let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
                inner.take().ok_or_else(|| error::used_up($class))
            }
        }

        impl From<$inner> for $name {
            fn from(inner: $inner) -> Self {
                Self {
                    sensor_id: inner.sensor_id(),
                    index: inner.index(),
                    received_ms: inner.received_ms(),
                    inner: Mutex::new(Some(inner)),
                }
            }
        }

        #[pymethods]
        impl $name {
            /// Number of the sensor.
            #[getter]
            fn sensor_id(&self) -> u32 {
                self.sensor_id
            }
            /// Number of the window in its stream.
            #[getter]
            fn index(&self) -> u64 {
                self.index
            }
            /// When the broker first took it or its sound, in ms since 1970-01-01T00:00:00Z; None where no broker has.
            #[getter]
            fn received_ms(&self) -> Option<u64> {
                self.received_ms
            }
            fn __repr__(&self) -> String {
                format!(concat!("<", $class, " sensor_id={} index={}>"), self.sensor_id, self.index)
            }
        }
    };
}

consumed_class!(
    /// 0.96 s of log-mel bands around an alarm; opaque, and taken over by `Classify`.
    FeatureWindow,
    analysis::FeatureWindow,
    "FeatureWindow"
);
consumed_class!(
    /// The scores of one window: what might leave; opaque, and taken over by `Gate`.
    Candidate,
    analysis::Candidate,
    "Candidate"
);

/// Adds the handle classes.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<AudioBlock>()?;
    module.add_class::<Description>()?;
    module.add_class::<FeatureWindow>()?;
    module.add_class::<Candidate>()
}
