"""Slow, obvious references in 64 bits, from the formulas of the standards."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Float64Array: TypeAlias = NDArray[np.float64]

F1, F2, F3, F4 = 20.598997, 107.65265, 737.86223, 12194.217  # IEC 61672-1:2013, Annex E


def analogue_gain_db(hz: Float64Array | float, kind: str) -> Float64Array:
    """Gain of the analogue weighting, 0 dB at 1 kHz."""

    def magnitude(f: Float64Array) -> Float64Array:
        c = f**2 / ((f**2 + F1**2) * (f**2 + F4**2))
        return c if kind == "C" else c * f**2 / np.sqrt((f**2 + F2**2) * (f**2 + F3**2))

    gain: Float64Array = 20 * np.log10(magnitude(np.asarray(hz, np.float64)) / magnitude(np.array(1_000.0)))
    return gain


def weighted_by_fft(y: NDArray[np.float32], sample_rate: int, kind: str) -> Float64Array:
    """Weight a signal by the analogue gain, bin by bin: no phase, no beginning."""
    hz: Float64Array = np.fft.rfftfreq(len(y), 1 / sample_rate).astype(np.float64)
    gain = np.zeros(len(hz))
    gain[1:] = 10 ** (analogue_gain_db(hz[1:], kind) / 20)
    weighted: Float64Array = np.fft.irfft(np.fft.rfft(y.astype(np.float64)) * gain, len(y))
    return weighted


def leq_db(y: NDArray[np.floating], reference: float = 1.0) -> float:
    """10 lg of the mean square."""
    return float(10 * np.log10(np.mean(y.astype(np.float64) ** 2) / reference**2))


def tone(hz: float, duration_s: float, sample_rate: int, amplitude: float = 1.0) -> NDArray[np.float32]:
    """Make a sine."""
    t = np.arange(round(duration_s * sample_rate)) / sample_rate
    return (amplitude * np.sin(2 * np.pi * hz * t)).astype(np.float32)


def noise(n: int, seed: int = 1) -> NDArray[np.float32]:
    """Make white noise of rms 0.1."""
    return np.random.default_rng(seed).normal(0, 0.1, n).astype(np.float32)
