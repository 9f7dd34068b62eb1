"""A descriptor that live sound comes through, looked at before it is read: nobody waits for what does not come."""

from __future__ import annotations

import fcntl
import os
import select
import stat
import struct
import termios
import time
from typing import TYPE_CHECKING, Final

from dsp_core.zone import Source

from sourdine.errors import ConfigError, printable
from sourdine.pcm import channel_of

if TYPE_CHECKING:
    from pathlib import Path

    from dsp_core.zone import AudioBlock

    from sourdine.pcm import PcmFormat

_STDIN: Final = 0
_LOOK_S: Final = 0.02


def look(fd: int) -> tuple[int, bool]:
    """Return how many bytes wait at a descriptor, and whether no more will come.

    Parameters
    ----------
    fd : int
        Of a pipe or a socket.

    Returns
    -------
    tuple of int and bool
        Nothing is read.
    """
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    happened = poll.poll(0)
    flags = happened[0][1] if happened else 0
    (n_bytes,) = struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, bytes(4)))
    has_gone = bool(flags & (select.POLLHUP | select.POLLERR)) or (bool(flags & select.POLLIN) and n_bytes == 0)
    return n_bytes, has_gone


class PcmReader:
    """Raw PCM of one sensor at a descriptor.

    Parameters
    ----------
    pcm : PcmFormat
        Its layout.
    sensor_id : int
        Number of the sensor.
    channel : str, default="1"
        Number of the channel, or ``mix`` for the mean of all.
    """

    def __init__(self, pcm: PcmFormat, sensor_id: int, channel: str = "1") -> None:
        self._pcm, self._sensor_id, self._channel = pcm, sensor_id, channel_of(channel)
        self._source: Source | None = None

    @property
    def sample_rate(self) -> int:
        """In Hz."""
        return self._pcm.sample_rate

    @property
    def bits_per_sample(self) -> int:
        """Of one sample as it comes."""
        return 8 * self._pcm.frame_bytes // self._pcm.n_channels

    def n_ready(self, fd: int) -> int | None:
        """Return how many samples can be read without waiting.

        Parameters
        ----------
        fd : int
            The descriptor.

        Returns
        -------
        int or None
            None once the writer has gone and nothing whole is left.
        """
        n_bytes, has_gone = look(fd)
        n_samples = n_bytes // self._pcm.frame_bytes
        return None if has_gone and n_samples == 0 else n_samples

    def begin(self, fd: int) -> None:
        """Count positions from the sample on that is read next.

        Parameters
        ----------
        fd : int
            The descriptor.
        """
        pcm = self._pcm
        self._source = Source.pcm(
            fd,
            sensor_id=self._sensor_id,
            sample_rate=pcm.sample_rate,
            encoding=pcm.encoding,
            n_channels=pcm.n_channels,
            channel=self._channel,
        )

    def read(self, n_samples: int) -> AudioBlock | None:
        """Read samples that are ready.

        Parameters
        ----------
        n_samples : int
            At most so many.

        Returns
        -------
        AudioBlock or None
            None if there are none.
        """
        return None if self._source is None else self._source.read(n_samples)


class PipeInput:
    """Standard input, or a named pipe that is opened anew when its writer has gone.

    Parameters
    ----------
    path : pathlib.Path or None
        Of a pipe, a socket or a descriptor such as ``/dev/fd/3``; None for standard input.
    reader : PcmReader
        What it brings.

    Raises
    ------
    ConfigError
        If it is no pipe and no socket.
    """

    def __init__(self, path: Path | None, reader: PcmReader) -> None:
        self._path, self._reader = path, reader
        self._name = "standard input" if path is None else printable(str(path))
        self._fd = -1
        self._open()

    @property
    def sample_rate(self) -> int:
        """In Hz."""
        return self._reader.sample_rate

    @property
    def bits_per_sample(self) -> int:
        """Of one sample as it comes."""
        return self._reader.bits_per_sample

    def wait(self, wanted_s: float, timeout_s: float) -> None:
        """Wait for sound, or for the writer to go.

        Parameters
        ----------
        wanted_s : float
            Seconds of sound after which it need not wait longer.
        timeout_s : float
            Longest wait in seconds.
        """
        n_wanted, deadline = int(wanted_s * self.sample_rate), time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            n_ready = self.n_ready()
            if n_ready is None or n_ready >= n_wanted:
                return
            time.sleep(_LOOK_S)

    def n_ready(self) -> int | None:
        """Return how many samples can be read without waiting; None once the writer has gone."""
        return self._reader.n_ready(self._fd)

    def begin(self) -> None:
        """Count positions from the sample on that is read next."""
        self._reader.begin(self._fd)

    def read(self, n_samples: int) -> AudioBlock | None:
        """Read samples that are ready.

        Parameters
        ----------
        n_samples : int
            At most so many.

        Returns
        -------
        AudioBlock or None
            None if there are none.
        """
        return self._reader.read(n_samples)

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
            self._fd = _STDIN if self._path is None else os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
            mode = os.fstat(self._fd).st_mode
        except OSError as error:
            raise ConfigError(f"{self._name}: {error.strerror}") from None
        if stat.S_ISREG(mode):
            self.close()
            raise ConfigError(f"{self._name} is a recording, not live sound: sourdine run hears it")
        if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
            self.close()
            raise ConfigError(f"{self._name}: expected a pipe or a socket that raw PCM comes through")
