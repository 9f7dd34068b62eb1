//! Core errors as Python exceptions, in one place.

use dsp_core::{BlockError, ParameterError};
use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

create_exception!(
    dsp_core,
    DspCoreError,
    PyException,
    "Everything that dsp_core refuses."
);
create_exception!(
    dsp_core,
    PyParameterError,
    DspCoreError,
    "A parameter that a stage cannot be built with."
);
create_exception!(
    dsp_core,
    PyBlockError,
    DspCoreError,
    "One input, block or stored state that was refused; `reason` is its code."
);

/// A parameter error, as Python sees it.
pub(crate) fn parameter(error: ParameterError) -> PyErr {
    PyParameterError::new_err(error.to_string())
}

/// A refused block, as Python sees it.
pub(crate) fn block(error: BlockError) -> PyErr {
    let reason = error.reason.code();
    let raised = PyBlockError::new_err(error.to_string());
    Python::attach(|py| {
        // An exception instance takes attributes; if it ever refused, the text still starts with the code.
        let _ = raised.value(py).setattr("reason", reason);
    });
    raised
}

/// A zone object that was handed on already.
pub(crate) fn used_up(name: &str) -> PyErr {
    PyParameterError::new_err(format!(
        "{name}: expected one that no stage has taken, got a used one"
    ))
}

/// Adds the exceptions to the module under their public names.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("DspCoreError", py.get_type::<DspCoreError>())?;
    module.add("ParameterError", py.get_type::<PyParameterError>())?;
    module.add("BlockError", py.get_type::<PyBlockError>())
}
