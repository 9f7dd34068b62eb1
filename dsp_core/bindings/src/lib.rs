//! Convert, check, release the GIL, call: no arithmetic here.

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;

mod arrays;
mod calibrate;
mod checkpoint;
mod error;
mod gates;
mod handles;
mod helpers;
mod keys;
mod many;
mod policy;
mod records;
mod seal;
mod source;
mod stage;
mod stages;
mod transport;
mod zone_keys;

/// The set of instructions that the core works with: `baseline`, `avx2` or `avx512`; the same bytes come of each.
///
/// The widest one that the CPU has, or the one that the environment variable ``DSP_CORE_SIMD`` named at the import.
#[pyfunction]
fn simd_path() -> &'static str {
    dsp_core::simd::widest_path().name()
}

/// Reads the setting that forces a set of instructions; once, when the module is imported.
fn read_simd_setting() -> PyResult<()> {
    match std::env::var_os("DSP_CORE_SIMD") {
        None => Ok(()),
        Some(name) => dsp_core::simd::force_path(&name.to_string_lossy())
            .map_err(|refusal| PyImportError::new_err(refusal.to_string())),
    }
}

#[pymodule]
fn _dsp_core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    read_simd_setting()?;
    module.add_function(wrap_pyfunction!(simd_path, module)?)?;
    error::register(module)?;
    records::register(module)?;
    policy::register(module)?;
    handles::register(module)?;
    module.add_class::<source::Source>()?;
    module.add_class::<calibrate::Calibrate>()?;
    stages::register(module)?;
    module.add_class::<many::DescribeMany>()?;
    gates::register(module)?;
    module.add_class::<checkpoint::Checkpoint>()?;
    transport::register(module)?;
    module.add_class::<seal::Sealer>()?;
    keys::register(module)?;
    arrays::register(module)
}
