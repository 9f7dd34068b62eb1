"""Test signals: float32, at full scale 1 if nothing is said."""

from __future__ import annotations

import numpy as np
from dsp_core.arrays import leq
from numpy.typing import NDArray

Signal = NDArray[np.float32]


def tone(hz: float, n: int, sample_rate: int, amplitude: float = 1.0) -> Signal:
    """Make a sine that begins at a zero crossing.

    Parameters
    ----------
    hz : float
        Frequency.
    n : int
        Samples.
    sample_rate : int
        In Hz.
    amplitude : float, default=1.0
        Peak value.

    Returns
    -------
    numpy.ndarray
        float32, shape=(n,).
    """
    sine: Signal = (amplitude * np.sin(2 * np.pi * hz / sample_rate * np.arange(n))).astype(np.float32)
    return sine


def burst(hz: float, duration_s: float, sample_rate: int, *, before_s: float, after_s: float, lag: float = 0) -> Signal:
    """Cut a piece out of a sine, from a zero crossing on, with silence around it.

    Parameters
    ----------
    hz : float
        Frequency.
    duration_s : float
        Length of the piece.
    sample_rate : int
        In Hz.
    before_s, after_s : float
        Lengths of the silences.
    lag : float, default=0
        How far the crossing lies behind a sample, in samples from 0 to 1.

    Returns
    -------
    numpy.ndarray
        float32, shape=(n,).
    """
    n_before, n = round(before_s * sample_rate), round((before_s + duration_s + after_s) * sample_rate)
    t = (np.arange(n) - n_before - lag) / sample_rate
    is_heard = (t > -1e-9) & (t < duration_s - 1e-9)
    return np.where(is_heard, np.sin(2 * np.pi * hz * t), 0).astype(np.float32)


def sweep(first_hz: float, last_hz: float, duration_s: float, sample_rate: int) -> Signal:
    """Make a sine whose frequency grows exponentially.

    Parameters
    ----------
    first_hz, last_hz : float
        Frequencies at both ends.
    duration_s : float
        Length.
    sample_rate : int
        In Hz.

    Returns
    -------
    numpy.ndarray
        float32, shape=(n,).
    """
    t = np.arange(round(duration_s * sample_rate)) / sample_rate
    rate = np.log(last_hz / first_hz) / duration_s
    swept: Signal = np.sin(2 * np.pi * first_hz / rate * np.expm1(rate * t)).astype(np.float32)
    return swept


def street(sample_rate: int, seconds: float = 20.0) -> Signal:
    """Make noise whose level wanders by 40 dB, with a loud burst in it.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    seconds : float, default=20.0
        Length.

    Returns
    -------
    numpy.ndarray
        float32, shape=(n,).
    """
    n = round(seconds * sample_rate)
    noise = np.random.default_rng(61672).normal(0, 0.05, n)
    noise *= 10 ** (np.sin(np.arange(n) / sample_rate) - 1)
    noise[n // 3 : n // 3 + sample_rate // 50] += 0.5
    return noise.astype(np.float32)


def level_db(y: Signal, sample_rate: int) -> float:
    """Measure the level of a signal by the library.

    Parameters
    ----------
    y : numpy.ndarray
        float32, shape=(n,); a view will do.
    sample_rate : int
        In Hz.

    Returns
    -------
    float
        Re 1.
    """
    return float(leq(np.ascontiguousarray(y), sample_rate=sample_rate))


def spoken(hz: float) -> str:
    """Say a frequency as people do.

    Parameters
    ----------
    hz : float
        Such as 12500.

    Returns
    -------
    str
        Such as "12.5 kHz".
    """
    return f"{hz / 1_000:.4g} kHz" if hz >= 1_000 else f"{hz:.4g} Hz"
