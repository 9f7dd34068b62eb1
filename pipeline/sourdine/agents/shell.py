"""What lies around a stage in a worker: messages in, sends out, acknowledged when nothing of them can be lost.

An input of a stage that keeps nothing is acknowledged once what came of it is sent; those that do are in `keeping`.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sourdine.agents.exits import faultless
from sourdine.agents.order import Order
from sourdine.cut import Message

if TYPE_CHECKING:
    from sourdine.agents.outbox import Outbox
    from sourdine.agents.rejects import Rejects
    from sourdine.cut import Scoring

_LAST_SENSOR: Final = 2**32 - 1
_STAGE: Final = "classify"
#: Windows that are scored in one call: some 20 ms, for which nothing else of the process runs.
MAX_TOGETHER: Final = 32


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
    """Around the classifier: windows that wait are scored in one call, and their candidates sent in their order.

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
        self._orders: defaultdict[int, Order] = defaultdict(Order)
        self._waiting: list[tuple[Message | None, Any]] = []
        self._scoring: asyncio.Task[None] | None = None

    async def take(self, event: Any, consumer: Any) -> None:
        """Let a window wait until nothing else has come, or enough; it is acknowledged once its candidate is sent.

        Parameters
        ----------
        event : faust.Event
            A sealed window.
        consumer : faust.Consumer
            To acknowledge to.
        """
        self._orders[event.message.partition].take(event.message)
        self._waiting.append((message_of(event), event.message))
        if self._scoring is None or self._scoring.done():
            # It begins when the agent lets go of the loop: when nothing more has come, or here.
            self._scoring = asyncio.create_task(faultless(self._score(consumer), _STAGE))
        if len(self._waiting) >= MAX_TOGETHER:
            await asyncio.wait([self._scoring])

    async def _score(self, consumer: Any) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting[:MAX_TOGETHER], self._waiting[MAX_TOGETHER:]
            candidates = self._rejects.guard_all(self._stage.push_all, taken)
            for (_, came), sealed in zip(taken, candidates, strict=True):
                done = partial(self._done, came, consumer)
                if sealed is None:
                    done(None)
                else:
                    (await self._outbox.send(self._topic, came.key, sealed, came.partition)).add_done_callback(done)

    def _done(self, came: Any, consumer: Any, _: asyncio.Future[None] | None) -> None:
        self._orders[came.partition].done([came.offset], consumer)
