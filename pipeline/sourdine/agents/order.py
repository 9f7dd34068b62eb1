"""Messages are acknowledged in their order, because Faust commits past one that is not done.

Faust 0.15.3 holds a commit back at a gap between acknowledged messages, but not at one before the first of them: not
where nothing was committed in the partition yet, and not where the very next message after a commit is the one that is
not done. So it hears of a message only when all before it in the partition are done.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


class Order:
    """What of one partition is being worked on, the oldest first."""

    def __init__(self) -> None:
        self._unacked: deque[Any] = deque()
        self._done: set[int] = set()

    def take(self, came: Any) -> None:
        """Begin a message; in the order of the broker.

        Parameters
        ----------
        came : faust.Message
            What came in.
        """
        came.incref()
        self._unacked.append(came)

    def done(self, offsets: Iterable[int], consumer: Any) -> None:
        """Acknowledge messages, and those behind them that waited for them; or let them wait for those before them.

        Parameters
        ----------
        offsets : iterable of int
            Of messages of which nothing can be lost any more.
        consumer : faust.Consumer
            To acknowledge to.
        """
        self._done.update(offsets)
        while self._unacked and self._unacked[0].offset in self._done:
            came = self._unacked.popleft()
            self._done.discard(came.offset)
            came.ack(consumer)
