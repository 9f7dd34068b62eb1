"""The recorded scenario, from one seed: what every sensor hears, when, with which gaps, boots and clocks."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
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

#: A full clock hour, which all sensors hear the end of and the beginning of the next.
HOUR: Final = 1_800_000_000
#: Shortest and longest block, in seconds.
BLOCKS_S: Final = (0.01, 5.0)
#: Sensors whose clock is ahead of the broker's by 5 s. They hear nothing that is told.
FAST: Final = frozenset({9})
#: Sensors whose gates begin without a state.
NEW: Final = frozenset({5, 17, 45})
_BUSY_S, _CALM_S = 4.0, 11.0


@dataclass(frozen=True)
class Stretch:
    """Sound without a break, from a whole second on."""

    start_slot: int
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
        return sum(one.samples.size for one in self.stretches) / self.sample_rate

    def blocks(self, stretch: Stretch, seed: int) -> Iterator[AudioBlock]:
        """Cut a stretch into blocks of 10 ms to 5 s."""
        rng = np.random.default_rng([seed, self.sensor_id])
        with tempfile.TemporaryDirectory() as folder:
            path = write_wav(Path(folder) / "x.wav", stretch.samples, sample_rate=self.sample_rate)
            source = Source.open(path, sensor_id=self.sensor_id)
            while (block := source.read(self._length(rng))) is not None:
                yield block

    def _length(self, rng: np.random.Generator) -> int:
        shortest, longest = np.log(BLOCKS_S)
        return round(float(np.exp(rng.uniform(shortest, longest))) * self.sample_rate)


@dataclass(frozen=True)
class Group:
    """Sensors that are at work at the same time, and when the process that hears them is started anew."""

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
    begin, restart, end = HOUR - 120, HOUR - 55, HOUR + 30
    steady = tuple(_steady(library, sensor_id, seed) for sensor_id in range(1, 41))
    moved = tuple(_restarted(library, sensor_id, seed, restart) for sensor_id in range(41, 53))
    return Group((HOUR - 50,), HOUR + 40, steady), Group((begin, restart), end, moved)


def shortened(group: Group, n_sensors: int) -> Group:
    """Take the first sensors alone."""
    return replace(group, sensors=group.sensors[:n_sensors])


def _steady(library: Library, sensor_id: int, seed: int) -> Sensor:
    """Hear 75 s over the full hour, some with a gap or a boot in it."""
    rng = np.random.default_rng([seed, sensor_id])
    start = HOUR - 49 + sensor_id % 8
    if sensor_id % 10 == 3:  # sound is lost on the way
        parts = [(start, 30.0 + rng.uniform(), True), (start + 40, 33.0, False)]
    elif sensor_id % 10 == 6:  # the sensor is started anew
        parts = [(start, 38.0 + rng.uniform(), True), (start + 41, 33.0, True)]
    else:
        parts = [(start, 74.0 + rng.uniform(), True)]
    return _sensor(library, sensor_id, rng, parts)


def _restarted(library: Library, sensor_id: int, seed: int, restart: int) -> Sensor:
    """Hear over two minutes around a restart of the process."""
    rng = np.random.default_rng([seed, sensor_id])
    start = HOUR - 119 + sensor_id % 8
    before = restart - 2 - start - rng.uniform()
    return _sensor(library, sensor_id, rng, [(start, before, True), (restart + 2 + sensor_id % 3, 78.0, True)])


def _sensor(
    library: Library, sensor_id: int, rng: np.random.Generator, parts: list[tuple[int, float, bool]]
) -> Sensor:
    sample_rate = 3 * RATE if sensor_id % 3 == 0 else RATE
    pause_s = np.inf if sensor_id in FAST else _BUSY_S if sensor_id % 5 == 0 else _CALM_S
    stretches = [
        Stretch(start, library.tape(rng, duration_s, sample_rate, pause_s), is_boot)
        for start, duration_s, is_boot in parts
    ]
    full_scale_db = 100.0 + sensor_id % 7 if sensor_id % 2 else None
    return Sensor(sensor_id, sample_rate, full_scale_db, tuple(stretches))
