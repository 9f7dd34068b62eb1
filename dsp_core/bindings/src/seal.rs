//! Key files and sealed state: Python holds sealed bytes, ids and paths, never a key.

use std::path::PathBuf;

use dsp_core::seal::{self, KeyRing};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error;
use crate::gates::Checkpoint;

/// Makes a new zone key in a new file that its owner alone may read.
///
/// Parameters
/// ----------
/// path : str or os.PathLike
///     Of a file that is not there yet.
///
/// Returns
/// -------
/// list of str
///     Its id: a hash.
///
/// Raises
/// ------
/// BlockError
///     `unreadable` if the file is there already or cannot be written.
#[pyfunction]
fn create_key(path: PathBuf) -> PyResult<Vec<String>> {
    ids(KeyRing::create(&path))
}

/// Makes a new key the current one of a file, and keeps the one before it to open what it sealed.
///
/// Parameters
/// ----------
/// path : str or os.PathLike
///     A key file.
///
/// Returns
/// -------
/// list of str
///     Ids, the current key's first.
///
/// Raises
/// ------
/// BlockError
///     `unreadable`, or `bad_seal` for a file that is no key or that others may read.
#[pyfunction]
fn rotate_key(path: PathBuf) -> PyResult<Vec<String>> {
    ids(KeyRing::rotate(&path))
}

/// Ids of the keys in a file.
///
/// Parameters
/// ----------
/// path : str or os.PathLike
///     A key file.
///
/// Returns
/// -------
/// list of str
///     Ids, the current key's first.
///
/// Raises
/// ------
/// BlockError
///     `unreadable`, or `bad_seal` for a file that is no key or that others may read.
#[pyfunction]
fn key_ids(path: PathBuf) -> PyResult<Vec<String>> {
    ids(KeyRing::read(&path))
}

fn ids(ring: Result<KeyRing, dsp_core::BlockError>) -> PyResult<Vec<String>> {
    ring.map(|ring| ring.ids()).map_err(error::block)
}

/// Seals and opens states with the keys of a file; every seal has a nonce of its own.
///
/// Parameters
/// ----------
/// path : str or os.PathLike
///     A key file that its owner alone may read.
///
/// Raises
/// ------
/// BlockError
///     `unreadable`, or `bad_seal` for a file that is no key or that others may read.
#[pyclass(module = "dsp_core.zone")]
pub(crate) struct Sealer(seal::Sealer);

#[pymethods]
impl Sealer {
    #[new]
    fn new(path: PathBuf) -> PyResult<Self> {
        KeyRing::read(&path)
            .and_then(seal::Sealer::from_system)
            .map(Self)
            .map_err(error::block)
    }
    /// Seals a state.
    ///
    /// Parameters
    /// ----------
    /// checkpoint : Checkpoint
    ///     The state.
    ///
    /// Returns
    /// -------
    /// bytes
    ///     To be kept or sent; they open for the same sensor and with the same key alone.
    fn seal<'py>(
        &mut self,
        py: Python<'py>,
        checkpoint: &Checkpoint,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let sealed = checkpoint.0.seal(&mut self.0).map_err(error::block)?;
        Ok(PyBytes::new(py, &sealed))
    }
    /// Opens a sealed state.
    ///
    /// Parameters
    /// ----------
    /// sensor_id : int
    ///     The sensor that it must be of.
    /// sealed : bytes
    ///     From `seal`.
    ///
    /// Returns
    /// -------
    /// Checkpoint
    ///     The state, opaque.
    ///
    /// Raises
    /// ------
    /// BlockError
    ///     `bad_seal` for changed bytes, another sensor or an unknown key; `bad_checkpoint` for another version.
    #[pyo3(signature = (*, sensor_id, sealed))]
    fn unseal(&self, sensor_id: u32, sealed: &[u8]) -> PyResult<Checkpoint> {
        dsp_core::checkpoint::Checkpoint::unseal(self.0.ring(), sensor_id, sealed)
            .map(Checkpoint)
            .map_err(error::block)
    }
    fn __repr__(&self) -> String {
        format!("<Sealer keys={:?}>", self.0.ring().ids())
    }
}

/// Adds the sealer and the functions on key files.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Sealer>()?;
    module.add_function(wrap_pyfunction!(create_key, module)?)?;
    module.add_function(wrap_pyfunction!(rotate_key, module)?)?;
    module.add_function(wrap_pyfunction!(key_ids, module)?)
}
