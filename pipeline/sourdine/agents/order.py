"""Messages are acknowledged in their order, because Faust commits past one that is not done.

Faust 0.15.3 holds a commit back at a gap between acknowledged messages, but not at one before the first of them: not
where nothing was committed in the partition yet, and not where the very next message after a commit is the one that is
not done. So it hears of a message only when all before it in the partition are done.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Any


class Order:
    """What is being worked on, by partition, the oldest first."""

    def __init__(self) -> None:
        self._open: defaultdict[int, deque[Any]] = defaultdict(deque)
        self._done: set[Any] = set()

    def take(self, came: Any) -> None:
        """Begin a message; in the order of its partition.

        Parameters
        ----------
        came : faust.Message
            What came in.
        """
        came.incref()
        self._open[came.partition].append(came)

    def done(self, came: Any, consumer: Any) -> None:
        """Acknowledge a message, and those behind it that waited for it; or let it wait for those before it.

        Parameters
        ----------
        came : faust.Message
            Of which nothing can be lost any more.
        consumer : faust.Consumer
            To acknowledge to.
        """
        self._done.add(came)
        waiting = self._open[came.partition]
        while waiting and waiting[0] in self._done:
            first = waiting.popleft()
            self._done.remove(first)
            first.ack(consumer)
