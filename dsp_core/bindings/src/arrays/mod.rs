//! numpy in, numpy out: what `dsp_core.arrays` is made of. Python checks types and shapes; here samples are looked at where
//! they lie, the GIL is released and the core is called, row by row.

use dsp_core::ParameterError;
use dsp_core::sound::leq::{SIGNAL, check_samples};
use numpy::prelude::*;
use numpy::{PyArray2, PyReadonlyArray2, PyReadwriteArray2};
use pyo3::prelude::*;

use crate::error;

mod levels;
mod spectra;

/// Rows of samples, or of results.
type Rows<'py> = Bound<'py, PyArray2<f32>>;

/// Borrows rows to read.
fn reader<'py>(y: &Rows<'py>) -> PyResult<PyReadonlyArray2<'py, f32>> {
    let expected = "an array that no other call writes into";
    y.try_readonly().map_err(|_| in_use("y", expected))
}

/// Borrows rows to write.
fn writer<'py>(out: &Rows<'py>) -> PyResult<PyReadwriteArray2<'py, f32>> {
    let expected = "an array that no other call works on";
    out.try_readwrite().map_err(|_| in_use("out", expected))
}

/// While the GIL is released, another thread may come with the same array.
fn in_use(name: &'static str, expected: &str) -> PyErr {
    error::parameter(ParameterError::new(name, expected, "one in use"))
}

/// Calls `function` with all rows of `y`, their length, and all of `out`, once all samples are known to be in range.
fn map_all(
    py: Python<'_>,
    y: &Rows<'_>,
    out: &Rows<'_>,
    function: impl Fn(&[f32], usize, &mut [f32]) -> Result<(), ParameterError> + Sync,
) -> PyResult<()> {
    let n_in = y.shape()[1];
    let (y, mut out) = (reader(y)?, writer(out)?);
    let (y, out) = (y.as_slice()?, out.as_slice_mut()?);
    py.detach(|| {
        check_samples(SIGNAL, y, n_in)?;
        function(y, n_in, out)
    })
    .map_err(error::parameter)
}

/// Calls `function` with each row of `y` and of `out`, once all samples are known to be in range.
fn map_rows(
    py: Python<'_>,
    y: &Rows<'_>,
    out: &Rows<'_>,
    function: impl Fn(&[f32], &mut [f32]) -> Result<(), ParameterError> + Sync,
) -> PyResult<()> {
    let n_out = out.shape()[1].max(1);
    map_all(py, y, out, |y, n_in, out| {
        let mut rows = y.chunks(n_in).zip(out.chunks_mut(n_out));
        rows.try_for_each(|(row, out)| function(row, out))
    })
}

/// Adds the functions and classes of the arrays.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    levels::register(module)?;
    spectra::register(module)
}
