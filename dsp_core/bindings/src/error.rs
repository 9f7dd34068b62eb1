//! Core errors as Python exceptions, in one place. Each bears the name and the module that Python finds it under, or it could
//! not be handed from one process to another.

use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{IntoPyDict, PyType};

create_exception!(
    dsp_core.zone,
    DspCoreError,
    PyException,
    "Everything that dsp_core refuses."
);
create_exception!(
    dsp_core.zone,
    BlockError,
    DspCoreError,
    "One input, block or stored state that was refused; `reason` is its code."
);

static PARAMETER_ERROR: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// `ParameterError`: a `ValueError` too, which is what Python code expects of an argument out of range. PyO3's own exceptions
/// have one base.
fn parameter_error(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    let class = PARAMETER_ERROR.get_or_try_init(py, || {
        let bases = (py.get_type::<DspCoreError>(), py.get_type::<PyValueError>());
        let fields = [
            ("__module__", "dsp_core"),
            ("__doc__", "A parameter that a stage cannot be built with."),
        ];
        let made =
            py.get_type::<PyType>()
                .call1(("ParameterError", bases, fields.into_py_dict(py)?))?;
        Ok::<_, PyErr>(made.cast_into::<PyType>()?.unbind())
    })?;
    Ok(class.bind(py))
}

/// A parameter error with its text, as Python sees it.
fn refused(text: String) -> PyErr {
    Python::attach(|py| match parameter_error(py) {
        Ok(class) => PyErr::from_type(class.clone(), text),
        Err(error) => error,
    })
}

/// A parameter error, as Python sees it.
pub(crate) fn parameter(error: dsp_core::ParameterError) -> PyErr {
    refused(error.to_string())
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
    refused(format!(
        "{name}: expected one that no stage has taken, got a used one"
    ))
}

/// Adds the exceptions to the module under their public names.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("DspCoreError", py.get_type::<DspCoreError>())?;
    module.add("ParameterError", parameter_error(py)?)?;
    module.add("BlockError", py.get_type::<BlockError>())
}
