"""Frequency weightings A, C and Z, after IEC 61672-1."""

from __future__ import annotations

import numpy as np
from dsp_core._dsp_core import weight_rows
from dsp_core.arrays.check import Float32Array, as_out, as_rows, as_sample_rate

#: Highest exact frequency at which A and C are within 0.35 dB of the standard's curves, as a share of the rate.
_TOP_SHARE = 0.475


def a_weighting(y: Float32Array, *, sample_rate: int, out: Float32Array | None = None) -> Float32Array:
    """Weight a signal with A.

    Parameters
    ----------
    y : numpy.ndarray
        Signal; float32, shape=(..., n), C-contiguous. Each row starts from rest.
    sample_rate : int
        Sample rate in Hz, 8000 to 192000.
    out : numpy.ndarray or None, default=None
        Written to and returned; float32, shape=(..., n), C-contiguous, sharing no memory with `y`.

    Returns
    -------
    numpy.ndarray
        Weighted signal in the unit of `y`; float32, shape=(..., n).

    Raises
    ------
    ParameterError
        If an argument does not fit, or `y` holds NaN or infinity.

    See Also
    --------
    c_weighting : For low and loud sounds.
    z_weighting : No weighting.
    leq : Equivalent level of the weighted signal.

    Notes
    -----
    Six poles matched to those of the analogue filter, three of the numerator's coefficients solved for the analogue
    gain at 1 kHz and near the top; computed in 64 bits. Measured by sines, against the analogue curve of the
    standard: within 0.25 dB from 10 Hz to 20 kHz at 44.1 and 48 kHz, to 12.5 kHz at 32 kHz and to 6.3 kHz at 16 kHz,
    which is inside the acceptance limits of class 1; within 0.35 dB below 95 % of half the rate at any rate. Class 1
    is said of a whole instrument: this is its filter alone.

    References
    ----------
    IEC 61672-1:2013, 5.5, Table 3 and Annex E.

    Examples
    --------
    A tone of 100 Hz loses 19.1 dB.

    >>> import numpy as np
    >>> from dsp_core.arrays import a_weighting, leq
    >>> t = np.arange(96_000) / 48_000
    >>> y = np.sin(2 * np.pi * 100 * t).astype(np.float32)
    >>> weighted = a_weighting(y, sample_rate=48_000)
    >>> f"{leq(weighted[48_000:], sample_rate=48_000) - leq(y, sample_rate=48_000):.1f}"
    '-19.1'
    """
    return _weighting(y, sample_rate, out, "A")


def c_weighting(y: Float32Array, *, sample_rate: int, out: Float32Array | None = None) -> Float32Array:
    """Weight a signal with C.

    Parameters
    ----------
    y : numpy.ndarray
        Signal; float32, shape=(..., n), C-contiguous. Each row starts from rest.
    sample_rate : int
        Sample rate in Hz, 8000 to 192000.
    out : numpy.ndarray or None, default=None
        Written to and returned; float32, shape=(..., n), C-contiguous, sharing no memory with `y`.

    Returns
    -------
    numpy.ndarray
        Weighted signal in the unit of `y`; float32, shape=(..., n).

    Raises
    ------
    ParameterError
        If an argument does not fit, or `y` holds NaN or infinity.

    See Also
    --------
    a_weighting : What levels are usually measured with.

    Notes
    -----
    As `a_weighting`, with four poles and the same accuracy.

    References
    ----------
    IEC 61672-1:2013, 5.5, Table 3 and Annex E.

    Examples
    --------
    A tone of 31.5 Hz, of which A leaves little, loses 3.0 dB.

    >>> import numpy as np
    >>> from dsp_core.arrays import c_weighting, leq
    >>> t = np.arange(96_000) / 48_000
    >>> y = np.sin(2 * np.pi * 31.5 * t).astype(np.float32)
    >>> weighted = c_weighting(y, sample_rate=48_000)
    >>> f"{leq(weighted[48_000:], sample_rate=48_000) - leq(y, sample_rate=48_000):.1f}"
    '-3.0'
    """
    return _weighting(y, sample_rate, out, "C")


def z_weighting(y: Float32Array, *, sample_rate: int, out: Float32Array | None = None) -> Float32Array:
    """Weight a signal with Z: all of it from 10 Hz to 20 kHz, without a converter's constant.

    Parameters
    ----------
    y : numpy.ndarray
        Signal; float32, shape=(..., n), C-contiguous. Each row starts from rest.
    sample_rate : int
        Sample rate in Hz, 8000 to 192000.
    out : numpy.ndarray or None, default=None
        Written to and returned; float32, shape=(..., n), C-contiguous, sharing no memory with `y`.

    Returns
    -------
    numpy.ndarray
        Weighted signal in the unit of `y`; float32, shape=(..., n).

    Raises
    ------
    ParameterError
        If an argument does not fit, or `y` holds NaN or infinity.

    See Also
    --------
    a_weighting : What levels are usually measured with.

    Notes
    -----
    A zero at 0 Hz and a pole at 1 Hz: 0.04 dB are lost at 10 Hz, less above. The standard asks for 0 dB from 10 Hz to
    20 kHz and leaves open what is below; without the zero, a constant of 1 % of full scale would read −40 dB. It dies
    away with 0.16 s.

    References
    ----------
    IEC 61672-1:2013, 5.5 and Table 3 (Z: 0 dB); the pole is ours.

    Examples
    --------
    >>> import numpy as np
    >>> from dsp_core.arrays import leq, z_weighting
    >>> y = np.sin(2 * np.pi * 31.5 * np.arange(96_000) / 48_000).astype(np.float32)
    >>> weighted = z_weighting(y + np.float32(0.5), sample_rate=48_000)
    >>> f"{leq(weighted[48_000:], sample_rate=48_000):.2f}"
    '-3.01'
    """
    return _weighting(y, sample_rate, out, "Z")


def weighting_top_hz(*, sample_rate: int) -> float:
    """Say up to which frequency weighted levels at a sample rate meet the response limits of class 1.

    Parameters
    ----------
    sample_rate : int
        Sample rate in Hz, 8000 to 192000.

    Returns
    -------
    float
        Highest nominal frequency of Table 3 in Hz, at most 20000. Class 1 asks for 16000: a rate whose answer is lower,
        such as 16000 or 32000 Hz, cannot hold it, whatever the filter.

    Raises
    ------
    ParameterError
        If it is no sample rate.

    Notes
    -----
    A frequency above 0.475 of the rate is left out: there a converter's own filter decides. Measured at 16, 32, 44.1
    and 48 kHz by sines: docs/conformance.md. Class 1 is said of a whole instrument.

    References
    ----------
    IEC 61672-1:2013, 5.5 and Table 3.

    Examples
    --------
    >>> from dsp_core.arrays import weighting_top_hz
    >>> [weighting_top_hz(sample_rate=rate) for rate in (8_000, 16_000, 32_000, 48_000)]
    [3150.0, 6300.0, 12500.0, 20000.0]
    """
    nominal = np.array([1.0, 1.25, 1.6, 2.0, 2.5, 3.15, 4.0, 5.0, 6.3, 8.0])
    highest_hz = min(_TOP_SHARE * as_sample_rate(sample_rate), 20_000)
    k = int(np.floor(10 * np.log10(highest_hz) + 1e-9))
    return float(nominal[k % 10] * 10.0 ** (k // 10))


def _weighting(y: Float32Array, sample_rate: int, out: Float32Array | None, kind: str) -> Float32Array:
    rows, _ = as_rows(y)
    result = as_out(out, y.shape, y)
    weight_rows(rows, result.reshape(rows.shape), sample_rate=as_sample_rate(sample_rate), kind=kind)
    return result
