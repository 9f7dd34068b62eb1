"""The spectrogram of one's own recording, averaged while it is read: hours of sound in the memory of one picture."""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import log2
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import soundfile
from dsp_core.arrays import power_spectrum

from sourdine.errors import ConfigError, printable

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]

#: More columns than the picture has dots would not be seen.
N_COLUMNS: Final = 1_600
N_ROWS: Final = 280
LOWEST_HZ: Final = 50.0

#: Long enough to tell the tones of a siren apart, short enough to see glass break.
_FRAME_S: Final = 0.05
_FRAMES_PER_READ: Final = 128


@dataclass(frozen=True, slots=True)
class Spectrogram:
    """Power over time and frequency, of a part of a recording.

    Parameters
    ----------
    power_db : numpy.ndarray
        dtype float64, shape=(n_rows, n_columns), in dB re the loudest cell; rows from low to high, evenly spaced on a
        logarithmic axis of frequency.
    edges_hz : tuple of (float, float)
        Lower edge of the first row and upper edge of the last.
    edges_s : tuple of (float, float)
        Where the first column begins and the last one ends, in seconds of the recording.
    """

    power_db: Array
    edges_hz: tuple[float, float]
    edges_s: tuple[float, float]


def read_spectrogram(path: Path, channel: int | None, since_s: float, until_s: float) -> Spectrogram:
    """Read a part of a recording and average its power spectrum.

    Parameters
    ----------
    path : pathlib.Path
        A recording that the chain has heard.
    channel : int or None
        The channel that it has heard, from 1; None for the mean of all.
    since_s, until_s : float
        The part, in seconds; within the recording.

    Returns
    -------
    Spectrogram
        Of at most `N_COLUMNS` columns, each the mean of all frames in it.

    Raises
    ------
    ConfigError
        If libsndfile cannot read what the chain can, such as BW64.
    """
    try:
        sound = soundfile.SoundFile(os.fsencode(path))  # a name may be no text
    except soundfile.LibsndfileError:
        raise ConfigError(
            f"picture: libsndfile cannot read {printable(str(path))}; convert it to WAV or FLAC"
        ) from None
    with sound:
        rate: int = sound.samplerate
        first = round(since_s * rate)
        n_samples = round(until_s * rate) - first
        n_fft = 2 ** round(log2(_FRAME_S * rate))
        hop = min(n_fft // 2, max(n_fft // 8, n_samples // N_COLUMNS))
        n_frames = max(1, 1 + (n_samples - n_fft) // hop)
        sums = np.zeros((min(N_COLUMNS, n_frames), n_fft // 2 + 1))
        n_in_column = np.bincount(np.arange(n_frames) * len(sums) // n_frames)
        n_read = 0
        sound.seek(first)
        overlap = n_fft - hop
        size = _FRAMES_PER_READ * hop + overlap
        for block in sound.blocks(size, overlap=overlap, frames=n_samples, dtype="float32", always_2d=True):
            power = _power(_heard(block, channel), n_fft, hop)[: n_frames - n_read]
            columns, starts = np.unique((n_read + np.arange(len(power))) * len(sums) // n_frames, return_index=True)
            sums[columns] += np.add.reduceat(power, starts, axis=0, dtype=np.float64)
            n_read += len(power)
    edges_hz = (LOWEST_HZ, rate / 2)
    begin_s = since_s + (n_fft - hop) / 2 / rate  # a frame stands for the hop in its middle
    rows = _on_rows(sums / n_in_column[:, None], edges_hz).T
    return Spectrogram(_in_db(rows), edges_hz, (begin_s, begin_s + n_frames * hop / rate))


def _heard(block: NDArray[np.float32], channel: int | None) -> NDArray[np.float32]:
    """Return the channel that was heard, of samples by channel."""
    one = block.mean(axis=1) if channel is None else block[:, channel - 1]
    return np.ascontiguousarray(one)


def _power(y: NDArray[np.float32], n_fft: int, hop: int) -> NDArray[np.float32]:
    """Return the power spectrum of every whole frame, by row; a sound shorter than one is filled up."""
    filled = np.pad(y, (0, max(0, n_fft - len(y))))
    return power_spectrum(filled, n_fft=n_fft, win_length=n_fft, hop=hop)


def _on_rows(power: Array, edges_hz: tuple[float, float]) -> Array:
    """Average the bins, each taken as even over its width, between the edges of the rows: no row is empty."""
    n_bins = power.shape[1]
    bin_hz = edges_hz[1] / (n_bins - 1)
    bin_edges = (np.arange(n_bins + 1) - 0.5) * bin_hz
    sums = np.concatenate([np.zeros((len(power), 1)), np.cumsum(power, axis=1)], axis=1)
    row_edges = np.geomspace(*edges_hz, N_ROWS + 1)
    at_edges = np.array([np.interp(row_edges, bin_edges, column) for column in sums])
    means: Array = np.diff(at_edges, axis=1) * bin_hz / np.diff(row_edges)
    return means


def _in_db(power: Array) -> Array:
    loudest = power.max()
    if loudest <= 0.0:
        return np.full(power.shape, -np.inf)
    with np.errstate(divide="ignore"):
        decibels: Array = 10.0 * np.log10(power / loudest)
    return decibels
