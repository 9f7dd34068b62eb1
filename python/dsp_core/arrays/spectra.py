"""Frames, spectra, mel bands and resampling of signals in numpy arrays."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np
from dsp_core._dsp_core import (
    ArrayLogMel,
    ArrayPowerSpectrum,
    array_mel_filterbank,
    array_n_resampled,
    array_resample,
)
from dsp_core.arrays.check import Float32Array, as_hz, as_one_of, as_out, as_rows, as_sample_rate, as_whole, refuse

# A service that works block by block calls with the same settings for ever.
_log_mel_tables = lru_cache(maxsize=8)(ArrayLogMel)
_power_tables = lru_cache(maxsize=8)(ArrayPowerSpectrum)


def frame(y: Float32Array, *, win_length: int, hop: int) -> Float32Array:
    """Cut a signal into overlapping frames, without a copy.

    Parameters
    ----------
    y : numpy.ndarray
        float32, shape=(..., n), C-contiguous.
    win_length : int
        Samples of a frame, at most n.
    hop : int
        Samples between the starts of two frames, at least 1.

    Returns
    -------
    numpy.ndarray
        float32, shape=(..., n_frames, win_length): a read-only view. ``n_frames = 1 + (n - win_length) // hop``;
        there is no padding, and samples after the last whole frame are in none.

    Raises
    ------
    ParameterError
        If `y` is no such array or a number is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from dsp_core import frame
    >>> frame(np.arange(6, dtype=np.float32), win_length=4, hop=2)
    array([[0., 1., 2., 3.],
           [2., 3., 4., 5.]], dtype=float32)
    """
    as_rows(y)
    win_length, hop = as_whole("win_length", win_length), as_whole("hop", hop)
    if win_length > y.shape[-1]:
        raise refuse("win_length", f"at most the length of y ({y.shape[-1]})", win_length)
    return np.lib.stride_tricks.sliding_window_view(y, win_length, axis=-1)[..., ::hop, :]


def power_spectrum(
    y: Float32Array, *, n_fft: int = 512, win_length: int = 400, hop: int = 160, out: Float32Array | None = None
) -> Float32Array:
    """Return the power spectrum of each frame, |X|².

    Parameters
    ----------
    y : numpy.ndarray
        float32, shape=(..., n), C-contiguous, finite, at least `win_length` samples.
    n_fft : int, default=512
        Points of the transform: a power of two from 64 to 16384.
    win_length : int, default=400
        Samples of a frame under a periodic Hann window, at most `n_fft`; zeros follow up to `n_fft`.
    hop : int, default=160
        Samples between the starts of two frames.
    out : numpy.ndarray or None, default=None
        Where to write: float32, of the result's shape, C-contiguous, sharing no memory with `y`.

    Returns
    -------
    numpy.ndarray
        float32, shape=(..., n_frames, n_fft // 2 + 1), in the unit of `y` squared, times the window's sum squared for
        a tone. ``n_frames = 1 + (n - win_length) // hop``: no padding, no centring. Frames come before bins.

    Raises
    ------
    ParameterError
        If an argument is out of its range: its name, what it may be, what it was.

    Notes
    -----
    float32 arithmetic, frames side by side in vector lanes; the bytes are the same on every CPU. Against float64:
    within 1e-6 of the frame's strongest bin; what that is in dB for mel bands of it stands in docs/from-librosa.md.

    Examples
    --------
    >>> import numpy as np
    >>> from dsp_core import power_spectrum
    >>> t = np.arange(16000) / 16000
    >>> power = power_spectrum(np.sin(2 * np.pi * 1000 * t).astype(np.float32))
    >>> power.shape, int(power[0].argmax()) * 16000 // 512
    ((98, 257), 1000)
    """
    rows, leading = as_rows(y)
    n_fft, win_length = as_whole("n_fft", n_fft), as_whole("win_length", win_length)
    tables = _power_tables(n_fft=n_fft, win_length=win_length, hop=as_whole("hop", hop))
    out = as_out(out, (*leading, _n_frames(tables, rows, win_length), n_fft // 2 + 1), y)
    tables.power_into(rows, out.reshape(len(rows), -1))
    return out


def mel_filterbank(
    *,
    sample_rate: int,
    n_fft: int = 512,
    n_mels: int = 64,
    fmin: float = 125.0,
    fmax: float = 7500.0,
    mel_scale: Literal["htk", "slaney"] = "htk",
    norm: Literal["slaney"] | None = None,
) -> Float32Array:
    """Return the triangles of a mel filter bank as a matrix.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    n_fft : int, default=512
        Points of the transform that the bank is for.
    n_mels : int, default=64
        Number of bands, 1 to 512; each must hold a bin.
    fmin : float, default=125.0
        Lower edge of the first band in Hz.
    fmax : float, default=7500.0
        Upper edge of the last band in Hz, at most half the sample rate.
    mel_scale : {"htk", "slaney"}, default="htk"
        "htk" is the bank of `log_mel`: HTK's scale, triangles linear in mel, nothing at 0 Hz. "slaney" is linear below
        1 kHz and logarithmic above, with triangles linear in Hz: librosa's default.
    norm : {None, "slaney"}, default=None
        "slaney" gives every band the same area, as librosa does by default.

    Returns
    -------
    numpy.ndarray
        float32, shape=(n_mels, n_fft // 2 + 1). ``power @ bank.T`` gives bands.

    Raises
    ------
    ParameterError
        If an argument is out of its range, such as a band above half the sample rate or one that holds no bin.

    Notes
    -----
    Made in float64. "slaney" is librosa's ``filters.mel``, with and without norm, within 1e-7 of the largest weight.

    References
    ----------
    M. Slaney, Auditory Toolbox, Technical Report 1998-010, Interval Research. S. Young et al., The HTK Book.

    Examples
    --------
    >>> from dsp_core import mel_filterbank
    >>> mel_filterbank(sample_rate=16000).shape
    (64, 257)
    """
    is_slaney = as_one_of("mel_scale", mel_scale, ("htk", "slaney")) == "slaney"
    is_normalised = as_one_of("norm", norm, (None, "slaney")) == "slaney"
    n_fft, n_mels = as_whole("n_fft", n_fft), as_whole("n_mels", n_mels)
    fmin, fmax = as_hz("fmin", fmin), as_hz("fmax", fmax)
    flat = array_mel_filterbank(
        as_whole("sample_rate", sample_rate, unit=" Hz"), n_fft, n_mels, fmin, fmax, is_slaney, is_normalised
    )
    return flat.reshape(n_mels, n_fft // 2 + 1)


def log_mel(
    y: Float32Array,
    *,
    sample_rate: int,
    n_fft: int = 512,
    win_length: int = 400,
    hop: int = 160,
    n_mels: int = 64,
    fmin: float = 125.0,
    fmax: float = 7500.0,
    out: Float32Array | None = None,
) -> Float32Array:
    """Return log-mel frames: ln(mel magnitude + 0.001).

    Parameters
    ----------
    y : numpy.ndarray
        float32, shape=(..., n), C-contiguous, finite, at least `win_length` samples.
    sample_rate : int
        In Hz; the front end of the classifier works at 16000 (see `resample`). At more than 32000 the lowest of the
        default bands hold no bin: give a larger `n_fft` or resample.
    n_fft : int, default=512
        Points of the transform: a power of two from 64 to 16384.
    win_length : int, default=400
        Samples of a frame under a periodic Hann window, at most `n_fft`.
    hop : int, default=160
        Samples between the starts of two frames.
    n_mels : int, default=64
        Number of bands.
    fmin : float, default=125.0
        Lower edge of the first band in Hz.
    fmax : float, default=7500.0
        Upper edge of the last band in Hz, at most half the sample rate.
    out : numpy.ndarray or None, default=None
        Where to write: float32, of the result's shape, C-contiguous, sharing no memory with `y`.

    Returns
    -------
    numpy.ndarray
        float32, shape=(..., n_frames, n_mels), natural logarithm. ``n_frames = 1 + (n - win_length) // hop``: no
        padding, no centring. Frames come before bands.

    Raises
    ------
    ParameterError
        If an argument is out of its range: its name, what it may be, what it was.

    Notes
    -----
    The front end of the shipped classifier at the defaults, with the same bytes on every CPU and for any cut into
    calls. Bands are sums of magnitudes, not of powers. Against float64: within 1e-4 dB for bands down to 40 dB below
    the frame's strongest bin, 0.005 dB down to 80 dB, 0.09 dB down to 100 dB (docs/from-librosa.md).

    References
    ----------
    The published front end of YAMNet (TensorFlow Models, audioset/yamnet).

    Examples
    --------
    >>> import numpy as np
    >>> from dsp_core import log_mel
    >>> log_mel(np.zeros((2, 16000), np.float32), sample_rate=16000).shape
    (2, 98, 64)
    """
    rows, leading = as_rows(y)
    win_length, n_mels = as_whole("win_length", win_length), as_whole("n_mels", n_mels)
    tables = _log_mel_tables(
        sample_rate=as_whole("sample_rate", sample_rate, unit=" Hz"),
        n_fft=as_whole("n_fft", n_fft),
        win_length=win_length,
        hop=as_whole("hop", hop),
        n_mels=n_mels,
        fmin=as_hz("fmin", fmin),
        fmax=as_hz("fmax", fmax),
    )
    out = as_out(out, (*leading, _n_frames(tables, rows, win_length), n_mels), y)
    tables.log_mel_into(rows, out.reshape(len(rows), -1))
    return out


def resample(
    y: Float32Array, *, sample_rate: int, target_rate: int = 16_000, out: Float32Array | None = None
) -> Float32Array:
    """Return a signal at another sample rate.

    Parameters
    ----------
    y : numpy.ndarray
        float32, shape=(..., n), C-contiguous, finite.
    sample_rate : int
        Of `y`, 8000 to 192000 Hz.
    target_rate : int, default=16000
        Of the result, 8000 to 192000 Hz.
    out : numpy.ndarray or None, default=None
        Where to write: float32, of the result's shape, C-contiguous, sharing no memory with `y`.

    Returns
    -------
    numpy.ndarray
        float32, shape=(..., ceil(n * target_rate / sample_rate)). Sample m stands at m / `target_rate` s: nothing is
        shifted.

    Raises
    ------
    ParameterError
        If an argument is out of its range: its name, what it may be, what it was.

    Notes
    -----
    Polyphase windowed sinc (Kaiser, 84 dB). Of the lower rate, the pass band reaches to 46.9 % (7.5 kHz at 16 kHz)
    within 0.01 dB, and what would fold back, above 53.1 %, is 79.9 dB down. Values below 1e-12 count as zero. At
    16 kHz it gives the bytes of the zone.

    Examples
    --------
    >>> import numpy as np
    >>> from dsp_core import resample
    >>> resample(np.zeros(44100, np.float32), sample_rate=44100).shape
    (16000,)
    """
    rows, leading = as_rows(y)
    rates = as_sample_rate(sample_rate), as_sample_rate(target_rate, "target_rate")
    n_out = array_n_resampled(rows.shape[1], *rates)
    out = as_out(out, (*leading, n_out), y)
    array_resample(rows, out.reshape(len(rows), n_out), *rates)
    return out


def _n_frames(tables: ArrayLogMel | ArrayPowerSpectrum, rows: Float32Array, win_length: int) -> int:
    n_frames = tables.n_frames(rows.shape[1])
    if n_frames == 0:
        raise refuse("y", f"at least win_length ({win_length}) samples", rows.shape[1])
    return n_frames
