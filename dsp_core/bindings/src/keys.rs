//! Key files: made, turned over and named. Python holds paths and ids, never a key.

use std::path::PathBuf;

use dsp_core::seal::KeyRing;
use pyo3::prelude::*;

use crate::error;

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

/// Adds the functions on key files.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(create_key, module)?)?;
    module.add_function(wrap_pyfunction!(rotate_key, module)?)?;
    module.add_function(wrap_pyfunction!(key_ids, module)?)
}
