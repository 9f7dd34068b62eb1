"""Clips, splits and log-mel windows.

The data stand outside the repository, at the folder that the setting ``SOURDINE_DATA`` names (default ``../shared``
beside the checkout).
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from functools import cache
from math import gcd
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

SAMPLE_RATE = 16_000
FRAME_SAMPLES = 400
HOP_SAMPLES = 160
N_FFT = 512
N_BANDS = 64
WINDOW_FRAMES = 96
WINDOW_HOP_FRAMES = 48
WINDOW_SAMPLES = (WINDOW_FRAMES - 1) * HOP_SAMPLES + FRAME_SAMPLES
LOG_OFFSET = 0.001
MASK_VALUE = np.float32(np.log(LOG_OFFSET))
SPEECH_BAND_HZ = (220.0, 3480.0)
LOUD_RANGE_DB = 30.0
N_TRAINING_SPEAKERS = 40

# Exported classes: SoundClass code and the data classes that belong to it. Hand saws ("saw") are not power tools.
SOUND_CLASSES: dict[str, tuple[int, tuple[str, ...]]] = {
    "glass_break": (1, ("glass_break",)),
    "gunshot": (2, ("gunshot",)),
    "explosion": (3, ("explosion",)),
    "fireworks": (4, ("fireworks",)),
    "crash": (5, ("car_crash",)),
    "tyre_screech": (6, ("tyre_screech",)),
    "horn": (7, ("car_horn",)),
    "siren": (8, ("siren",)),
    "alarm": (9, ("alarm",)),
    "scream": (10, ("scream",)),
    "power_tool": (11, ("chainsaw", "jackhammer", "tools")),
    "impact": (12, ("impact_metal_stone", "impact_wood")),
    "fire_crackle": (13, ("fire_crackle",)),
    "whistle": (15, ("whistle",)),
}
CLASS_NAMES = tuple(SOUND_CLASSES)
ALERT_CLASSES = ("glass_break", "gunshot", "explosion", "siren", "horn")
IN_BAND_CLASSES = ("horn", "siren", "alarm")
_CLASS_OF = {source: name for name, (_, sources) in SOUND_CLASSES.items() for source in sources}


@dataclass(frozen=True)
class Clip:
    """One labelled recording.

    Attributes
    ----------
    file : str
        Path below the data set's folder.
    source_class : str
        Class of the data set.
    group : str
        The original recording (or speaker); never split.
    split : str
        ``train``, ``val`` or ``test``.
    part : str
        ``free``, ``eval_nc`` or ``speech``.
    samples : ndarray, float32, shape=(n_samples,)
        16 kHz, -1..1.
    """

    file: str
    source_class: str
    group: str
    split: str
    part: str
    samples: NDArray[np.float32]

    @property
    def sound_class(self) -> str | None:
        """The exported class, or None for a clip that is only ever a negative."""
        return _CLASS_OF.get(self.source_class)


def data_root() -> Path:
    """Return the folder of the data, from ``SOURDINE_DATA``."""
    default = Path(__file__).resolve().parents[3] / "shared"
    return Path(os.environ.get("SOURDINE_DATA", str(default)))


def read_16k(path: Path) -> NDArray[np.float32]:
    """Read a mono file and resample it to 16 kHz.

    Parameters
    ----------
    path : Path
        A file that libsndfile reads.

    Returns
    -------
    ndarray, float32, shape=(n_samples,)
        Samples in -1..1.
    """
    samples, rate = soundfile.read(path, dtype="float32")
    if rate != SAMPLE_RATE:
        common = gcd(rate, SAMPLE_RATE)
        samples = resample_poly(samples, SAMPLE_RATE // common, rate // common)
    return np.asarray(samples, np.float32)


def manifest() -> list[dict[str, str]]:
    """Return the rows of the city sounds' manifest."""
    with (data_root() / "data/city_sounds/manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def may_train(row: dict[str, str]) -> bool:
    """Tell whether a row's licence and split allow training and thresholds."""
    if row["part"] == "free":
        return row["split"] in ("train", "val")
    return row["split"] == "val" and row["origin_licence"] == "CC0 or CC-BY"


def _clips(rows: list[dict[str, str]]) -> list[Clip]:
    folder = data_root() / "data/city_sounds"
    return [Clip(r["file"], r["class"], r["group"], r["split"], r["part"], read_16k(folder / r["file"])) for r in rows]


def training_clips() -> list[Clip]:
    """Return the clips that may be trained on, in the manifest's order."""
    return _clips([row for row in manifest() if may_train(row)])


def test_clips() -> list[Clip]:
    """Return the clips of every test split; for the final evaluation only."""
    return _clips([row for row in manifest() if row["split"] == "test"])


def speakers(*, for_test: bool) -> list[Clip]:
    """Return one reading each of the training speakers (the first 40), or of the other 40.

    Parameters
    ----------
    for_test : bool
        Which of the two sets; they share no speaker.

    Returns
    -------
    list of Clip
        Class ``speech``.
    """
    folder = data_root() / "data/speech/many_speakers"
    paths = sorted(folder.glob("*.flac"))
    chosen = paths[N_TRAINING_SPEAKERS:] if for_test else paths[:N_TRAINING_SPEAKERS]
    split = "test" if for_test else "train"
    return [
        Clip(f"many_speakers/{p.name}", "speech", f"speaker{p.name.split('-')[0]}", split, "speech", read_16k(p))
        for p in chosen
    ]


def _hz_to_mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1127.0 * np.log1p(hz / 700.0)


@cache
def _mel_edges() -> NDArray[np.float64]:
    low, high = _hz_to_mel(np.array([125.0, 7500.0]))
    return np.linspace(low, high, N_BANDS + 2)


@cache
def _mel_matrix() -> NDArray[np.float32]:
    """Triangles that are linear in mel, shape=(257, 64)."""
    edges = _mel_edges()
    mel = _hz_to_mel(np.arange(N_FFT // 2 + 1) * SAMPLE_RATE / N_FFT)[:, None]
    rising = (mel - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - mel) / (edges[2:] - edges[1:-1])
    matrix = np.maximum(0.0, np.minimum(rising, falling))
    matrix[0] = 0.0
    return matrix.astype(np.float32)


@cache
def speech_bands() -> NDArray[np.bool_]:
    """Return which of the 64 bands touch the speech band (42 do)."""
    edges = _mel_edges()
    low, high = _hz_to_mel(np.array(SPEECH_BAND_HZ))
    touches: NDArray[np.bool_] = (edges[2:] > low) & (edges[:-2] < high)
    return touches


@cache
def _taper() -> NDArray[np.float32]:
    phase = 2.0 * np.pi * np.arange(FRAME_SAMPLES) / FRAME_SAMPLES
    return (0.5 - 0.5 * np.cos(phase)).astype(np.float32)


def log_mel(y16k: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the log-mel spectrum of 16 kHz samples.

    Parameters
    ----------
    y16k : ndarray, float32, shape=(..., n_samples)
        Samples at 16 kHz, -1..1.

    Returns
    -------
    ndarray, float32, shape=(..., n_frames, 64)
        ln(mel magnitude + 0.001); frame ``f`` starts at sample ``160 f``, no padding.

    Notes
    -----
    25 ms periodic Hann, hop 10 ms, n_fft 512, 64 triangular HTK-mel bands 125-7500 Hz without area normalisation: the
    front end of YAMNet.
    """
    frames = np.lib.stride_tricks.sliding_window_view(y16k, FRAME_SAMPLES, axis=-1)[..., ::HOP_SAMPLES, :]
    magnitude = np.abs(np.fft.rfft(frames * _taper(), N_FFT)).astype(np.float32)
    return np.asarray(np.log(magnitude @ _mel_matrix() + np.float32(LOG_OFFSET)), np.float32)


def masked(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return windows with every band that touches the speech band set to ln(0.001)."""
    return np.asarray(np.where(speech_bands(), MASK_VALUE, windows), np.float32)


def window_starts(n_samples: int) -> list[int]:
    """Return the first samples of a clip's windows, every 48 frames, the last one complete after padding."""
    hop = WINDOW_HOP_FRAMES * HOP_SAMPLES
    n_windows = max(1, -(-(n_samples - WINDOW_SAMPLES) // hop) + 1)
    return [hop * i for i in range(n_windows)]


def stream_windows(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut samples as the stream does, every 48 frames, into log-mel windows of shape=(n, 96, 64)."""
    starts = window_starts(len(samples))
    padded = np.pad(samples, (0, max(0, starts[-1] + WINDOW_SAMPLES - len(samples))))
    return log_mel(np.stack([padded[s : s + WINDOW_SAMPLES] for s in starts]))


def loud_windows(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut a clip into windows of samples and keep those within 30 dB of its loudest.

    Parameters
    ----------
    samples : ndarray, float32, shape=(n_samples,)
        16 kHz samples; zeros are added behind to complete the last window.

    Returns
    -------
    ndarray, float32, shape=(n_windows, 15600)
        Samples of the windows, at least one.
    """
    starts = window_starts(len(samples))
    padded = np.pad(samples, (0, max(0, starts[-1] + WINDOW_SAMPLES - len(samples))))
    cut = np.stack([padded[s : s + WINDOW_SAMPLES] for s in starts])
    energy = (cut.astype(np.float64) ** 2).mean(axis=1)
    return np.asarray(cut[energy >= energy.max() * 10.0 ** (-LOUD_RANGE_DB / 10.0)], np.float32)


def hold_out(clips: list[Clip], every: int, *, positives: bool) -> tuple[list[Clip], list[Clip]]:
    """Split clips by whole groups.

    Parameters
    ----------
    clips : list of Clip
        City sounds or talkers.
    every : int
        Of every class's groups in sorted order, each ``every``-th is held out, so a class with fewer keeps all.
    positives : bool
        Whether clips of exported classes are held out too; without, they all stay.

    Returns
    -------
    tuple of list
        Clips that stay, clips held out. No group is in both.
    """
    groups: dict[str, set[str]] = {}
    for clip in clips:
        groups.setdefault(clip.source_class, set()).add(clip.group)
    held = set()
    for source_class, names in groups.items():
        if positives or source_class not in _CLASS_OF:
            held.update(sorted(names)[every - 1 :: every])
    kept = [clip for clip in clips if clip.group not in held]
    return kept, [clip for clip in clips if clip.group in held]
