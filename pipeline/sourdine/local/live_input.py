"""A pipe that live sound comes through, looked at before it is read: nobody waits for sound that does not come."""

from __future__ import annotations

import fcntl
import os
import select
import stat
import struct
import termios
import time
from typing import TYPE_CHECKING, Final

from sourdine.errors import ConfigError, printable
from sourdine.local.inputs import STDIN

if TYPE_CHECKING:
    from pathlib import Path

_LOOK_S: Final = 0.02


class LiveInput:
    """Standard input, or a named pipe that is opened anew when its writer has gone.

    Parameters
    ----------
    path : pathlib.Path or None
        Of a pipe, a socket or a descriptor such as ``/dev/fd/3``; None for standard input.

    Raises
    ------
    ConfigError
        If it is no pipe and no socket.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._name = "standard input" if path is None else printable(str(path))
        self._fd = -1
        self._open()

    @property
    def fd(self) -> int:
        """The descriptor to read from."""
        return self._fd

    def wait(self, n_wanted: int, n_least: int, timeout_s: float) -> int | None:
        """Wait for sound.

        Parameters
        ----------
        n_wanted : int
            Bytes after which it need not wait longer.
        n_least : int
            Bytes of one sample of all channels.
        timeout_s : float
            Longest wait in seconds.

        Returns
        -------
        int or None
            Bytes that can be read without waiting; None once the writer has gone and nothing whole is left.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            n_ready, has_gone = self._look()
            if has_gone and n_ready < n_least:
                return None
            if has_gone or n_ready >= n_wanted or time.monotonic() >= deadline:
                return n_ready
            time.sleep(_LOOK_S)

    def reopen(self) -> bool:
        """Wait for the next writer of a named pipe; False where there can be none."""
        if self._path is None or not stat.S_ISFIFO(os.fstat(self._fd).st_mode) or not self._path.is_fifo():
            return False
        self.close()
        self._open()
        return True

    def close(self) -> None:
        """Close what was opened here."""
        if self._path is not None and self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _open(self) -> None:
        try:
            # A named pipe would hold its reader up until a writer comes.
            self._fd = STDIN if self._path is None else os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
            mode = os.fstat(self._fd).st_mode
        except OSError as error:
            raise ConfigError(f"{self._name}: {error.strerror}") from None
        if stat.S_ISREG(mode):
            self.close()
            raise ConfigError(f"{self._name} is a recording, not live sound: sourdine run hears it")
        if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
            self.close()
            raise ConfigError(f"{self._name}: expected a pipe or a socket that raw PCM comes through")

    def _look(self) -> tuple[int, bool]:
        """Return how many bytes wait, and whether no more will come."""
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        happened = poll.poll(0)
        flags = happened[0][1] if happened else 0
        (n_ready,) = struct.unpack("i", fcntl.ioctl(self._fd, termios.FIONREAD, bytes(4)))
        has_gone = bool(flags & (select.POLLHUP | select.POLLERR)) or (bool(flags & select.POLLIN) and n_ready == 0)
        return n_ready, has_gone
