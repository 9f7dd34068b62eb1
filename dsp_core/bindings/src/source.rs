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

/// Sound of one channel from a file or a descriptor, block by block; samples never touch Python.
#[pyclass(frozen, module = "dsp_core.zone")]
pub(crate) struct Source {
    inner: Mutex<source::Source>,
    signal: Signal,
}

/// What Python's signal handler raised while a read was waiting.
type Signal = Arc<Mutex<Option<PyErr>>>;

#[pymethods]
impl Source {
    /// Opens a WAV, FLAC, OGG, MP3, M4A or AAC file; what it is, its first bytes say.
    ///
    /// Parameters
    /// ----------
    /// path : str or os.PathLike
    ///     A regular file.
    /// sensor_id : int
    ///     Number of the sensor.
    /// channel : int or None, default 1
    ///     The channel that is heard, counted from 1; None for the mean of all.
    ///
    /// Returns
    /// -------
    /// Source
    ///     At its first sample.
    ///
    /// Raises
    /// ------
    /// BlockError
    ///     With its `reason`, a short code; `bad_channels` for a channel that is not there.
    #[staticmethod]
    #[pyo3(signature = (path, *, sensor_id, channel=1))]
    fn open(py: Python<'_>, path: PathBuf, sensor_id: u32, channel: Option<i64>) -> PyResult<Self> {
        let channel = heard(channel);
        py.detach(|| source::Source::open(&path, sensor_id, channel))
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
    ///     1 to 64, interleaved.
    /// channel : int or None, default 1
    ///     The channel that is heard, counted from 1; None for the mean of all.
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
    #[pyo3(signature = (fd, *, sensor_id, sample_rate, encoding, n_channels, channel=1))]
    fn pcm(
        fd: RawFd,
        sensor_id: u32,
        sample_rate: u32,
        encoding: &str,
        n_channels: u32,
        channel: Option<i64>,
    ) -> PyResult<Self> {
        let encoding = source::PcmEncoding::from_name(encoding).map_err(error::parameter)?;
        let format = source::PcmFormat {
            sample_rate,
            encoding,
            n_channels,
        };
        let (file, channel, signal) = (duplicate(fd)?, heard(channel), Signal::default());
        let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
        let opened = if is_file {
            source::Source::pcm_file(file, sensor_id, format, channel)
        } else {
            let signal = Arc::clone(&signal);
            let reader = Box::new(Interruptible { file, signal });
            source::Source::pcm(reader, sensor_id, format, channel)
        };
        opened
            .map(|inner| Self::new(inner, signal))
            .map_err(error::block)
    }
    /// Sample rate in Hz.
    #[getter]
    fn sample_rate(&self) -> u32 {
        self.lock().sample_rate()
    }
    /// Number of samples of a channel in the whole recording, where the header says it.
    #[getter]
    fn n_samples(&self) -> Option<u64> {
        self.lock().n_samples()
    }
    /// Bits of one sample as it is stored.
    #[getter]
    fn bits_per_sample(&self) -> u32 {
        self.lock().bits_per_sample()
    }
    /// Number of channels.
    #[getter]
    fn n_channels(&self) -> u32 {
        self.lock().n_channels()
    }
    /// When the recording began, where the recorder's header says it.
    ///
    /// Digits alone, as `2026-05-04T21:00:00`; with a `Z` where the header tells that it is UTC.
    #[getter]
    fn recorded_at(&self) -> Option<String> {
        self.lock().recorded_at().map(|at| at.to_string())
    }
    /// Position of the next sample; those that were skipped are not counted.
    #[getter]
    fn position(&self) -> u64 {
        self.lock().position()
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
    /// Goes over samples before the first block is read; the block then begins at sample 0.
    ///
    /// WAV and raw files are gone over unread, whatever their length. What is skipped is not looked at; a fault after which
    /// nothing can be read is raised by the next `read`.
    ///
    /// Parameters
    /// ----------
    /// n_samples : int
    ///     How many.
    ///
    /// Returns
    /// -------
    /// int
    ///     How many there were. If fewer, the stream is over, and `read` gives None, even if it holds no sample.
    ///
    /// Raises
    /// ------
    /// BlockError
    ///     `out_of_order` after the first block.
    fn skip(&self, py: Python<'_>, n_samples: u64) -> PyResult<u64> {
        let skipped = py.detach(|| self.lock().skip(n_samples));
        if let Some(raised) = lock(&self.signal).take() {
            return Err(raised);
        }
        skipped.map_err(error::block)
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

/// The channel of a number from 1, or the mean of all.
fn heard(channel: Option<i64>) -> source::Channel {
    channel.map_or(source::Channel::Mean, source::Channel::Number)
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
