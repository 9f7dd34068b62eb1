"""What a worker refuses: counted by sensor, second and reason, told once a second, without payload or hash of one."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, TypeVar

import orjson
from dsp_core.zone import BlockError

from sourdine.agents.exits import EXIT_FAULT
from sourdine.operations.ending import end
from sourdine.operations.lines import Name, type_of
from sourdine.operations.told import Told

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sourdine.agents.keeping import Keeping
    from sourdine.agents.outbox import Outbox
    from sourdine.agents.progress import Progress
    from sourdine.cut import Message

TOPIC: Final = "sourdine.rejects.v1"
#: Read again after a restart: no fault of anyone, and told to nobody.
_DUPLICATE: Final = "duplicate"
#: Kinds of refusals that are told apart in a second; whoever sends more is told of as sensor 0.
_MAX_KINDS: Final = 1_000
_FLUSH_S: Final = 1.0
_MS_PER_S: Final = 1000

T = TypeVar("T")


class Rejects:
    """Refusals of one worker.

    Parameters
    ----------
    outbox : Outbox
        Sends.
    stage : str
        Name of the stage, for the line that a fault costs.
    progress : Progress
        Takes note of what is taken and refused.
    """

    def __init__(self, outbox: Outbox, stage: str, progress: Progress) -> None:
        self._outbox, self._stage, self._progress = outbox, stage, progress
        self._counts: Counter[tuple[int, int, str, int]] = Counter()

    def guard(self, push: Callable[[Message], Sequence[T]], message: Message | None, came: Any) -> Sequence[T]:
        """Let a stage take a message; what it refuses is counted, and no exception leaves.

        Parameters
        ----------
        push : callable
            Of the stage.
        message : Message or None
            None if the key is no sensor's number.
        came : faust.Message
            What it was.

        Returns
        -------
        sequence
            What the stage gives; nothing if it refuses.
        """
        given: Sequence[T] | None = None
        begin = time.perf_counter()
        if message is None:
            self.count(0, round(came.timestamp), "bad_key", came.partition)
        else:
            given = self._push(push, message, came)
        # What is refused counts for no sensor: whoever invents numbers must not make up the ten of an hourly sum.
        heard = message if given is not None else None
        self._progress.took(came, heard, len(given or ()), time.perf_counter() - begin)
        return given or ()

    def _push(self, push: Callable[[Message], Sequence[T]], message: Message, came: Any) -> Sequence[T] | None:
        try:
            return push(message)
        except BlockError as error:
            self.count(message.sensor_id, message.received_ms // _MS_PER_S, error.reason, came.partition)
        except Exception as error:  # noqa: BLE001  a fault of ours: the next process reads the message again
            end(EXIT_FAULT, Told.FAULT, error=type_of(error), where=Name(self._stage))
        return None

    def guard_all(
        self, push: Callable[[Sequence[Message]], Sequence[T | BlockError]], came: Sequence[tuple[Message | None, Any]]
    ) -> list[T | None]:
        """Let a stage take messages in one call; what it refuses of them is counted, and no exception leaves.

        Parameters
        ----------
        push : callable
            Of the stage; of each message what it gives, or why it refuses.
        came : sequence of tuple of Message or None, faust.Message
            The messages as `guard` takes them.

        Returns
        -------
        list
            Of each what the stage gives; None if it refuses.
        """
        messages = [message for message, _ in came if message is not None]
        begin = time.perf_counter()
        try:
            given = iter(push(messages) if messages else [])
        except Exception as error:  # noqa: BLE001  a fault of ours: the next process reads the messages again
            end(EXIT_FAULT, Told.FAULT, error=type_of(error), where=Name(self._stage))
        each_s = (time.perf_counter() - begin) / (len(messages) or 1)
        return [self._noted(None if message is None else next(given), message, one, each_s) for message, one in came]

    def _noted(self, given: T | BlockError | None, message: Message | None, came: Any, seconds: float) -> T | None:
        """Count a message that was taken or refused; return what was given."""
        if message is None:
            self.count(0, round(came.timestamp), "bad_key", came.partition)
        elif isinstance(given, BlockError):
            self.count(message.sensor_id, message.received_ms // _MS_PER_S, given.reason, came.partition)
        is_given = message is not None and not isinstance(given, BlockError)
        self._progress.took(came, message if is_given else None, int(is_given), seconds)
        return None if isinstance(given, BlockError) else given

    def restore(self, stage: Keeping, sensor_id: int, states: list[bytes], partition: int) -> None:
        """Let a stage go on from a sensor's states; without a good one it begins anew.

        Parameters
        ----------
        stage : Keeping
            Of one partition.
        sensor_id : int
            Number of the sensor.
        states : list of bytes
            Sealed.
        partition : int
            Of the sensor.
        """
        try:
            stage.restore(sensor_id, states)
        except BlockError as error:
            self.count_state(sensor_id, error.reason, partition)

    def count_state(self, sensor_id: int, reason: str, partition: int) -> None:
        """Count a state that cannot be gone on with. No page shows it: states are read when something is heard.

        Parameters
        ----------
        sensor_id : int
            Whose it is; 0 if its key does not say.
        reason : str
            Why.
        partition : int
            Of the sensor.
        """
        self._add(sensor_id, int(time.time()), f"state_{reason}", partition)

    def count(self, sensor_id: int, slot: int, reason: str, partition: int) -> None:
        """Count a refusal.

        Parameters
        ----------
        sensor_id : int
            Who sent it, as its key says; 0 if the key says nothing.
        slot : int
            Second in which the broker took it.
        reason : str
            Why.
        partition : int
            Where it came from.
        """
        if reason == _DUPLICATE:
            return
        self._progress.refused(sensor_id, reason)
        self._add(sensor_id, slot, reason, partition)

    def _add(self, sensor_id: int, slot: int, reason: str, partition: int) -> None:
        kind = (sensor_id, slot, reason, partition)
        if kind not in self._counts and len(self._counts) >= _MAX_KINDS:
            kind = (0, slot, reason, partition)
        self._counts[kind] += 1

    async def tell_on(self) -> None:
        """Tell what was refused, each second, for as long as the worker runs."""
        while True:
            await asyncio.sleep(_FLUSH_S)
            await self.tell()

    async def tell(self) -> None:
        """Tell what was refused since the last time."""
        counts, self._counts = self._counts, Counter()
        for (sensor_id, slot, reason, partition), count in counts.items():
            value = orjson.dumps({"sensor_id": sensor_id, "slot": slot, "reason": reason, "count": count})
            await self._outbox.send(TOPIC, b"%d" % sensor_id, value, partition)
