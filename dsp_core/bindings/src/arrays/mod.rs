//! numpy in, numpy out: what `dsp_core.arrays` is made of.

use pyo3::prelude::*;

mod levels;

/// Adds the functions and classes of the arrays.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    levels::register(module)
}
