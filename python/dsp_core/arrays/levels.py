"""Time weighting, equivalent and percentile levels, after IEC 61672-1 and ISO 1996-1."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from dsp_core._dsp_core import leq_rows, time_weight_rows
from dsp_core.arrays.check import (
    Float32Array,
    as_axis,
    as_levels,
    as_out,
    as_percent,
    as_positive,
    as_rows,
    as_sample_rate,
    refuse,
)
from numpy.typing import NDArray

#: Seconds of the named time weightings; Impulse has two.
_TIME_CONSTANTS_S = {"fast": 0.125, "slow": 1.0, "impulse": None}


def time_weighting(
    y: Float32Array,
    *,
    sample_rate: int,
    time_constant_s: float | Literal["fast", "slow", "impulse"] = 0.125,
    reference: float = 1.0,
    out: Float32Array | None = None,
) -> Float32Array:
    """Measure the running level of a signal: the exponential mean of its square, at each sample.

    Parameters
    ----------
    y : numpy.ndarray
        Signal, usually weighted already (LAF: by A); float32, shape=(..., n), C-contiguous. Each row starts from rest.
    sample_rate : int
        Sample rate in Hz, 8000 to 192000.
    time_constant_s : float or {"fast", "slow", "impulse"}, default=0.125
        In seconds: 0.125 is Fast, 1.0 is Slow. Impulse is a mean of 35 ms and behind it a peak detector that decays
        with 1.5 s; a standard defines it no longer (see Notes).
    reference : float, default=1.0
        Rms value of 0 dB: 20e-6 for signals in pascals.
    out : numpy.ndarray or None, default=None
        Written to and returned; float32, shape=(..., n), C-contiguous, sharing no memory with `y`.

    Returns
    -------
    numpy.ndarray
        Level in dB; float32, shape=(..., n). Digital silence is −300 dB re 1 (with `reference` 20e-6: −206 dB), never
        minus infinity.

    Raises
    ------
    ParameterError
        If an argument does not fit, or `y` holds NaN or infinity.

    See Also
    --------
    Levels : The same measured from block to block, with maxima and percentiles.

    Notes
    -----
    m(n) = d m(n − 1) + (1 − d) y(n)², d = exp(−1 / (time constant × rate)), in 64 bits; the level is 10
    lg m, within 2e-10 dB before it is rounded to 32 bits. Measured on tonebursts of 4 kHz behind `a_weighting`: Table
    4 within 0.1 dB from 1 s to 1 ms, within 0.5 dB below.

    Impulse comes from IEC 60651, which IEC 61672-1 replaced. Its edition of 2002 still defined it in Annex C, for
    information, and called it unsuitable for rating impulsive sounds or hearing risk; the edition of 2013 leaves it
    out. It is here for regulations that still name LAI.

    References
    ----------
    IEC 61672-1:2013, 5.8 and Table 4. Impulse: IEC 61672-1:2002, Annex C (informative), after IEC 60651.

    Examples
    --------
    How high the Fast level of a burst of 200 ms goes, against the tone that lasts: LAFmax − LA.

    >>> import numpy as np
    >>> from dsp_core.arrays import time_weighting
    >>> y = np.sin(2 * np.pi * 4_000 * np.arange(48_000) / 48_000).astype(np.float32)
    >>> y[9_600:] = 0
    >>> f"{time_weighting(y, sample_rate=48_000).max() - -3.01:.1f}"
    '-1.0'
    """
    rows, _ = as_rows(y)
    result = as_out(out, y.shape, y)
    if isinstance(time_constant_s, str):
        if time_constant_s not in _TIME_CONSTANTS_S:
            raise refuse("time_constant_s", "a number, 'fast', 'slow' or 'impulse'", repr(time_constant_s))
        seconds = _TIME_CONSTANTS_S[time_constant_s]
    else:
        seconds = as_positive("time_constant_s", time_constant_s)
    time_weight_rows(
        rows,
        result.reshape(rows.shape),
        sample_rate=as_sample_rate(sample_rate),
        time_constant_s=seconds,
        reference=as_positive("reference", reference),
    )
    return result


def leq(
    y: Float32Array, *, sample_rate: int, period_s: float | None = None, reference: float = 1.0
) -> NDArray[np.float64]:
    """Measure the equivalent continuous level of a signal, as a whole or period by period.

    Parameters
    ----------
    y : numpy.ndarray
        Signal; float32, shape=(..., n), C-contiguous. Weighted by A, its level is LAeq.
    sample_rate : int
        Sample rate in Hz, 8000 to 192000.
    period_s : float or None, default=None
        Length of a period in seconds, from one sample to the whole of `y`; the whole if None.
    reference : float, default=1.0
        Rms value of 0 dB: 20e-6 for signals in pascals.

    Returns
    -------
    numpy.ndarray
        Level in dB; float64, shape=(...), a scalar for one row. With `period_s`: shape=(..., n_periods), complete
        periods only; what is left after the last is not measured. Digital silence is −300 dB re 1, never minus
        infinity.

    Raises
    ------
    ParameterError
        If an argument does not fit, or `y` holds NaN or infinity.

    See Also
    --------
    percentile_level : Levels that are exceeded for a share of the time.

    Notes
    -----
    10 lg of the mean square, summed in 64 bits. Period k holds the samples from ceil(k × period × rate) on, so no
    sample is lost between periods that are no whole number of samples.

    References
    ----------
    IEC 61672-1:2013, 3.9; ISO 1996-1:2016, 3.1.7.

    Examples
    --------
    A sine at full scale has a mean square of one half.

    >>> import numpy as np
    >>> from dsp_core.arrays import leq
    >>> y = np.sin(2 * np.pi * 1_000 * np.arange(48_000) / 48_000).astype(np.float32)
    >>> f"{leq(y, sample_rate=48_000):.2f}"
    '-3.01'
    >>> leq(y, sample_rate=48_000, period_s=0.25).round(2)
    array([-3.01, -3.01, -3.01, -3.01])

    In pascals, 94 dB are an rms value of 1.0024 Pa.

    >>> pascals = y * np.float32(1.0024 * 2**0.5)
    >>> f"{leq(pascals, sample_rate=48_000, reference=20e-6):.2f}"
    '94.00'
    """
    rows, leading = as_rows(y)
    levels = leq_rows(
        rows,
        sample_rate=as_sample_rate(sample_rate),
        period_s=None if period_s is None else as_positive("period_s", period_s),
        reference=as_positive("reference", reference),
    )
    shape = leading if period_s is None else (*leading, levels.shape[1])
    whole: NDArray[np.float64] = levels.reshape(shape)[()]
    return whole


def percentile_level(levels_db: NDArray[np.floating[Any]], *, percent: float, axis: int = -1) -> NDArray[np.float64]:
    """Give the level that is exceeded for a share of the time.

    Parameters
    ----------
    levels_db : numpy.ndarray
        Levels in dB at equal steps of time; float32 or float64, any shape, not empty, no NaN. Minus infinity counts as
        digital silence, −300 dB.
    percent : float
        Share of the time, 0 to 100: 10 for L10 (the loud moments), 90 for L90 (the background).
    axis : int, default=-1
        Axis of time.

    Returns
    -------
    numpy.ndarray
        Level in dB; float64, the shape of `levels_db` without `axis`, a scalar for one row.

    Raises
    ------
    ParameterError
        If an argument does not fit.

    See Also
    --------
    Levels : Gives the Fast levels of each 125 ms, which LA10, LA50 and LA90 are made of.

    Notes
    -----
    Of n levels, sorted, the one at place (n − 1)(1 − percent / 100), between two of them in proportion (linear in
    dB). So L0 is the maximum, L50 the median, L100 the minimum. Standards fix what is sampled (for LAN,T: Fast
    levels) and leave the interpolation open. Level records of the zone count the same samples in classes of 0.1 dB.

    References
    ----------
    ISO 1996-1:2016, 3.1.3 (N percentage exceedance level). Interpolation: Hyndman and Fan, Sample quantiles in
    statistical packages, The American Statistician 50 (1996), type 7.

    Examples
    --------
    >>> import numpy as np
    >>> from dsp_core.arrays import percentile_level
    >>> levels_db = np.array([50.0, 52, 54, 56, 58, 60, 62, 64, 66, 68, 70])
    >>> print(percentile_level(levels_db, percent=10), percentile_level(levels_db, percent=90))
    68.0 52.0
    """
    levels = as_levels(levels_db)
    exceeded: NDArray[np.float64] = np.percentile(levels, 100 - as_percent(percent), axis=as_axis(axis, levels.ndim))
    return exceeded
