//! Sealing: Python holds handles, sealed bytes, ids and paths; never a key, and never what is sealed.

use std::path::PathBuf;

use dsp_core::{BlockError, analysis, seal};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::checkpoint::Checkpoint;
use crate::error;
use crate::handles::{AudioBlock, Candidate, FeatureWindow};
use crate::transport::Mark;
use crate::zone_keys::ZoneKeys;

/// Seals and opens what leaves the zone's processes, with the keys of a file. Python has handles on one side and sealed bytes on
/// the other.
///
/// Equal content for an equal place gives equal bytes; two contents never share a nonce. What does not open raises `BlockError`
/// with a reason of its own: `truncated_header`, `truncated_data`, `oversized`, `bad_version`, `wrong_topic`, `wrong_sensor`,
/// `wrong_key`, or `bad_seal` where a bit was changed.
///
/// Where a message has another key and the file was replaced since it was read, as in a rotation, the file is read again:
/// what comes is opened and what goes is sealed with its keys from then on.
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
#[pyclass(frozen, module = "dsp_core.zone")]
pub(crate) struct Sealer(ZoneKeys);

#[pymethods]
impl Sealer {
    #[new]
    fn new(path: PathBuf) -> PyResult<Self> {
        ZoneKeys::read(path).map(Self).map_err(error::block)
    }
    /// Seals a block of sound, as a sensor sends it.
    ///
    /// Parameters
    /// ----------
    /// block : AudioBlock
    ///     The sound.
    /// encoding : str
    ///     `s16le`, `s24le` or `f32le`: one that holds its samples exactly.
    /// boot_ns : int
    ///     When the sensor began to send, in ns since 1970-01-01T00:00:00Z; greater at every start.
    /// sequence : int
    ///     Number of the block since then.
    ///
    /// Returns
    /// -------
    /// bytes
    ///     To be sent; of one size for blocks of one length and encoding.
    ///
    /// Raises
    /// ------
    /// ParameterError
    ///     If the encoding is none of these.
    /// BlockError
    ///     `unsupported_encoding` if it does not hold the samples; `oversized` over 1 MiB.
    #[pyo3(signature = (block, *, encoding, boot_ns, sequence))]
    fn seal_block<'py>(
        &self,
        py: Python<'py>,
        block: &AudioBlock,
        encoding: &str,
        boot_ns: u64,
        sequence: u64,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let format = seal::BlockFormat::of(encoding).map_err(error::parameter)?;
        let (keys, block) = (self.0.current(), &block.0);
        let sealed = py.detach(|| keys.seal_block(block, format, boot_ns, sequence));
        into_bytes(py, sealed)
    }
    /// Opens a sensor's next block, and moves the mark on.
    ///
    /// Parameters
    /// ----------
    /// sealed : bytes
    ///     From `seal_block`.
    /// sensor_id : int
    ///     The sensor that it came as.
    /// mark : Mark
    ///     The sensor's; it stays where it was if this raises.
    /// received_ms : int
    ///     When the zone received it, in ms since 1970-01-01T00:00:00Z.
    ///
    /// Returns
    /// -------
    /// AudioBlock
    ///     Opaque.
    ///
    /// Raises
    /// ------
    /// BlockError
    ///     If it does not open; `duplicate` at or below the mark; `clock_ahead` if its sensor began over 2 s after it was received;
    ///     what else is wrong with a block.
    #[pyo3(signature = (sealed, *, sensor_id, mark, received_ms))]
    fn open_block(
        &self,
        py: Python<'_>,
        sealed: &[u8],
        sensor_id: u32,
        mark: &mut Mark,
        received_ms: u64,
    ) -> PyResult<AudioBlock> {
        let (keys, mark) = (&self.0, &mut mark.0);
        let opened =
            py.detach(|| keys.open(|keys| keys.open_block(sensor_id, sealed, mark, received_ms)));
        opened.map(AudioBlock).map_err(error::block)
    }
    /// Opens a block that was taken before, to refill stages after a restore.
    ///
    /// Parameters
    /// ----------
    /// sealed : bytes
    ///     From `seal_block`.
    /// sensor_id : int
    ///     The sensor that it came as.
    ///
    /// Returns
    /// -------
    /// AudioBlock
    ///     Opaque.
    ///
    /// Raises
    /// ------
    /// BlockError
    ///     If it does not open, and what else is wrong with a block.
    #[pyo3(signature = (sealed, *, sensor_id))]
    fn reopen_block(&self, py: Python<'_>, sealed: &[u8], sensor_id: u32) -> PyResult<AudioBlock> {
        let keys = &self.0;
        let opened = py.detach(|| keys.open(|keys| keys.reopen_block(sensor_id, sealed)));
        opened.map(AudioBlock).map_err(error::block)
    }
    /// Seals a window, which is used up.
    ///
    /// Parameters
    /// ----------
    /// window : FeatureWindow
    ///     From `Trigger`; a second use raises.
    /// received_ms : int or None, default=None
    ///     When the zone received the sound that completed it, in ms since 1970-01-01T00:00:00Z; None where the sound has no such
    ///     time, as in the sensor itself.
    ///
    /// Returns
    /// -------
    /// bytes
    ///     To be sent; all windows are of one size.
    ///
    /// Raises
    /// ------
    /// ParameterError
    ///     If it was used before.
    #[pyo3(signature = (window, *, received_ms=None))]
    fn seal_window<'py>(
        &self,
        py: Python<'py>,
        window: &FeatureWindow,
        received_ms: Option<u64>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (keys, window) = (self.0.current(), window.take()?);
        let sealed = py.detach(|| keys.seal_window(&window, received_ms));
        into_bytes(py, sealed)
    }
    /// Opens a window.
    ///
    /// Parameters
    /// ----------
    /// sealed : bytes
    ///     From `seal_window`.
    /// sensor_id : int
    ///     The sensor that it came as.
    /// received_ms : int
    ///     When the zone received it, in ms since 1970-01-01T00:00:00Z; counts if the window does not bring such a time along.
    ///
    /// Returns
    /// -------
    /// FeatureWindow
    ///     Opaque; it is scored to the same bytes as the one that was sealed.
    ///
    /// Raises
    /// ------
    /// BlockError
    ///     If it does not open.
    #[pyo3(signature = (sealed, *, sensor_id, received_ms))]
    fn open_window(
        &self,
        py: Python<'_>,
        sealed: &[u8],
        sensor_id: u32,
        received_ms: u64,
    ) -> PyResult<FeatureWindow> {
        let opened = py.detach(|| self.window(sensor_id, sealed, received_ms));
        opened.map(FeatureWindow::from).map_err(error::block)
    }
    /// Seals a candidate, which is used up.
    ///
    /// Parameters
    /// ----------
    /// candidate : Candidate
    ///     From `Classify`, of a window that was opened; a second use raises.
    ///
    /// Returns
    /// -------
    /// bytes
    ///     To be sent; all candidates are of one size.
    ///
    /// Raises
    /// ------
    /// ParameterError
    ///     If it was used before.
    /// BlockError
    ///     `mismatch` if its window was not received.
    fn seal_candidate<'py>(
        &self,
        py: Python<'py>,
        candidate: &Candidate,
    ) -> PyResult<Bound<'py, PyBytes>> {
        into_bytes(py, self.candidate(&candidate.take()?))
    }
    /// Opens a sensor's next candidate, and moves the mark on.
    ///
    /// Parameters
    /// ----------
    /// sealed : bytes
    ///     From `seal_candidate`.
    /// sensor_id : int
    ///     The sensor that it came as.
    /// mark : Mark
    ///     The sensor's; it stays where it was if this raises.
    ///
    /// Returns
    /// -------
    /// Candidate
    ///     Opaque; for `Gate.receive`.
    ///
    /// Raises
    /// ------
    /// BlockError
    ///     If it does not open; `duplicate` at or below the mark; `clock_ahead` if its stream began over 2 s after it was received.
    #[pyo3(signature = (sealed, *, sensor_id, mark))]
    fn open_candidate(
        &self,
        sealed: &[u8],
        sensor_id: u32,
        mark: &mut Mark,
    ) -> PyResult<Candidate> {
        let keys = &self.0;
        let opened = keys.open(|keys| keys.open_candidate(sensor_id, sealed, &mut mark.0));
        opened.map(Candidate::from).map_err(error::block)
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
    fn seal<'py>(&self, py: Python<'py>, checkpoint: &Checkpoint) -> PyResult<Bound<'py, PyBytes>> {
        into_bytes(py, checkpoint.0.seal(&self.0.current()))
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
    ///     If it does not open; `bad_checkpoint` if it is none.
    #[pyo3(signature = (*, sensor_id, sealed))]
    fn unseal(&self, sensor_id: u32, sealed: &[u8]) -> PyResult<Checkpoint> {
        self.0
            .open(|keys| dsp_core::checkpoint::Checkpoint::unseal(keys, sensor_id, sealed))
            .map(Checkpoint)
            .map_err(error::block)
    }
    fn __repr__(&self) -> String {
        format!("<Sealer keys={:?}>", self.0.current().ids())
    }
}

impl Sealer {
    pub(crate) fn window(
        &self,
        sensor_id: u32,
        sealed: &[u8],
        received_ms: u64,
    ) -> Result<analysis::FeatureWindow, BlockError> {
        let open = |keys: &seal::KeyRing| keys.open_window(sensor_id, sealed, received_ms);
        self.0.open(open)
    }

    pub(crate) fn candidate(&self, candidate: &analysis::Candidate) -> Result<Vec<u8>, BlockError> {
        self.0.current().seal_candidate(candidate)
    }
}

fn into_bytes(py: Python<'_>, sealed: Result<Vec<u8>, BlockError>) -> PyResult<Bound<'_, PyBytes>> {
    let sealed = sealed.map_err(error::block)?;
    Ok(PyBytes::new(py, &sealed))
}
