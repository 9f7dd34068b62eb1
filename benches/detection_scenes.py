"""Recordings of the test splits, laid over ambience at a stated ratio, and the chain that hears them.

No figure that comes of these recordings may be used to set anything: they are for looking, not for tuning.
"""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from math import gcd
from pathlib import Path

import numpy as np
import soundfile
from dsp_core.records import Event, Policy
from dsp_core.zone import AudioBlock, Classify, Source
from numpy.typing import NDArray
from scipy.signal import resample_poly
from tests.sounds import RATE, write_wav

from sourdine.flow import Flow

Samples = NDArray[np.float64]

WINDOW = 15_600
WINDOW_HOP = 7_680
FADE_S = 0.5
AFTER_S = 3.0
SHORTEST_S = 10.0
PEAK = 0.9
N_TRAINING_SPEAKERS = 40
#: Names of the released classes among the data set's.
OWN_NAME = {"horn": "car_horn"}


def data(name: str) -> Path:
    """Return a folder of the recordings; it may be absent."""
    return Path(os.environ.get("SOURDINE_DATA") or Path(__file__).resolve().parents[2] / "shared") / "data" / name


@dataclass(frozen=True)
class Clip:
    """One recording.

    Attributes
    ----------
    path : Path
        Its file, at its own rate.
    group : str
        The original recording (or speaker) that it is cut from.
    """

    path: Path
    group: str

    @property
    def samples(self) -> Samples:
        """Its samples at 16 kHz."""
        return read_16k(self.path)


@cache
def read_16k(path: Path) -> Samples:
    """Read a mono file and resample it to 16 kHz."""
    samples, rate = soundfile.read(path, dtype="float64")
    common = gcd(rate, RATE)
    return np.asarray(samples if rate == RATE else resample_poly(samples, RATE // common, rate // common), np.float64)


@cache
def _manifest() -> tuple[dict[str, str], ...]:
    with (data("city_sounds") / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return tuple(csv.DictReader(file))


def unheard(kind: str) -> list[Clip]:
    """Return the clips of the test splits of both parts for one class, in the manifest's order."""
    name = OWN_NAME.get(kind, kind)
    rows = [row for row in _manifest() if row["split"] == "test" and row["class"] == name]
    return [Clip(data("city_sounds") / row["file"], row["group"]) for row in rows]


def readers() -> list[Clip]:
    """Return one reading of each of the 40 readers that training did not hear."""
    paths = sorted((data("speech") / "many_speakers").glob("*.flac"))[N_TRAINING_SPEAKERS:]
    return [Clip(path, path.name.split("-")[0]) for path in paths]


def utterances() -> list[Clip]:
    """Return ten utterances each of six readers."""
    paths = sorted((data("speech") / "many_utterances").glob("*.flac"))
    return [Clip(path, path.name.split("-")[0]) for path in paths]


def rms(samples: Samples) -> float:
    """Return the level of all samples."""
    return float(np.sqrt((samples**2).mean())) + 1e-9


def loudest_rms(samples: Samples) -> float:
    """Return the level of the loudest window of 0.96 s: that of an event in a ratio (zeros complete the last one)."""
    n_more = max(0, -(-(len(samples) - WINDOW) // WINDOW_HOP))
    starts = [WINDOW_HOP * i for i in range(n_more + 1)]
    return float((max((samples[s : s + WINDOW] ** 2).sum() for s in starts) / WINDOW) ** 0.5) + 1e-9


def extended(bed: Samples, n_samples: int) -> Samples:
    """Repeat an ambience as long as is needed, each repetition faded into the one before so that no seam is heard."""
    n_fade = int(FADE_S * RATE)
    rise = np.sqrt(np.linspace(0.0, 1.0, n_fade))
    out = bed
    while len(out) < n_samples:
        seam = out[-n_fade:] * rise[::-1] + bed[:n_fade] * rise
        out = np.concatenate([out[:-n_fade], seam, bed[n_fade:]])
    return out[:n_samples]


@dataclass(frozen=True)
class Mix:
    """How a scene is made.

    Attributes
    ----------
    ratio_db : float
        The clip's loudest 0.96 s over the ambience.
    lead_s : float
        Seconds of ambience before the clip begins.
    quieter_db : float
        How far the scene's peak lies under 0.9 of full scale.
    """

    ratio_db: float
    lead_s: float = 3.0
    quieter_db: float = 0.0


@dataclass(frozen=True)
class Scene:
    """A clip over an ambience that was there before it and is there after it.

    Attributes
    ----------
    samples : ndarray, float64, shape=(n,)
        The scene at 16 kHz, 10 s or longer.
    slots : range
        The seconds that an event of the clip may carry: its own, and the one before, where its first window begins.
    """

    samples: Samples
    slots: range


def scene(clip: Samples, bed: Samples, mix: Mix, voice: Samples | None = None) -> Scene:
    """Lay a clip over an ambience.

    Parameters
    ----------
    clip, bed : ndarray, float64, shape=(n,)
        The sound and the ambience, 16 kHz.
    mix : Mix
        Ratio, lead and level.
    voice : ndarray or None, default=None
        Somebody who talks all the time, as loud on the whole as the clip's loudest window.

    Returns
    -------
    Scene
        What is heard.
    """
    first = int(mix.lead_s * RATE)
    n_samples = max(first + len(clip) + int(AFTER_S * RATE), int(SHORTEST_S * RATE))
    level = loudest_rms(clip)
    out = extended(bed, n_samples) * (level / rms(bed) * 10.0 ** (-mix.ratio_db / 20.0))
    if voice is not None:
        talk = np.resize(voice, n_samples)
        out += talk * (level / rms(talk))
    out[first : first + len(clip)] += clip
    gain = PEAK * 10.0 ** (-mix.quieter_db / 20.0) / np.abs(out).max()
    slots = range(int(mix.lead_s) - 1, int(mix.lead_s + len(clip) / RATE) + 1)
    return Scene(out * gain, slots)


class Chain:
    """The whole chain under one policy; a new flow hears each sound.

    Parameters
    ----------
    policy : Policy
        What may leave.
    folder : Path
        Where sounds are written on their way to the source.
    """

    def __init__(self, policy: Policy, folder: Path) -> None:
        self._policy = policy
        self._classify = Classify(policy=policy)
        self._file = folder / "scene.wav"

    def hear_file(self, path: Path) -> list[Event]:
        """Return the events that leave when a file is heard."""
        source = Source.open(path, sensor_id=1)
        flow = Flow(
            sensor_id=1, sample_rate=source.sample_rate, start_slot=0, policy=self._policy, classify=self._classify
        )
        records: list[object] = []
        while True:
            block: AudioBlock | None = source.read(source.sample_rate // 2)
            if block is None:
                return [record for record in [*records, *flow.finish()] if isinstance(record, Event)]
            records += flow.push(block)

    def hear(self, samples: Samples) -> list[Event]:
        """Return the events that leave when samples at 16 kHz are heard, through a 16-bit file."""
        return self.hear_file(write_wav(self._file, samples))


@dataclass
class Count:
    """What came out of a number of scenes.

    An ambience may hold an event of its own (one of the street's clips holds a horn). What it releases alone is not the
    clip's: scenes whose ambience alone releases the class are left out, and other events of its own are no mistakes.

    Attributes
    ----------
    own : str
        The class that is looked for.
    found : list of bool
        Per scene, whether an event of the class left in the clip's seconds.
    n_left_out : int
        Scenes left out.
    wrong : Counter
        Events of another class, or of other seconds, by class.
    """

    own: str
    found: list[bool] = field(default_factory=list)
    n_left_out: int = 0
    wrong: Counter[str] = field(default_factory=Counter)

    def add(self, events: Sequence[Event], alone: Sequence[Event] = (), slots: range | None = None) -> None:
        """Take one scene's events in, and those of its ambience alone."""
        if any(event.sound_class == self.own for event in alone):
            self.n_left_out += 1
            return
        is_own = [e.sound_class == self.own and (slots is None or e.slot in slots) for e in events]
        self.found.append(any(is_own))
        is_there = {(e.sound_class, e.slot + near) for e in alone for near in (-1, 0, 1)}
        others = [e for e, own in zip(events, is_own, strict=True) if not own]
        self.wrong.update(e.sound_class for e in others if (e.sound_class, e.slot) not in is_there)

    @property
    def share(self) -> float:
        """Share of scenes whose event left as its class."""
        return sum(self.found) / len(self.found)
