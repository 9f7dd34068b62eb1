"""A process whose event loop does not turn any more ends: seen by a thread, because a task would hang with the loop.

A supervisor that asks for it (`WatchdogSec=` of systemd) hears of each turn too: it also sees what no thread can,
foreign code that sits on the interpreter's lock.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from sourdine.operations.ending import EXIT_HANGS, end
from sourdine.operations.told import Told

if TYPE_CHECKING:
    from collections.abc import Callable

#: A loop that has not turned for so long hangs.
HANGS_S: Final = 15.0
_TURN_S: Final = 1.0
_LOOK_S: Final = 0.5


def notify(words: str) -> None:
    """Say something to systemd, if it is there and wants to know.

    Parameters
    ----------
    words : str
        Such as ``READY=1``.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as one:
        one.connect("\0" + address[1:] if address[0] == "@" else address)
        one.send(words.encode())


class Watchdog:
    """Watches the loop that `turn_on` runs in.

    Parameters
    ----------
    hangs_s : float, default=HANGS_S
        Longest that it may stand still.
    on_hang : callable or None, default=None
        Called then; None ends the process.
    """

    def __init__(self, hangs_s: float = HANGS_S, on_hang: Callable[[], None] | None = None) -> None:
        # Looks are counted, not seconds: while the whole process is stopped, nobody looks, and it does not hang.
        self._max_looks, self._n_looks = round(hangs_s / _LOOK_S), 0
        self._on_hang = on_hang or (lambda: end(EXIT_HANGS, Told.HANGS, seconds=round(hangs_s)))
        self._is_over = threading.Event()

    async def turn_on(self) -> None:
        """Show that the loop turns, for as long as it does."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()
        notify("READY=1")
        try:
            while True:
                self._n_looks = 0
                notify("WATCHDOG=1")
                await asyncio.sleep(_TURN_S)
        finally:
            self._is_over.set()

    def _watch(self) -> None:
        while not self._is_over.wait(_LOOK_S):
            self._n_looks += 1
            if self._n_looks >= self._max_looks:
                self._on_hang()
                return
