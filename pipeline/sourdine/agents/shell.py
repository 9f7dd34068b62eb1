"""What lies around a stage in a worker: messages in, sends out, acknowledged when nothing of them can be lost.

An input of a stage that keeps nothing is acknowledged once what came of it is sent. One of a stage that keeps a state
is acknowledged once a state that holds it stands at the broker: what a killed worker had not written is read again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from sourdine.cut import Message
from sourdine.outgoing.cloudevents import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from dsp_core.records import Event

    from sourdine.agents.outbox import Outbox
    from sourdine.agents.rejects import Rejects
    from sourdine.agents.states import States
    from sourdine.cut import Gates, Scoring

#: A state is written when its oldest unwritten input is this old: so much a successor reads again.
_KEEP_S: Final = 15.0
_LOOK_S: Final = 1.0
_LAST_SENSOR: Final = 2**32 - 1


def message_of(event: Any) -> Message | None:
    """Return what a Faust event brings.

    Parameters
    ----------
    event : faust.Event
        With raw key and value.

    Returns
    -------
    Message or None
        None if the key is no sensor's number.
    """
    came = event.message
    key = came.key or b""
    if not (key.isdigit() and len(key) <= 10 and int(key) <= _LAST_SENSOR):
        return None
    return Message(int(key), came.value or b"", round(1000 * came.timestamp), came.offset)


class ScoringShell:
    """Around the classifier.

    Parameters
    ----------
    stage : Scoring
        Windows to candidates.
    outbox : Outbox
        Sends.
    rejects : Rejects
        Counts what is refused.
    topic : str
        Where candidates go.
    """

    def __init__(self, stage: Scoring, outbox: Outbox, rejects: Rejects, topic: str) -> None:
        self._stage, self._outbox, self._rejects, self._topic = stage, outbox, rejects, topic

    async def take(self, event: Any, consumer: Any) -> None:
        """Score a window, and acknowledge it once its candidate is sent.

        Parameters
        ----------
        event : faust.Event
            A sealed window.
        consumer : faust.Consumer
            To acknowledge to.
        """
        came = event.message
        message = message_of(event)
        for sealed in self._rejects.guard(self._stage.push, message, came):
            came.incref()
            done = await self._outbox.send(self._topic, came.key, sealed, came.partition)
            done.add_done_callback(lambda _: came.ack(consumer))


@dataclass(slots=True)
class _Sensor:
    """What of a sensor does not stand at the broker yet."""

    held: list[Any] = field(default_factory=list)
    #: When the oldest of it came: by the broker's time, and by this machine's.
    since_ms: int = 0
    since_s: float = 0.0
    unsent: set[asyncio.Future[Any]] = field(default_factory=set)


@dataclass(slots=True)
class _Partition:
    """One partition, as long as it is this worker's."""

    gates: Gates
    sensors: dict[int, _Sensor] = field(default_factory=dict)
    received_ms: int = 0


class GatesShell:
    """Around the gates.

    Parameters
    ----------
    make_stage : callable
        Makes the gates of one partition.
    assigned : callable
        Says which partitions are this worker's.
    outbox : Outbox
        Sends.
    rejects : Rejects
        Counts what is refused.
    states : States
        Reads and writes states.
    topic : str
        Where events go.
    """

    def __init__(
        self,
        make_stage: Callable[[], Gates],
        assigned: Callable[[], Collection[int]],
        outbox: Outbox,
        rejects: Rejects,
        states: States,
        topic: str,
    ) -> None:
        self._make_stage, self._assigned = make_stage, assigned
        self._outbox, self._rejects, self._states = outbox, rejects, states
        self._topic = topic
        self._partitions: dict[int, _Partition] = {}
        self._is_begun = False

    async def take(self, event: Any) -> None:
        """Judge a candidate.

        Parameters
        ----------
        event : faust.Event
            A sealed candidate.
        """
        came = event.message
        message = message_of(event)
        partition = (await self._own()).get(came.partition)
        if partition is None:  # it was given to others meanwhile, and they read this message again
            came.incref()
            return
        partition.received_ms = max(partition.received_ms, round(1000 * came.timestamp))
        events: list[Event] = self._rejects.guard(partition.gates.push, message, came)
        if message is None or not partition.gates.knows(message.sensor_id):
            return
        sensor = partition.sensors.setdefault(message.sensor_id, _Sensor())
        came.incref()
        if not sensor.held:
            sensor.since_ms, sensor.since_s = message.received_ms, monotonic()
        sensor.held.append(came)
        for record in events:
            key = b"%d" % record.sensor_id
            done = await self._outbox.send(self._topic, key, encode(record), came.partition)
            unsent = partition.sensors.setdefault(record.sensor_id, _Sensor()).unsent  # it may be another sensor's
            unsent.add(done)
            done.add_done_callback(unsent.discard)

    async def keep_on(self, consumer: Any) -> None:
        """Write states as they become due, for as long as the worker runs.

        Parameters
        ----------
        consumer : faust.Consumer
            To acknowledge to.
        """
        while True:
            await asyncio.sleep(_LOOK_S)
            await self.keep(consumer, _KEEP_S)

    async def keep(self, consumer: Any, age_s: float = 0.0) -> None:
        """Write the states of all sensors with something unwritten.

        Parameters
        ----------
        consumer : faust.Consumer
            To acknowledge to.
        age_s : float, default=0.0
            Only where the oldest of it is this old: by the broker's time, so that a worker that catches up writes as
            often as one that keeps pace, or by this machine's, for a partition that fell silent.
        """
        now = monotonic()
        due = [
            self._keep(number, partition, sensor_id, sensor, consumer)
            for number, partition in self._partitions.items()
            for sensor_id, sensor in partition.sensors.items()
            if sensor.held
            and (partition.received_ms - sensor.since_ms >= 1000 * age_s or now - sensor.since_s >= age_s)
        ]
        await asyncio.gather(*due)

    def forget(self) -> None:
        """Drop everything: partitions are being given out anew, and states are read again."""
        self._partitions, self._is_begun = {}, False
        self._states.forget()

    async def _own(self) -> dict[int, _Partition]:
        """Read the states of our sensors, once; nothing if the partitions were taken from us while we did."""
        ours = self._partitions
        if not self._is_begun:
            for number, by_sensor in (await self._states.read(self._assigned())).items():
                ours[number] = _Partition(self._make_stage())
                for sensor_id, states in by_sensor.items():
                    self._rejects.restore(ours[number].gates, sensor_id, states, number)
            if ours is self._partitions:
                self._is_begun = True
        return ours if ours is self._partitions else {}

    async def _keep(self, number: int, partition: _Partition, sensor_id: int, sensor: _Sensor, consumer: Any) -> None:
        state, held, sensor.held = partition.gates.state(sensor_id), sensor.held, []
        # A state may stand only when everything that left before it has left.
        await asyncio.gather(*sensor.unsent)
        await (await self._states.write(number, sensor_id, state))
        if self._partitions.get(number) is partition:
            for came in held:
                came.ack(consumer)
