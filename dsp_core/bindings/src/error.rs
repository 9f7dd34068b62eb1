//! Core errors as Python exceptions, in one place. Each bears the name and the module that Python finds it under, or it could
//! not be handed from one process to another.

use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

create_exception!(
    dsp_core.zone,
    DspCoreError,
    PyException,
    "Everything that dsp_core refuses."
);
create_exception!(
    dsp_core,
    ParameterError,
    DspCoreError,
    "A parameter that a stage cannot be built with."
);
create_exception!(
    dsp_core.zone,
    BlockError,
    DspCoreError,
    "One input, block or stored state that was refused; `reason` is its code."
);

/// A parameter error, as Python sees it.
pub(crate) fn parameter(error: dsp_core::ParameterError) -> PyErr {
    ParameterError::new_err(error.to_string())
}

/// A refused block, as Python sees it.
pub(crate) fn block(error: dsp_core::BlockError) -> PyErr {
    let reason = error.reason.code();
    let raised = BlockError::new_err(error.to_string());
    Python::attach(|py| {
        // An exception instance takes attributes; if it ever refused, the text still starts with the code.
        let _ = raised.value(py).setattr("reason", reason);
    });
    raised
}

/// A zone object that was handed on already.
pub(crate) fn used_up(name: &str) -> PyErr {
    ParameterError::new_err(format!(
        "{name}: expected one that no stage has taken, got a used one"
    ))
}

/// Adds the exceptions to the module under their public names.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("DspCoreError", py.get_type::<DspCoreError>())?;
    module.add("ParameterError", py.get_type::<ParameterError>())?;
    module.add("BlockError", py.get_type::<BlockError>())
}
