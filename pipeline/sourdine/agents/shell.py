"""What lies around a stage in a worker: messages in, sends out, acknowledged when nothing of them can be lost.

An input of a stage that keeps nothing is acknowledged once what came of it is sent; those that do are in `keeping`.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from sourdine.agents.order import Order
from sourdine.cut import Message

if TYPE_CHECKING:
    from sourdine.agents.outbox import Outbox
    from sourdine.agents.rejects import Rejects
    from sourdine.cut import Scoring

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
        self._orders: defaultdict[int, Order] = defaultdict(Order)

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
        order = self._orders[came.partition]
        order.take(came)
        candidates = self._rejects.guard(self._stage.push, message_of(event), came)
        if not candidates:
            order.done([came.offset], consumer)
        for sealed in candidates:  # one of each window
            done = await self._outbox.send(self._topic, came.key, sealed, came.partition)
            done.add_done_callback(lambda _: order.done([came.offset], consumer))
