//! Files and descriptors as sources of blocks.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{BorrowedFd, RawFd};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dsp_core::sound::source;
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;

use crate::error;
use crate::handles::AudioBlock;

/// Sound from a file or a descriptor, first channel, block by block; samples never touch Python.
#[pyclass(frozen, module = "dsp_core.zone")]
pub(crate) struct Source {
    inner: Mutex<source::Source>,
    signal: Signal,
}

/// What Python's signal handler raised while a read was waiting.
type Signal = Arc<Mutex<Option<PyErr>>>;

#[pymethods]
impl Source {
    /// Opens a WAV, FLAC or OGG file; what it is, its first bytes say.
    ///
    /// Parameters
    /// ----------
    /// path : str or os.PathLike
    ///     A regular file.
    /// sensor_id : int
    ///     Number of the sensor.
    ///
    /// Returns
    /// -------
    /// Source
    ///     At its first sample.
    ///
    /// Raises
    /// ------
    /// BlockError
    ///     With its `reason`: a short code.
    #[staticmethod]
    #[pyo3(signature = (path, *, sensor_id))]
    fn open(py: Python<'_>, path: PathBuf, sensor_id: u32) -> PyResult<Self> {
        py.detach(|| source::Source::open(&path, sensor_id))
            .map(|inner| Self::new(inner, Signal::default()))
            .map_err(error::block)
    }
    /// Takes raw PCM from a descriptor (which is duplicated and stays the caller's).
    ///
    /// Parameters
    /// ----------
    /// fd : int
    ///     A descriptor that can be read.
    /// sensor_id : int
    ///     Number of the sensor.
    /// sample_rate : int
    ///     8000 to 192000 Hz.
    /// encoding : str
    ///     `u8`, `s16le`, `s24le`, `s32le`, `f32le`, `f64le`, `alaw` or `mulaw`.
    /// n_channels : int
    ///     1 to 64, interleaved; the first is heard.
    ///
    /// Returns
    /// -------
    /// Source
    ///     Nothing is read yet.
    ///
    /// Raises
    /// ------
    /// ParameterError
    ///     If the encoding is none of these.
    /// BlockError
    ///     If rate or channels are out of range.
    #[staticmethod]
    #[pyo3(signature = (fd, *, sensor_id, sample_rate, encoding, n_channels))]
    fn pcm(
        fd: RawFd,
        sensor_id: u32,
        sample_rate: u32,
        encoding: &str,
        n_channels: u32,
    ) -> PyResult<Self> {
        let encoding = source::PcmEncoding::from_name(encoding).map_err(error::parameter)?;
        let format = source::PcmFormat {
            sample_rate,
            encoding,
            n_channels,
        };
        let signal = Signal::default();
        let reader = Interruptible {
            file: duplicate(fd)?,
            signal: Arc::clone(&signal),
        };
        source::Source::pcm(Box::new(reader), sensor_id, format)
            .map(|inner| Self::new(inner, signal))
            .map_err(error::block)
    }
    /// Sample rate in Hz.
    #[getter]
    fn sample_rate(&self) -> u32 {
        self.lock().sample_rate()
    }
    /// Number of samples of a channel, where the header says it.
    #[getter]
    fn n_samples(&self) -> Option<u64> {
        self.lock().n_samples()
    }
    /// Bits of one sample as it is stored.
    #[getter]
    fn bits_per_sample(&self) -> u32 {
        self.lock().bits_per_sample()
    }
    /// Number of channels; the first one is heard.
    #[getter]
    fn n_channels(&self) -> u32 {
        self.lock().n_channels()
    }
    /// Position of the next sample.
    #[getter]
    fn position(&self) -> u64 {
        self.lock().position()
    }
    /// Lets the first samples go, before the first read; positions count from what follows.
    ///
    /// Parameters
    /// ----------
    /// n_samples : int
    ///     How many; a source that is shorter is over then.
    ///
    /// Raises
    /// ------
    /// BlockError
    ///     With its `reason`: a short code.
    fn skip(&self, py: Python<'_>, n_samples: u64) -> PyResult<()> {
        py.detach(|| self.lock().skip(n_samples))
            .map_err(error::block)
    }
    /// The next block of at most `max_samples` samples; None at the end.
    ///
    /// Parameters
    /// ----------
    /// max_samples : int
    ///     Taken as 1 to 1048576.
    ///
    /// Returns
    /// -------
    /// AudioBlock or None
    ///     A pipe is waited for until the block is full.
    ///
    /// Raises
    /// ------
    /// BlockError
    ///     With its `reason`: a short code.
    fn read(&self, py: Python<'_>, max_samples: usize) -> PyResult<Option<AudioBlock>> {
        let block = py.detach(|| self.lock().next_block(max_samples));
        if let Some(raised) = lock(&self.signal).take() {
            return Err(raised);
        }
        block
            .map(|block| block.map(AudioBlock))
            .map_err(error::block)
    }
    fn __repr__(&self) -> String {
        let source = self.lock();
        format!(
            "<Source sample_rate={} n_channels={} position={}>",
            source.sample_rate(),
            source.n_channels(),
            source.position()
        )
    }
}

impl Source {
    fn new(inner: source::Source, signal: Signal) -> Self {
        Self {
            inner: Mutex::new(inner),
            signal,
        }
    }

    fn lock(&self) -> MutexGuard<'_, source::Source> {
        lock(&self.inner)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn duplicate(fd: RawFd) -> PyResult<File> {
    if fd < 0 {
        return Err(error::used_up("fd"));
    }
    // SAFETY: the borrow ends with this statement; a descriptor that is not open only makes `dup` fail.
    #[allow(unsafe_code)]
    let owned = unsafe { BorrowedFd::borrow_raw(fd) }.try_clone_to_owned();
    owned
        .map(File::from)
        .map_err(|error| PyOSError::new_err(error.to_string()))
}

/// A reader that lets Ctrl-C through: a read that a signal interrupts asks Python, and ends if its handler raises.
struct Interruptible {
    file: File,
    signal: Signal,
}

impl Read for Interruptible {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.file.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    if let Err(raised) = Python::attach(|py| py.check_signals()) {
                        *lock(&self.signal) = Some(raised);
                        return Err(io::Error::other("a signal"));
                    }
                }
                result => return result,
            }
        }
    }
}
