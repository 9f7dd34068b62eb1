"""Streets that sound all the time: windows as gateways send them, and what one process tells of the same sound."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from tests.chain import street
from tests.kafka.chaos.history import History, place_of
from tests.kafka.city import WINDOWS, City, events_of, windows_of
from tests.sounds import RATE, eventful

from sourdine.cut import Gates, Message, Scoring
from sourdine.outgoing.cloudevents import canonical, encode

#: One for each partition; the last two of them hear so much that their budget ends it.
N_SENSORS: Final = 12
_N_BUSY: Final = 2
#: Sensors that stay over all scenes, so that their hour's budget is used up.
N_RESIDENTS: Final = 4
_LAG_S: Final = 5


@cache
def _sounds() -> tuple[NDArray[Any], NDArray[Any]]:
    """Give a sound with events, and one with more of them than a minute's budget."""
    sound = eventful(30.0)
    return sound, np.tile(sound[: 15 * RATE], 4)


def _as_of(sensor: int, event: bytes) -> bytes:
    """Give the event that another sensor tells of the same sound."""
    return canonical("event", json.loads(event)["data"] | {"sensor_id": sensor})


class Traffic:
    """A thread that sends scene after scene: each at sensors of its own, their windows one by one over some seconds.

    New sensors have all their budget, so whatever is lost would be missed; residents have used up theirs soon, so
    whatever forgets it would tell too much.
    """

    def __init__(self, town: City, history: History, sensors: range, period_s: float = 6.0) -> None:
        self._town, self._history, self._period_s = town, history, period_s
        self._residents, self._sensors = sensors[:N_RESIDENTS], sensors[N_RESIDENTS:]
        self._calm = _Calm(town, self._residents)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._go_on)
        self.n_scenes = 0
        town.enrol(sensors)

    def begin(self) -> None:
        """Begin to send."""
        self._thread.start()

    def end(self) -> None:
        """Send the scene that was begun to its end, and no other."""
        self._is_over.set()
        self._thread.join()
        self._town.flush()

    def _go_on(self) -> None:
        for first in self._sensors[::N_SENSORS]:
            if self._is_over.is_set():
                return
            self._play(range(first, first + N_SENSORS))
            self.n_scenes += 1

    def _play(self, sensors: range) -> None:
        due = time.monotonic()
        messages = list(self._scene(sensors))
        for n, (sensor, sealed) in enumerate(messages):
            if (wait_s := due + self._period_s * n / len(messages) - time.monotonic()) > 0.005:
                time.sleep(wait_s)
            self._history.sent.add(place_of(sealed))
            self._town.send(WINDOWS, sensor, sealed)
        self._town.flush()

    def _scene(self, sensors: range) -> Iterator[tuple[int, bytes]]:
        """Make windows, taken in turns from the sensors, and note what must come of them."""
        now, streams = int(time.time()), []
        plain, busy = _sounds()
        for sound, hearers in ((plain, sensors[:-_N_BUSY]), (busy, sensors[-_N_BUSY:])):
            start = now - len(sound) // RATE - _LAG_S
            told = events_of(hearers[0], sound, start)
            for sensor in hearers:
                windows = windows_of(sensor, sound, start, self._town.sealer)
                streams.append([(sensor, sealed) for sealed in windows])
                self._history.expected += [_as_of(sensor, event) for event in told]
        for sensor in self._residents:
            first_s = 5 if self.n_scenes % 2 else 18
            sound = plain[first_s * RATE : (first_s + 4) * RATE]
            windows = windows_of(sensor, sound, now - _LAG_S, self._town.sealer)
            streams.append([(sensor, sealed) for sealed in windows])
            self._history.expected += self._calm.events(sensor, windows)
        for turn in itertools.zip_longest(*streams):
            yield from (one for one in turn if one is not None)


class _Calm:
    """What no fault befalls: the two stages in this process."""

    def __init__(self, town: City, sensors: range) -> None:
        policy = street().core
        self._scoring = Scoring(town.sealer, policy)
        self._gates = {sensor: Gates(town.sealer, policy, lambda _: None) for sensor in sensors}
        for sensor, gates in self._gates.items():
            gates.restore(sensor, [town.sealed_state(sensor)])

    def events(self, sensor: int, windows: list[bytes]) -> list[bytes]:
        """Tell what comes of a resident's next windows."""
        now_ms, found = int(time.time() * 1000), []
        for sealed in windows:
            for candidate in self._scoring.push(Message(sensor, sealed, now_ms, 0)):
                found += self._gates[sensor].push(Message(sensor, candidate, now_ms, 0))
        return [encode(event) for event in found]
