//! Convert, check, release the GIL, call: no arithmetic here.

use pyo3::prelude::*;

mod arrays;
mod calibrate;
mod error;
mod gates;
mod handles;
mod policy;
mod records;
mod seal;
mod source;
mod stages;

#[pymodule]
fn _dsp_core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    error::register(module)?;
    records::register(module)?;
    policy::register(module)?;
    handles::register(module)?;
    module.add_class::<source::Source>()?;
    module.add_class::<calibrate::Calibrate>()?;
    stages::register(module)?;
    gates::register(module)?;
    seal::register(module)?;
    arrays::register(module)
}
