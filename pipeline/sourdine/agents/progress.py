"""How far a worker is: what it took, what waits for it at the broker, and whether that moves."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from sourdine.operations.ending import EXIT_STALLED, end
from sourdine.operations.lines import tell
from sourdine.operations.metrics import Hourly, Sample, in_steps
from sourdine.operations.told import Told

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from sourdine.broker import BrokerSettings
    from sourdine.cut import Message

_LOOK_S: Final = 5.0
_ANSWER_S: Final = 4.0
_CLOSE_S: Final = 1.0
#: Messages wait, and none was taken between so many looks: 15 s.
_MAX_STALE: Final = 3
#: A broker that has not answered for so many looks is away.
_MAX_UNANSWERED: Final = 2
#: Looks that are remembered, for the age of what waits: two minutes.
_N_LOOKS: Final = 24
_REFUSES_S: Final = 3600.0
_MAX_REASONS: Final = 32


class Progress:
    """Of one worker.

    Parameters
    ----------
    clock : callable, default=time.monotonic
        Seconds.
    on_stall : callable or None, default=None
        Called when messages wait and none is taken; None ends the process.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, on_stall: Callable[[], None] | None = None) -> None:
        self._clock = clock
        self._on_stall = on_stall or (lambda: end(EXIT_STALLED, Told.STALLED, seconds=round(_MAX_STALE * _LOOK_S)))
        self.hourly = Hourly()
        #: While states are read or partitions given out, nothing is taken, however long it lasts.
        self.is_waiting: Callable[[], bool] = lambda: False
        #: A single message may make the stage tell of an hour: that moves, too.
        self.n_delivered: Callable[[], int] = lambda: 0
        #: By partition, the offset behind the last message that was taken.
        self._next: dict[int, int] = {}
        self._n_taken = self._n_moved_before = self._n_stale = self._n_unanswered = 0
        self._looks: deque[tuple[float, dict[int, int]]] = deque(maxlen=_N_LOOKS)
        self._refused_s: dict[str, float] = {}
        self._lag_s = self._stage_s = 0.0

    @property
    def broker_answers(self) -> bool:
        """Whether the broker has answered lately."""
        return self._n_unanswered < _MAX_UNANSWERED

    @property
    def is_stale(self) -> bool:
        """Whether messages wait and none was taken between two looks; what came just before one may have no luck."""
        return self._n_stale > 1

    def took(self, came: Any, message: Message | None, n_given: int, seconds: float) -> None:
        """Take note of a message that the stage has taken or refused.

        Parameters
        ----------
        came : faust.Message
            What it was.
        message : Message or None
            None if it was refused.
        n_given : int
            What the stage made of it.
        seconds : float
            How long it took.
        """
        self._n_taken += 1
        self._next[came.partition] = came.offset + 1
        if message is not None:
            self.hourly.count("sourdine_worker_taken_total", message.sensor_id)
            self.hourly.count("sourdine_worker_given_total", message.sensor_id, n_given)
            self._stage_s += seconds
            stage_ms = int(1000 * self._stage_s)
            self._stage_s -= stage_ms / 1000  # most messages take less than a millisecond: the rest is the next one's
            self.hourly.count("sourdine_worker_stage_ms_total", message.sensor_id, stage_ms)

    def refused(self, sensor_id: int, reason: str) -> None:
        """Take note of a message that was refused.

        Parameters
        ----------
        sensor_id : int
            As the message said.
        reason : str
            Of the core's closed list.
        """
        if reason in self._refused_s or len(self._refused_s) < _MAX_REASONS:
            self._refused_s[reason] = self._clock()
            self.hourly.count("sourdine_worker_refused_total", sensor_id, label=reason)

    def look(self, positions: Mapping[int, int], ends: Mapping[int, int]) -> None:
        """Compare what was taken with what the broker has.

        Parameters
        ----------
        positions : mapping of int to int
            Where each of our partitions begins, if nothing of it was taken yet.
        ends : mapping of int to int
            Behind the last message of each.
        """
        now = self._clock()
        at = {number: max(self._next.get(number, 0), begin) for number, begin in positions.items()}
        behind = {number: end for number, end in ends.items() if at.get(number, end) < end}
        n_moved = self._n_taken + self.n_delivered()
        is_still, self._n_moved_before = n_moved == self._n_moved_before, n_moved
        self._n_stale = self._n_stale + 1 if behind and is_still and not self.is_waiting() else 0
        self._looks.append((now, dict(ends)))
        waits = [then for then, seen in self._looks if any(at.get(number, end) < end for number, end in seen.items())]
        self._lag_s = now - min(waits) if behind and waits else 0.0
        if self._n_stale >= _MAX_STALE:
            self._on_stall()

    def samples(self) -> list[Sample]:
        """Return what may be shown."""
        now = self._clock()
        refuses = [
            Sample("sourdine_worker_refuses", float(now - then < _REFUSES_S), (reason,))
            for reason, then in self._refused_s.items()
        ]
        lag = Sample("sourdine_worker_lag_seconds", in_steps(self._lag_s))
        up = Sample("sourdine_broker_up", float(self.broker_answers))
        return [up, lag, *refuses, *self.hourly.samples()]

    async def look_on(self, broker: BrokerSettings, group: str, assigned: Callable[[], Collection[Any]]) -> None:
        """Ask the broker what waits, for as long as the worker runs: by a connection of our own, which shares no fault.

        Parameters
        ----------
        broker : BrokerSettings
            Where it is.
        group : str
            Of the worker.
        assigned : callable
            Says which partitions are the worker's.
        """
        while True:
            consumer = AIOKafkaConsumer(**broker.for_aiokafka(), group_id=group, enable_auto_commit=False)
            try:
                await asyncio.wait_for(consumer.start(), _ANSWER_S)
                while True:
                    await asyncio.wait_for(self._ask(consumer, list(assigned())), _ANSWER_S)
                    await asyncio.sleep(_LOOK_S)
            except (KafkaError, OSError, TimeoutError):
                self._missed()
            finally:
                with suppress(KafkaError, OSError, TimeoutError):
                    await asyncio.wait_for(consumer.stop(), _CLOSE_S)
            await asyncio.sleep(_LOOK_S)

    async def _ask(self, consumer: Any, places: list[Any]) -> None:
        if not places:
            await consumer.topics()
            self._answered()
            self._n_stale = 0
            return
        begins, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        committed = {place: await consumer.committed(place) or 0 for place in places}
        self._answered()
        positions = {place.partition: max(begins[place], committed[place]) for place in places}
        self.look(positions, {place.partition: end for place, end in ends.items()})

    def _answered(self) -> None:
        if not self.broker_answers:
            tell(Told.BROKER_BACK, seconds=round(self._n_unanswered * _LOOK_S), n=0)
        self._n_unanswered = 0

    def _missed(self) -> None:
        self._n_unanswered += 1
        if self._n_unanswered == _MAX_UNANSWERED:
            tell(Told.BROKER_AWAY)
