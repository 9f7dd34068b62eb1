"""What lies around a stage that keeps states: an input is acknowledged once a state that holds it stands.

What a killed worker had not written is read again by the next one, and so are the last 2 s of sound, for its memory.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Protocol

from sourdine.agents.order import Order
from sourdine.agents.shell import message_of
from sourdine.hearing import SealedWindow
from sourdine.hearings import LedgerLine, Refusal
from sourdine.outgoing.cloudevents import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sourdine.agents.outbox import Outbox
    from sourdine.agents.rejects import Rejects
    from sourdine.agents.states import States
    from sourdine.agents.worker_app import WorkerApp
    from sourdine.cut import Message

#: A state is written when its oldest unwritten input is this old: so much a successor reads again.
_KEEP_S: Final = 15.0
_LOOK_S: Final = 1.0


class Keeping(Protocol):
    """A stage that keeps a state of each sensor: `cut.Gates` and `hearings.Hearings` are."""

    def push(self, message: Message) -> Sequence[Any]:
        """Take a message.

        Parameters
        ----------
        message : Message
            A sealed one.
        """

    def knows(self, sensor_id: int) -> bool:
        """Return whether there is a state of the sensor.

        Parameters
        ----------
        sensor_id : int
            Number of the sensor.
        """

    def read_from(self, sensor_id: int) -> int:
        """Return from where a successor must read a sensor's messages.

        Parameters
        ----------
        sensor_id : int
            Number of the sensor.
        """

    def state(self, sensor_id: int) -> bytes:
        """Return the state of a sensor, sealed.

        Parameters
        ----------
        sensor_id : int
            Number of the sensor.
        """

    def restore(self, sensor_id: int, states: list[bytes]) -> None:
        """Go on from the newest of a sensor's states.

        Parameters
        ----------
        sensor_id : int
            Number of the sensor.
        states : list of bytes
            Sealed.
        """

    def told_with(self, sensor_id: int) -> Sequence[Any]:
        """Return what is told of a sensor whenever its state is written.

        Parameters
        ----------
        sensor_id : int
            Number of the sensor.
        """


@dataclass(slots=True)
class _Sensor:
    """What of a sensor does not stand at the broker yet."""

    #: Offsets of what must be read again, as long as no state holds it.
    held: list[int] = field(default_factory=list)
    #: When the oldest came that no state holds, by the broker's time and by this machine's; None if there is none.
    since_ms: int | None = None
    since_s: float = 0.0
    unsent: set[asyncio.Future[None]] = field(default_factory=set)

    def is_changed(self, now_ms: int) -> None:
        if self.since_ms is None:
            self.since_ms, self.since_s = now_ms, monotonic()

    def let_go(self, read_from: int) -> list[int]:
        """Return the offsets that need not be read again, and hold them no more."""
        done = [offset for offset in self.held if offset < read_from]
        self.held = [offset for offset in self.held if offset >= read_from]
        return done

    def is_due(self, now_ms: int, age_s: float) -> bool:
        if self.since_ms is None:
            return False
        return now_ms - self.since_ms >= 1000 * age_s or monotonic() - self.since_s >= age_s


@dataclass(slots=True)
class _Partition:
    """One partition, as long as it is this worker's."""

    stage: Keeping
    sensors: dict[int, _Sensor] = field(default_factory=dict)
    received_ms: int = 0
    order: Order = field(default_factory=Order)

    def sensor(self, sensor_id: int) -> _Sensor:
        return self.sensors.setdefault(sensor_id, _Sensor())


class KeepingShell:
    """Around a stage that keeps a state of each sensor.

    Parameters
    ----------
    app : WorkerApp
        Of the worker.
    make_stage : callable
        Makes the stage of one partition.
    outbox : Outbox
        Sends.
    rejects : Rejects
        Counts what is refused.
    states : States
        Reads and writes states.
    topics : mapping of type to str
        Where each kind of output goes.
    """

    def __init__(
        self,
        app: WorkerApp,
        make_stage: Callable[[], Keeping],
        outbox: Outbox,
        rejects: Rejects,
        states: States,
        topics: Mapping[type, str],
    ) -> None:
        self._app, self._make_stage = app, make_stage
        self._outbox, self._rejects, self._states = outbox, rejects, states
        self._topics = topics
        self._partitions: dict[int, _Partition] = {}
        self._is_begun = False

    def attach(self) -> None:
        """Let the worker write states while it runs and when it ends, and read them when partitions are given out."""
        app = self._app
        app.is_restoring = lambda: self._states.is_reading

        @app.task  # type: ignore[untyped-decorator]
        async def keep_states() -> None:
            while True:
                await asyncio.sleep(_LOOK_S)
                await self.keep(_KEEP_S)

        # Sent before every assignment, the first and those that change nothing included; one at the assignment itself
        # could come after the first messages.
        @app.on_partitions_revoked.connect  # type: ignore[untyped-decorator]
        async def forget(*_: Any, **__: Any) -> None:
            self.forget()

        app.last_words += [self.keep, self._states.stop]

    async def take(self, event: Any) -> None:
        """Let the stage take a message.

        Parameters
        ----------
        event : faust.Event
            A sealed message.
        """
        came = event.message
        message = message_of(event)
        partition = (await self._own()).get(came.partition)
        if partition is None:  # it was given to others meanwhile, and they read this message again
            came.incref()
            return
        stage = partition.stage
        partition.received_ms = round(1000 * came.timestamp)
        partition.order.take(came)
        outputs = self._rejects.guard(stage.push, message, came)
        came.value = None  # so many wait to be acknowledged that what they bring would fill the memory
        if message is not None and _must_be_held(stage, message):
            sensor = partition.sensor(message.sensor_id)
            sensor.is_changed(message.received_ms)
            sensor.held.append(came.offset)
        else:
            partition.order.done([came.offset], self._app.consumer)
        if outputs:
            await self._send(outputs, partition, came.partition)

    async def keep(self, age_s: float = 0.0) -> None:
        """Write the states of all sensors with something unwritten.

        Parameters
        ----------
        age_s : float, default=0.0
            Only where the oldest of it is this old: by the broker's time, so that a worker that catches up writes as
            often as one that keeps pace, or by this machine's, for a partition that fell silent.
        """
        due = [
            (number, partition, sensor_id, sensor)
            for number, partition in self._partitions.items()
            for sensor_id, sensor in partition.sensors.items()
            if sensor.is_due(partition.received_ms, age_s)
        ]
        for _, partition, sensor_id, sensor in due:
            if not partition.stage.knows(sensor_id):  # what was held and then refused: no state ever holds it
                partition.order.done(sensor.let_go(partition.stage.read_from(sensor_id)), self._app.consumer)
        await asyncio.gather(*(self._keep(*one) for one in due if one[1].stage.knows(one[2])))

    def forget(self) -> None:
        """Drop everything: partitions are being given out anew, and states are read again."""
        self._partitions, self._is_begun = {}, False
        self._states.forget()

    async def _own(self) -> dict[int, _Partition]:
        """Read the states of our sensors, once; nothing if the partitions were taken from us while we did."""
        ours = self._partitions
        if not self._is_begun:
            assigned = {place.partition for place in self._app.consumer.assignment()}
            for number, by_sensor in (await self._states.read(assigned)).items():
                ours[number] = _Partition(self._make_stage())
                for sensor_id, states in by_sensor.items():
                    self._rejects.restore(ours[number].stage, sensor_id, states, number)
            if ours is self._partitions:
                self._is_begun = True
        return ours if ours is self._partitions else {}

    async def _send(self, outputs: Sequence[Any], partition: _Partition, number: int) -> None:
        """Send what came of a message; no state of its sensors may stand before all of it has left."""
        all_sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        for output in outputs:
            if not isinstance(output, Refusal):
                sensor = partition.sensor(output.sensor_id)
                sensor.is_changed(partition.received_ms)
                sensor.unsent.add(all_sent)
                all_sent.add_done_callback(sensor.unsent.discard)
        asked = []
        try:
            for output in outputs:
                if isinstance(output, Refusal):
                    self._rejects.count(output.sensor_id, output.received_ms // 1000, output.reason, number)
                else:
                    asked.append(await self._post(output, number))
        except asyncio.CancelledError:
            all_sent.cancel()
            raise
        asyncio.gather(*asked).add_done_callback(lambda _: all_sent.set_result(None))

    async def _post(self, output: Any, number: int) -> asyncio.Future[Any]:
        key = b"%d" % output.sensor_id
        return await self._outbox.send(self._topics[type(output)], key, _value_of(output), number)

    async def _keep(self, number: int, partition: _Partition, sensor_id: int, sensor: _Sensor) -> None:
        stage = partition.stage
        state, told, read_from = stage.state(sensor_id), stage.told_with(sensor_id), stage.read_from(sensor_id)
        done, sensor.since_ms = sensor.let_go(read_from), None
        unsent = set(sensor.unsent)
        if unsent:
            await asyncio.wait(unsent)
        if any(one.cancelled() for one in unsent) or self._partitions.get(number) is not partition:
            return
        await (await self._states.write(number, sensor_id, state))
        for output in told:
            await self._post(output, number)
        if self._partitions.get(number) is partition:
            partition.order.done(done, self._app.consumer)


def _must_be_held(stage: Keeping, message: Message) -> bool:
    """Whether a state is to hold a message before it may be forgotten."""
    return stage.knows(message.sensor_id) or stage.read_from(message.sensor_id) <= message.kafka_offset


def _value_of(output: Any) -> bytes:
    if isinstance(output, SealedWindow):
        return output.sealed
    return output.facts if isinstance(output, LedgerLine) else encode(output)
