//! numpy in, numpy out: the functions behind `dsp_core.arrays`. Python checks types and shapes; here samples are checked, the
//! GIL is released and the core is called, row by row.

use dsp_core::ParameterError;
use numpy::{PyReadonlyArray2, PyReadwriteArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;

use crate::error;

mod spectra;

/// Rows of samples.
type Rows<'py> = PyReadonlyArray2<'py, f32>;
/// Rows of results.
type RowsOut<'py> = PyReadwriteArray2<'py, f32>;

/// The rows of a C-contiguous array, one after the other.
fn slice<'a>(name: &'static str, rows: &'a Rows<'_>) -> PyResult<&'a [f32]> {
    rows.as_slice().map_err(|_| not_contiguous(name))
}

fn not_contiguous(name: &'static str) -> PyErr {
    error::parameter(ParameterError::new(
        name,
        "a C-contiguous array",
        "another one",
    ))
}

/// Refuses NaN and infinity, naming the first place.
fn check_finite(
    name: &'static str,
    samples: &[f32],
    n_columns: usize,
) -> Result<(), ParameterError> {
    // Without an early exit the check runs over many samples at once.
    if samples.iter().fold(true, |ok, x| ok & x.is_finite()) {
        return Ok(());
    }
    let at = samples.iter().position(|x| !x.is_finite()).unwrap_or(0);
    let (row, column) = (at / n_columns.max(1), at % n_columns.max(1));
    let actual = format!("NaN or infinity at sample {column} of row {row}");
    Err(ParameterError::new(name, "finite values", actual))
}

/// Calls `work` on each row and its result, without the GIL, after looking at the samples.
fn by_row(
    py: Python<'_>,
    y: &Rows<'_>,
    out: &mut RowsOut<'_>,
    work: impl Fn(&[f32], &mut [f32]) -> Result<(), ParameterError> + Send + Sync,
) -> PyResult<()> {
    let (n_in, n_out) = (y.shape()[1], out.shape()[1]);
    let samples = slice("y", y)?;
    let results = out.as_slice_mut().map_err(|_| not_contiguous("out"))?;
    py.detach(|| {
        check_finite("y", samples, n_in)?;
        if n_out == 0 {
            return Ok(());
        }
        let mut rows = samples
            .chunks_exact(n_in)
            .zip(results.chunks_exact_mut(n_out));
        rows.try_for_each(|(row, out)| work(row, out))
    })
    .map_err(error::parameter)
}

/// Adds the functions and classes behind `dsp_core.arrays`.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    spectra::register(module)
}
