"""What each front end says that it computes, slowly and in float64: a comparison of speed is fair only if it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]


@dataclass(frozen=True)
class Setting:
    """A log-mel transform: rates in Hz, sizes in samples."""

    sample_rate: int
    n_fft: int
    win_length: int
    hop: int
    fmax: float
    n_mels: int = 64
    fmin: float = 125.0


@dataclass(frozen=True)
class Definition:
    """A front end's own definition for a setting.

    `first` is where its first frame begins, `power` the exponent of the magnitudes, `scale` what samples are multiplied
    by, `log` its logarithm and `unit_db` how many dB one of its units is. Kaldi's steps come before the window.
    """

    window_fn: Float64Array
    bank: Float64Array
    log: Callable[[Float64Array], Float64Array]
    unit_db: float
    first: int = 0
    power: int = 1
    scale: float = 1.0
    is_kaldi: bool = False

    def log_mel(self, y: Float32Array, setting: Setting) -> Float64Array:
        """Return the bands of each whole frame, shape=(n_frames, n_mels)."""
        starts = range(self.first, len(y) - setting.win_length + 1, setting.hop)
        frames = np.array([self.scale * y[s : s + setting.win_length].astype(np.float64) for s in starts])
        if self.is_kaldi:
            frames -= frames.mean(axis=1, keepdims=True)
            before = np.concatenate((frames[:, :1], frames[:, :-1]), axis=1)
            frames = frames - 0.97 * before
        spectra = np.abs(np.fft.rfft(frames * self.window_fn, setting.n_fft)) ** self.power
        return self.log(spectra @ self.bank.T)

    def worst_db(self, found: Float32Array, y: Float32Array, setting: Setting) -> float:
        """Return the largest difference in dB over bands within 40 dB of their frame's strongest."""
        expected = self.unit_db * self.log_mel(y, setting)[: len(found)]
        assert found.shape == expected.shape, (found.shape, expected.shape)
        is_strong = expected > expected.max(axis=1, keepdims=True) - 40.0
        return float(np.max(np.abs(self.unit_db * found - expected)[is_strong]))


NEPER_DB = 20 / np.log(10)


def hann(n: int, *, is_periodic: bool = True) -> Float64Array:
    """Hann window."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / (n - (not is_periodic)))


def hamming(n: int) -> Float64Array:
    """Hamming window, symmetric."""
    return 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(n) / (n - 1))


def _mel(hz: Float64Array | float) -> Float64Array:
    return 1127.0 * np.log1p(np.asarray(hz) / 700.0)


def htk_bank(setting: Setting, *, fmin: float | None = None, fmax: float | None = None) -> Float64Array:
    """Triangles linear in mel, nothing at 0 Hz: those of `dsp_core.log_mel`, of YAMNet and of Kaldi."""
    low, high = setting.fmin if fmin is None else fmin, setting.fmax if fmax is None else fmax
    edges = np.linspace(_mel(low), _mel(high), setting.n_mels + 2)[:, None]
    bins = _mel(np.arange(setting.n_fft // 2 + 1) * setting.sample_rate / setting.n_fft)
    rise, fall = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2]), (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    bank: Float64Array = np.maximum(0, np.minimum(rise, fall))
    bank[:, 0] = 0
    return bank


def hz_bank(setting: Setting) -> Float64Array:
    """Triangles linear in Hz between edges of HTK's scale: librosa's and auvux-dsp's ``htk`` without norm."""
    edges = np.linspace(_mel(setting.fmin), _mel(setting.fmax), setting.n_mels + 2)[:, None]
    edges = 700.0 * np.expm1(edges / 1127.0)
    bins = np.arange(setting.n_fft // 2 + 1) * setting.sample_rate / setting.n_fft
    rise, fall = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2]), (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rise, fall))


def log_with_offset(bands: Float64Array) -> Float64Array:
    """YAMNet's logarithm."""
    return np.log(bands + 0.001)


def log_with_floor(bands: Float64Array) -> Float64Array:
    """Kaldi's logarithm."""
    return np.log(np.maximum(bands, np.finfo(np.float32).eps))


def decibels(bands: Float64Array) -> Float64Array:
    """Give dB of powers, librosa's `power_to_db` without `top_db`."""
    return 10 * np.log10(np.maximum(bands, 1e-10))
