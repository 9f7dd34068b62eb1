//! What those know who carry sealed bytes: headers, and how far a stage has come.

use dsp_core::seal;
use pyo3::prelude::*;

use crate::error;

/// How far a stage has come in what one sensor sends it; part of the stage's checkpoint.
#[pyclass(module = "dsp_core.zone")]
pub(crate) struct Mark(pub(crate) seal::Mark);

#[pymethods]
impl Mark {
    #[new]
    fn new() -> Self {
        Self(seal::Mark::default())
    }
    /// (boot in ns, sequence) of the last message that was taken; None before the first.
    #[getter]
    fn last(&self) -> Option<(u64, u64)> {
        self.0.last()
    }
    fn __repr__(&self) -> String {
        format!("<Mark last={:?}>", self.0.last())
    }
}

/// What stands in the open before sealed bytes: transport facts. Nothing vouches for them until the bytes are opened.
#[pyclass(frozen, module = "dsp_core.zone")]
pub(crate) struct SealedHeader(seal::Header);

#[pymethods]
impl SealedHeader {
    /// `sound`, `windows`, `candidates` or `checkpoints`.
    #[getter]
    fn topic(&self) -> &'static str {
        self.0.topic().name()
    }
    /// Version of what is sealed: of the front end for windows, of the model for candidates.
    #[getter]
    fn content_version(&self) -> u32 {
        self.0.content_version()
    }
    /// Id of the key that it is sealed with.
    #[getter]
    fn key_id(&self) -> String {
        self.0.key_id()
    }
    /// Number of the sensor.
    #[getter]
    fn sensor_id(&self) -> u32 {
        self.0.sensor_id()
    }
    /// When the sensor, or the stream of a window, began, in ns since 1970-01-01T00:00:00Z.
    #[getter]
    fn boot_ns(&self) -> u64 {
        self.0.boot_ns()
    }
    /// Number of the block or window since then; of a checkpoint, its position.
    #[getter]
    fn sequence(&self) -> u64 {
        self.0.sequence()
    }
    /// Bytes of what is sealed.
    #[getter]
    fn n_bytes(&self) -> u32 {
        self.0.n_bytes()
    }
    fn __repr__(&self) -> String {
        let header = &self.0;
        format!(
            "<SealedHeader topic={} sensor_id={} boot_ns={} sequence={} n_bytes={}>",
            header.topic().name(),
            header.sensor_id(),
            header.boot_ns(),
            header.sequence(),
            header.n_bytes()
        )
    }
}

/// Reads what stands in the open before sealed bytes; needs no key.
///
/// Parameters
/// ----------
/// sealed : bytes
///     From a `Sealer`.
///
/// Returns
/// -------
/// SealedHeader
///     Transport facts.
///
/// Raises
/// ------
/// BlockError
///     `truncated_header`, `bad_version`, `wrong_topic`, `truncated_data` or `oversized`.
#[pyfunction]
fn sealed_header(sealed: &[u8]) -> PyResult<SealedHeader> {
    let header = seal::Header::read(sealed);
    header.map(SealedHeader).map_err(error::block)
}

/// Adds headers and marks.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Mark>()?;
    module.add_class::<SealedHeader>()?;
    module.add_function(wrap_pyfunction!(sealed_header, module)?)
}
