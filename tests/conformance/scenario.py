"""The recorded scenario, from one seed: what every sensor hears, when, with which gaps, boots and clocks."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np
from dsp_core.zone import AudioBlock, Source
from tests.conformance.sounds import Library, Samples
from tests.sounds import RATE, write_wav

from sourdine.policy import LoadedPolicy, load

#: A full clock hour: all sensors hear the end of one and the beginning of the next.
HOUR: Final = 1_800_000_000
#: Shortest and longest block, in seconds.
BLOCKS_S: Final = (0.01, 5.0)
#: The sensor whose clock is ahead of the broker's by 5 s. It hears nothing that is told.
FAST: Final = 9
#: Sensors whose gates begin without a state.
NEW: Final = frozenset({5, 17, 45})
_BUSY_S, _CALM_S = 4.0, 11.0
_MS_PER_S: Final = 1000


@dataclass(frozen=True)
class Stretch:
    """Sound without a break. Live, it counts from its first whole second on, and what comes before that is dropped."""

    start_slot: int
    #: Sound before that second, in ms, less than a second.
    lead_ms: int
    samples: Samples
    #: Whether the sensor began to count anew.
    is_boot: bool


@dataclass(frozen=True)
class Sensor:
    """What one sensor hears."""

    sensor_id: int
    sample_rate: int
    full_scale_db: float | None
    stretches: tuple[Stretch, ...]

    @property
    def heard_s(self) -> float:
        """Seconds of sound."""
        return sum(self.counted(stretch).size for stretch in self.stretches) / self.sample_rate

    def counted(self, stretch: Stretch) -> Samples:
        """Leave away what comes before the first whole second."""
        return stretch.samples[stretch.lead_ms * self.sample_rate // _MS_PER_S :]

    def begins_at(self, stretch: Stretch) -> int:
        """Count the samples from the hour on, to the first of a stretch."""
        return ((stretch.start_slot - HOUR) * _MS_PER_S - stretch.lead_ms) * self.sample_rate // _MS_PER_S

    def blocks(self, samples: Samples, seed: int, edges: Iterable[int] = ()) -> Iterator[AudioBlock]:
        """Cut a sound into blocks of 10 ms to 5 s, none of which reaches over an edge."""
        rng, left = np.random.default_rng([seed, self.sensor_id]), sorted(edges)
        shortest, longest = np.log(BLOCKS_S)
        with tempfile.TemporaryDirectory() as folder:
            path = write_wav(Path(folder) / "x.wav", samples, sample_rate=self.sample_rate)
            source = Source.open(path, sensor_id=self.sensor_id)
            while True:
                left = [edge for edge in left if edge > source.position]
                length = round(float(np.exp(rng.uniform(shortest, longest))) * self.sample_rate)
                block = source.read(min([length, *(edge - source.position for edge in left)]))
                if block is None:
                    return
                yield block


@dataclass(frozen=True)
class Group:
    """Sensors that are at work at the same time, and when the process that hears them is started (anew)."""

    starts: tuple[int, ...]
    end: int
    sensors: tuple[Sensor, ...]

    @property
    def begin(self) -> int:
        """First second."""
        return self.starts[0]


@cache
def policy() -> LoadedPolicy:
    """Load the default policy with an hour that is soon used up, and levels and states every 10 s."""
    text = (files("sourdine") / "policies" / "street.toml").read_text("utf-8")
    changes = {
        "max_per_hour = 20": "max_per_hour = 4",
        "reserved_per_hour = 8": "reserved_per_hour = 1",
        "max_bit_per_s = 0.30": "max_bit_per_s = 2.0",
        "period_s = 60": "period_s = 10",
        "alarms_per_day = 1000.0": "alarms_per_day = 300.0",
    }
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "conformance.toml"
        path.write_text(text, "utf-8")
        return load(str(path), today=date(2026, 1, 1))


@cache
def scenario(recordings: Path, seed: int = 1) -> tuple[Group, ...]:
    """Make all of it."""
    library = Library.read(recordings)
    steady = tuple(_steady(library, sensor_id, seed) for sensor_id in range(1, 41))
    begin, restart, end = HOUR - 120, HOUR - 55, HOUR + 30
    moved = tuple(_restarted(library, sensor_id, seed, restart) for sensor_id in range(41, 53))
    return Group((HOUR - 50,), HOUR + 40, steady), Group((begin, restart), end, moved)


def _steady(library: Library, sensor_id: int, seed: int) -> Sensor:
    """Hear 75 s over the full hour, some with a gap or a boot in it."""
    rng, start = np.random.default_rng([seed, sensor_id]), HOUR - 48 + sensor_id % 7
    if sensor_id % 10 == 3:  # sound is lost on the way, for longer than a period
        parts = [(start, 20.0 + rng.uniform(), True), (start + 46, 28.0, False)]
    elif sensor_id % 10 == 6:  # the sensor is started anew
        parts = [(start, 36.0 + rng.uniform(), True), (start + 43, 31.0, True)]
    else:
        parts = [(start, 74.0 + rng.uniform(), True)]
    return _sensor(library, sensor_id, rng, parts)


def _restarted(library: Library, sensor_id: int, seed: int, restart: int) -> Sensor:
    """Hear over two minutes around a restart of the process."""
    rng, start = np.random.default_rng([seed, sensor_id]), HOUR - 118 + sensor_id % 7
    before = restart - 4 - start - rng.uniform()
    return _sensor(library, sensor_id, rng, [(start, before, True), (restart + 2 + sensor_id % 3, 78.0, True)])


def _sensor(library: Library, sensor_id: int, rng: np.random.Generator, parts: list[tuple[int, float, bool]]) -> Sensor:
    sample_rate = 3 * RATE if sensor_id % 3 == 0 else RATE
    pause_s = np.inf if sensor_id == FAST else _BUSY_S if sensor_id % 5 == 0 else _CALM_S
    stretches = []
    for start, duration_s, is_boot in parts:
        lead_ms = int(rng.choice([0, 250, 437, 900]))
        samples = library.tape(rng, duration_s + lead_ms / _MS_PER_S, sample_rate, pause_s)
        stretches.append(Stretch(start, lead_ms, samples, is_boot))
    full_scale_db = 100.0 + sensor_id % 7 if sensor_id % 2 else None
    return Sensor(sensor_id, sample_rate, full_scale_db, tuple(stretches))
