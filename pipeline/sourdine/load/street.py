"""When what sounds where: a schedule of alarms that follows from a seed, and the sound of any second at any sensor."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

import numpy as np

from sourdine.load.sounds import CLIP_S, SAMPLE_RATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sourdine.load.sounds import Sounds

#: Alarms of one sensor that leave each other room.
MAX_PER_MINUTE: Final = 60 / (CLIP_S + 1)
_LOUDEST_DB: Final = -2.0
_FAINTEST_DB: Final = -14.0


@dataclass(frozen=True, slots=True, order=True)
class Alarm:
    """A clip that begins at a sensor.

    Parameters
    ----------
    due_s : float
        When it has been heard and may be sent, since the beginning; sensors come one after the other in a second.
    second : int
        In which it begins, since the beginning.
    sensor_id : int
        Number of the sensor.
    clip : int
        Which clip.
    gain : float
        How loud.
    """

    due_s: float
    second: int
    sensor_id: int
    clip: int
    gain: float


class City:
    """All streets of a load.

    Parameters
    ----------
    sounds : Sounds
        What they are made of.
    sensors : range
        Numbers of the sensors.
    alarms_per_minute : float
        Of each sensor, at most `MAX_PER_MINUTE`.
    seed : int
        The same gives the same alarms and the same sound.
    """

    def __init__(self, sounds: Sounds, sensors: range, alarms_per_minute: float, seed: int) -> None:
        self._sounds, self._sensors, self._seed = sounds, sensors, seed
        self._cell_s = 60.0 / alarms_per_minute

    def alarms(self, n_seconds: int) -> Iterator[Alarm]:
        """Give all alarms in the order in which they are due.

        Parameters
        ----------
        n_seconds : int
            How long the streets are heard.

        Yields
        ------
        Alarm
            That is over within this time.
        """
        yield from heapq.merge(*(self._alarms_of(sensor, n_seconds) for sensor in self._sensors))

    def second(self, sensor_id: int, second: int) -> bytes:
        """Give what a sensor hears in a second.

        Parameters
        ----------
        sensor_id : int
            Number of the sensor.
        second : int
            Since the beginning.

        Returns
        -------
        bytes
            16-bit PCM at 16 kHz, little-endian.
        """
        ambience = self._sounds.ambience
        heard = ambience[(sensor_id * 7 + second) % len(ambience)]
        cell = int(second / self._cell_s)
        for alarm in (self._alarm(sensor_id, cell - 1), self._alarm(sensor_id, cell)):
            clip = self._sounds.clips[alarm.clip][max(0, second - alarm.second) * SAMPLE_RATE :][:SAMPLE_RATE]
            if alarm.second <= second and clip.size:
                mixed = heard.astype(np.float32)
                mixed[: clip.size] += alarm.gain * clip
                heard = np.clip(mixed, -32_768, 32_767).astype(np.int16)
        pcm: bytes = heard.astype("<i2").tobytes()
        return pcm

    def _alarms_of(self, sensor_id: int, n_seconds: int) -> Iterator[Alarm]:
        cell = 0
        while (alarm := self._alarm(sensor_id, cell)).second + CLIP_S <= n_seconds:
            yield alarm
            cell += 1

    def _alarm(self, sensor_id: int, cell: int) -> Alarm:
        """Give the one alarm of a span; those of neighbouring spans do not touch."""
        chance = Random(f"{self._seed} {sensor_id} {cell}")
        second = int(cell * self._cell_s + chance.random() * (self._cell_s - CLIP_S))
        gain = 10.0 ** (chance.uniform(_FAINTEST_DB, _LOUDEST_DB) / 20.0)
        turn = (sensor_id - self._sensors.start) / len(self._sensors)
        clip = chance.randrange(len(self._sounds.clips))
        return Alarm(second + CLIP_S + turn, second, sensor_id, clip, gain)
