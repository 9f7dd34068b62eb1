"""Training windows: an event or a confuser, aged by speed, room and microphone, over other sounds and voices.

Mixtures are made once, before training, and kept as log-mel windows. A part of them comes in pairs that differ in
nothing but the talker, so that training can tie the two scores together.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve, resample_poly

from training import synthesis
from training.data import CLASS_NAMES, N_BANDS, SAMPLE_RATE, WINDOW_FRAMES, WINDOW_SAMPLES, Clip, log_mel

Samples = NDArray[np.float32]

# Auxiliary outputs, used in training only.
AUXILIARY: dict[str, tuple[str, ...]] = {
    "rain": ("rain",),
    "wind": ("wind", "howl"),
    "thunder": ("thunder",),
    "bells": ("church_bells", "bell"),
    "birds": ("birds", "rooster", "birdsong"),
    "dog": ("dog_bark",),
    "door": ("door", "car_door"),
    "footsteps": ("footsteps",),
    "engine": ("engine",),
    "aircraft": ("airplane", "helicopter"),
    "train": ("train",),
    "applause": ("applause",),
    "speech": ("speech", "babble"),
    "baby_cry": ("baby_cry",),
    "sneeze": ("sneeze",),
    "sea_waves": ("sea_waves",),
    "clock_tick": ("clock_tick",),
    "saw": ("saw",),
    "music": ("music",),
    "machine_hum": ("machine_hum", "hum"),
    "ambience": ("quiet_ambience", "coloured_noise", "street"),
}
OUTPUTS = (*CLASS_NAMES, *AUXILIARY)
_AUXILIARY_OF = {source: name for name, sources in AUXILIARY.items() for source in sources}

_CLASS_WEIGHTS = {"glass_break": 2.0, "gunshot": 2.0, "explosion": 1.5, "siren": 2.0, "horn": 2.0, "fireworks": 1.5}
_RARE_WEIGHT = 0.6
_RARE = ("crash", "tyre_screech", "alarm", "scream", "whistle")
_SYNTHETIC_SHARE = {"siren": 0.7, "horn": 0.4, "tyre_screech": 0.6, "whistle": 1.0, "alarm": 0.8}
_BEDS = (
    "rain",
    "wind",
    "quiet_ambience",
    "engine",
    "airplane",
    "helicopter",
    "train",
    "sea_waves",
    "babble",
    "applause",
    "machine_hum",
    "music",
    "footsteps",
)
_SPEEDS = tuple(Fraction(n, 100) for n in (84, 92, 100, 109, 119))
# What may well be heard inside another class is neither asked for nor held against the network there.
_UNASKED = {"crash": ("glass_break", "impact", "tyre_screech"), "tyre_screech": ("crash",), "alarm": ("siren",)}


@dataclass(frozen=True)
class Source:
    """One clip at five speeds, with the places where it is loud.

    Attributes
    ----------
    source_class : str
        Class of the data set.
    versions : list of ndarray, float32
        16 kHz samples at each speed.
    anchors : list of ndarray, int64
        Samples within 20 dB of the loudest 20 ms, per version.
    """

    source_class: str
    versions: list[Samples]
    anchors: list[NDArray[np.int64]]


@dataclass(frozen=True)
class Pool:
    """Training windows.

    Attributes
    ----------
    windows : ndarray, float16, shape=(n, n_talkers, 96, 64)
        Log-mel; along the second axis nothing but the talker differs.
    targets : ndarray, float32, shape=(n, n_outputs)
        1 where a class is heard.
    weights : ndarray, float32, shape=(n, n_outputs)
        0 where an output is not asked for.
    """

    windows: NDArray[np.float16]
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]


def output_of(source_class: str) -> str | None:
    """Return the network output that a class of the data set trains, or None if it is only a negative."""
    for name in CLASS_NAMES:
        if source_class == name:
            return name
    return _AUXILIARY_OF.get(source_class)


def _loud_places(samples: Samples) -> NDArray[np.int64]:
    step = SAMPLE_RATE // 50
    n_steps = max(1, len(samples) // step)
    energy = np.array([float((samples[i * step : (i + 1) * step] ** 2).mean()) for i in range(n_steps)])
    return np.flatnonzero(energy >= energy.max() * 0.01) * step


def _source(clip: Clip) -> Source:
    versions = [
        np.asarray(resample_poly(clip.samples, s.denominator, s.numerator) if s != 1 else clip.samples, np.float32)
        for s in _SPEEDS
    ]
    return Source(clip.sound_class or clip.source_class, versions, [_loud_places(v) for v in versions])


def _rms(x: Samples) -> float:
    return float(np.sqrt((x.astype(np.float64) ** 2).mean())) + 1e-9


def _room(rng: np.random.Generator) -> Samples:
    """Impulse response of a synthetic room or street: direct sound, then noise that decays in 0.1 to 0.7 s."""
    decay_s = rng.uniform(0.1, 0.7)
    n = int(decay_s * SAMPLE_RATE)
    tail = rng.standard_normal(n) * np.exp(-6.9 * np.arange(n) / n)
    response = tail / np.sqrt((tail**2).sum()) * 10.0 ** (-rng.uniform(0.0, 12.0) / 20.0)
    response[0] = 1.0
    return np.asarray(response, np.float32)


class Mixer:
    """Makes mixtures of a set of clips.

    Parameters
    ----------
    clips : list of Clip
        City sounds to draw from.
    talkers : list of Clip
        Speech to draw from.
    seed : int
        Seed of everything random.
    """

    def __init__(self, clips: list[Clip], talkers: list[Clip], seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._groups: dict[str, dict[str, list[Source]]] = defaultdict(lambda: defaultdict(list))
        for clip in [*clips, *talkers]:
            source = _source(clip)
            self._groups[source.source_class][clip.group].append(source)
        self._events = [c for c in CLASS_NAMES if c in self._groups or c in _SYNTHETIC_SHARE]
        weights = [_RARE_WEIGHT if c in _RARE else _CLASS_WEIGHTS.get(c, 1.0) for c in self._events]
        self._event_weights = np.array(weights) / sum(weights)
        self._confusers = [c for c in self._groups if c not in CLASS_NAMES and c != "speech"]
        sizes = np.array([min(8.0, len(self._groups[c])) ** 0.5 for c in self._confusers])
        self._confuser_weights = sizes / sizes.sum()
        self._beds = [c for c in _BEDS if c in self._groups]
        self._rooms = [_room(self._rng) for _ in range(48)]

    def _crop(self, source_class: str) -> Samples:
        """Return one window of a class with a loud place somewhere in it, zeros around a short clip."""
        rng = self._rng
        groups = list(self._groups[source_class].values())
        group = groups[rng.integers(len(groups))]
        source = group[rng.integers(len(group))]
        version = rng.integers(len(_SPEEDS))
        samples, anchors = source.versions[version], source.anchors[version]
        start = int(anchors[rng.integers(len(anchors))] - rng.uniform(0.05, 0.9) * WINDOW_SAMPLES)
        out = np.zeros(WINDOW_SAMPLES, np.float32)
        low, high = max(0, start), min(len(samples), start + WINDOW_SAMPLES)
        out[low - start : high - start] = samples[low:high]
        return out

    def _synthetic(self, generator: synthesis.Generator) -> Samples:
        """Return one window of a synthetic sound, half of them shorter than the window."""
        rng = self._rng
        n = int(rng.uniform(0.3, 0.97) * SAMPLE_RATE) if rng.uniform() < 0.5 else WINDOW_SAMPLES
        samples = generator(rng, n)
        while not samples.any():
            samples = generator(rng, n)
        out = np.zeros(WINDOW_SAMPLES, np.float32)
        start = rng.integers(WINDOW_SAMPLES - n + 1)
        out[start : start + n] = samples
        return out

    def _foreground(self, is_event: bool) -> tuple[str, Samples]:
        rng = self._rng
        if is_event:
            name = str(rng.choice(self._events, p=self._event_weights))
            if name not in self._groups or rng.uniform() < _SYNTHETIC_SHARE.get(name, 0.0):
                return name, self._synthetic(synthesis.EVENTS[name])
        elif rng.uniform() < 0.2:
            name = str(rng.choice(list(synthesis.NEGATIVES)))
            return name, self._synthetic(synthesis.NEGATIVES[name])
        else:
            name = str(rng.choice(self._confusers, p=self._confuser_weights))
        return name, self._crop(name)

    def _bed(self) -> tuple[str, Samples]:
        rng = self._rng
        if rng.uniform() < 0.35:
            name = str(rng.choice(["street", "coloured_noise", "hum", "howl"], p=[0.5, 0.25, 0.1, 0.15]))
            return name, synthesis.NEGATIVES[name](rng, WINDOW_SAMPLES)
        name = str(rng.choice(self._beds))
        return name, self._crop(name)

    def _aged(self, samples: Samples) -> Samples:
        if self._rng.uniform() < 0.4:
            room = self._rooms[self._rng.integers(len(self._rooms))]
            samples = fftconvolve(samples, room)[:WINDOW_SAMPLES].astype(np.float32)
        return samples / np.float32(_rms(samples))

    def _mark(self, name: str, targets: NDArray[np.float32], weights: NDArray[np.float32]) -> None:
        output = output_of(name)
        if output is not None:
            targets[OUTPUTS.index(output)] = 1.0
        for unasked in _UNASKED.get(name, ()):
            weights[OUTPUTS.index(unasked)] = 0.0

    def _scene(self) -> tuple[Samples, NDArray[np.float32], NDArray[np.float32]]:
        """Return a window of unit foreground, its targets and weights."""
        rng = self._rng
        targets, weights = np.zeros(len(OUTPUTS), np.float32), np.ones(len(OUTPUTS), np.float32)
        kind = rng.choice(["event", "confuser", "bed", "speech"], p=[0.52, 0.28, 0.1, 0.1])
        if kind == "bed":
            name, samples = self._bed()
        elif kind == "speech":
            name, samples = "speech", self._crop("speech")
        else:
            name, samples = self._foreground(is_event=bool(kind == "event"))
        self._mark(name, targets, weights)
        samples = self._aged(samples)
        if kind in ("event", "confuser") and rng.uniform() < 0.12:
            other, second = self._foreground(is_event=bool(rng.uniform() < 0.5))
            self._mark(other, targets, weights)
            samples = samples + self._aged(second) * np.float32(10.0 ** (rng.uniform(-6, 6) / 20.0))
        if rng.uniform() < 0.7:
            name, bed = self._bed()
            bed_output = output_of(name)
            if bed_output is not None and not targets[OUTPUTS.index(bed_output)]:
                weights[OUTPUTS.index(bed_output)] = 0.0
            samples = samples + bed * np.float32(10.0 ** (-rng.uniform(-5, 20) / 20.0) / _rms(bed))
        return samples, targets, weights

    def _recorded(self, scenes: list[Samples]) -> Samples:
        """Apply one microphone to scenes that differ in the talker: tilt, gain of -30 to 0 dB, a noise floor."""
        rng = self._rng
        stack = np.stack(scenes).astype(np.float64)
        if rng.uniform() < 0.5:
            spectrum = np.fft.rfft(stack)
            hz = np.fft.rfftfreq(WINDOW_SAMPLES, 1 / SAMPLE_RATE) + 50.0
            spectrum *= (hz / 1000.0) ** rng.uniform(-0.6, 0.6)
            stack = np.fft.irfft(spectrum, WINDOW_SAMPLES)
        stack = stack / (np.abs(stack).max() + 1e-9) * 10.0 ** (rng.uniform(-30, 0) / 20.0)
        if rng.uniform() < 0.5:
            stack = stack + rng.standard_normal(WINDOW_SAMPLES) * 10.0 ** (rng.uniform(-90, -50) / 20.0)
        return np.asarray(np.clip(stack, -1.0, 1.0), np.float32)

    def pool(self, n: int, n_talkers: int) -> Pool:
        """Make mixtures.

        Parameters
        ----------
        n : int
            How many.
        n_talkers : int
            1: a third of the mixtures has a voice in it, at -5 to +15 dB below the rest. 2: each comes twice, under
            voices of two people at one level.

        Returns
        -------
        Pool
            Windows, targets, weights.
        """
        rng = self._rng
        windows = np.zeros((n, n_talkers, WINDOW_FRAMES, N_BANDS), np.float16)
        targets = np.zeros((n, len(OUTPUTS)), np.float32)
        weights = np.ones((n, len(OUTPUTS)), np.float32)
        speech = OUTPUTS.index("speech")
        for i in range(n):
            samples, targets[i], weights[i] = self._scene()
            scenes = [samples]
            if n_talkers > 1 or rng.uniform() < 0.33:
                level = np.float32(10.0 ** (-rng.uniform(-5, 15) / 20.0))
                scenes = [samples + level * self._aged(self._crop("speech")) for _ in range(n_talkers)]
                weights[i, speech] = targets[i, speech]
            windows[i] = log_mel(self._recorded(scenes))
        return Pool(windows, targets, weights)
