//! Convert, check, release the GIL, call: no arithmetic here.

use pyo3::prelude::*;

mod arrays;
mod calibrate;
mod checkpoint;
mod error;
mod gates;
mod handles;
mod keys;
mod policy;
mod records;
mod seal;
mod source;
mod stages;
mod transport;
mod zone_keys;

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
    module.add_class::<checkpoint::Checkpoint>()?;
    transport::register(module)?;
    module.add_class::<seal::Sealer>()?;
    keys::register(module)?;
    arrays::register(module)
}
