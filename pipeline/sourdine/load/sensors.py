"""What stands before the broker: sound becomes sealed windows, or sealed blocks. Nothing of it is ever written."""

from __future__ import annotations

import os
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from dsp_core.zone import Describe, Source, Trigger

from sourdine.load.sounds import CLIP_S, SAMPLE_RATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dsp_core.records import Policy
    from dsp_core.zone import Sealer

    from sourdine.load.street import Alarm, City

WINDOWS: Final = "sourdine.windows.v1"
SOUND: Final = "sourdine.sound.v1"
_ENCODING: Final = "s16le"
_NS_PER_S: Final = 1_000_000_000


class Ear:
    """A pipe through which sound comes to the core, the only way there is.

    Parameters
    ----------
    sensor_id : int
        Number of the sensor.
    """

    def __init__(self, sensor_id: int) -> None:
        self._from, self._to = os.pipe()
        self._source = Source.pcm(
            self._from, sensor_id=sensor_id, sample_rate=SAMPLE_RATE, encoding=_ENCODING, n_channels=1
        )

    def hear(self, pcm: bytes) -> Any:
        """Return a block of what is heard.

        Parameters
        ----------
        pcm : bytes
            16-bit samples, at most 2 s, which is what a pipe holds.
        """
        os.write(self._to, pcm)
        return self._source.read(len(pcm) // 2)

    def close(self) -> None:
        """Hear no more."""
        os.close(self._to)
        os.close(self._from)


class Cabinets:
    """Sensors that compute: each alarm is described by itself, and nothing else of the street is.

    The trigger's dial is open: it learns a street in which ten clips a minute are nothing new, and would let few of
    them through. So a load makes as many windows as is asked, and no fewer.

    Parameters
    ----------
    city : City
        What is heard.
    sealer : Sealer
        With the zone's key.
    policy : Policy
        What may leave.
    start_slot : int
        Second of the beginning, since 1970-01-01T00:00:00Z.
    """

    topic: Final = WINDOWS

    def __init__(self, city: City, sealer: Sealer, policy: Policy, start_slot: int) -> None:
        self._city, self._sealer, self._policy, self._start_slot = city, sealer, policy, start_slot

    def messages(self, n_seconds: int) -> Iterator[tuple[float, int, list[bytes]]]:
        """Give what is sent, in its order.

        Parameters
        ----------
        n_seconds : int
            How long.

        Yields
        ------
        tuple of float, int and list of bytes
            When it is due, since the beginning; the sensor; what is sealed.
        """
        for alarm in self._city.alarms(n_seconds):
            yield alarm.due_s, alarm.sensor_id, self._windows(alarm)

    def _windows(self, alarm: Alarm) -> list[bytes]:
        sensor_id, slot = alarm.sensor_id, self._start_slot + alarm.second
        describe = Describe(sensor_id=sensor_id, sample_rate=SAMPLE_RATE, start_slot=slot, policy=self._policy)
        trigger = Trigger(sensor_id=sensor_id, alarms_per_day=float("inf"))
        ear = Ear(sensor_id)
        pcm = b"".join(self._city.second(sensor_id, alarm.second + n) for n in range(CLIP_S))
        found = [*trigger.push(describe.push(ear.hear(pcm)))]
        ear.close()
        found += [*trigger.push(describe.finish()), *trigger.finish()]
        return [self._sealer.seal_window(window) for window in (*found, trigger.lull()) if window is not None]


class Microphones:
    """Sensors that only seal: every second of sound, in 16 bits.

    Parameters
    ----------
    city : City
        What is heard.
    sealer : Sealer
        With the zone's key.
    sensors : range
        Numbers of the sensors.
    start_slot : int
        Second of the beginning, since 1970-01-01T00:00:00Z.
    """

    topic: Final = SOUND

    def __init__(self, city: City, sealer: Sealer, sensors: range, start_slot: int) -> None:
        self._city, self._sealer, self._sensors = city, sealer, sensors
        self._boot_ns = start_slot * _NS_PER_S
        self._sequences: defaultdict[int, int] = defaultdict(int)
        self._ears = {sensor: Ear(sensor) for sensor in sensors}

    def messages(self, n_seconds: int) -> Iterator[tuple[float, int, list[bytes]]]:
        """Give what is sent, in its order.

        Parameters
        ----------
        n_seconds : int
            How long.

        Yields
        ------
        tuple of float, int and list of bytes
            When it is due, since the beginning; the sensor; what is sealed.
        """
        for second in range(n_seconds):
            for turn, (sensor, ear) in enumerate(self._ears.items()):
                block = ear.hear(self._city.second(sensor, second))
                sealed = self._sealer.seal_block(
                    block, encoding=_ENCODING, boot_ns=self._boot_ns, sequence=self._sequences[sensor]
                )
                self._sequences[sensor] += 1
                yield second + 1 + turn / len(self._ears), sensor, [sealed]
