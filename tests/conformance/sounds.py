"""What the sensors of the scenario hear: recordings of a city over the traffic of the demo's street, from one seed."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from dsp_core import resample
from numpy.typing import NDArray
from tests.sounds import RATE

from sourdine.local.scene import traffic

Samples = NDArray[np.float64]

#: What is played, and how often: what may be told, what may not, and what is none of the classes.
_PLAYED: Final = {
    "glass_break": 10,
    "siren": 8,
    "car_horn": 8,
    "fireworks": 6,
    "gunshot": 2,
    "scream": 2,
    "explosion": 2,
    "alarm": 2,
    "dog_bark": 1,
    "train": 1,
    "footsteps": 1,
    "babble": 1,
}
_N_CLIPS: Final = 12
#: Clips end at the latest so many seconds after they began.
_CLIP_S: Final = 2.5
_TRAFFIC_DB: Final = -38.0


@dataclass(frozen=True)
class Library:
    """Clips by class."""

    clips: dict[str, list[Samples]]

    @classmethod
    def read(cls, folder: Path) -> Library:
        """Read the first dozen clips of each class."""
        clips: dict[str, list[Samples]] = {name: [] for name in _PLAYED}
        with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["class"] in clips]
        for row in sorted(rows, key=lambda row: row["file"]):
            if len(clips[row["class"]]) < _N_CLIPS:
                clips[row["class"]].append(_clip(folder / row["file"]))
        return cls({name: found for name, found in clips.items() if found})

    def tape(self, rng: np.random.Generator, duration_s: float, sample_rate: int, pause_s: float) -> Samples:
        """Play clips over traffic, one every so many seconds on average; none if that is infinite."""
        n_samples = int(duration_s * RATE)
        street = np.resize(np.roll(_street(), int(rng.integers(_street().size))), n_samples)
        names = list(self.clips)
        weights = np.array([_PLAYED[name] for name in names], dtype=np.float64)
        at_s = min(pause_s, rng.uniform(2.0, 8.0)) if pause_s < np.inf else np.inf
        while at_s < duration_s - 1.0:
            found = self.clips[str(rng.choice(names, p=weights / weights.sum()))]
            clip = found[int(rng.integers(len(found)))][: street.size - int(at_s * RATE)]
            first = int(at_s * RATE)
            street[first : first + clip.size] += rng.uniform(0.3, 0.9) * clip
            at_s += pause_s * rng.uniform(0.6, 1.4)
        heard = np.clip(street, -0.99, 0.99)
        return heard if sample_rate == RATE else _at(heard, RATE, sample_rate)


@cache
def _street() -> Samples:
    street: Samples = 10 ** (_TRAFFIC_DB / 20) * traffic(np.random.default_rng(1), 80.0)
    return street


def _clip(path: Path) -> Samples:
    """Read a clip, as loud as it can be, without its own silence at the beginning."""
    read, sample_rate = soundfile.read(path, dtype="float64", always_2d=True)
    samples = _at(read[:, 0], sample_rate, RATE)
    samples = samples / max(1e-6, float(np.abs(samples).max()))
    first = int(np.argmax(np.abs(samples) > 0.05))
    return samples[first : first + int(_CLIP_S * RATE)]


def _at(samples: Samples, sample_rate: int, target_rate: int) -> Samples:
    brought = resample(samples.astype(np.float32), sample_rate=sample_rate, target_rate=target_rate)
    return np.clip(brought.astype(np.float64), -0.99, 0.99)
