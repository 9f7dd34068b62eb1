"""Where a gateway's sound comes from, beside named pipes: connections on loopback, and recordings in real time."""

from __future__ import annotations

import math
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from dsp_core.zone import BlockError, Source

from sourdine.errors import ConfigError, SourdineError
from sourdine.live.listener import Input
from sourdine.live.pipe import PcmReader, PipeInput
from sourdine.operations.told import Told
from sourdine.pcm import channel_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dsp_core.zone import AudioBlock

    from sourdine.gateway.settings import StreamSettings
    from sourdine.live.ear import Ear

#: Nothing but this machine: raw PCM is neither sealed nor does it say who sends it.
HOST: Final = "127.0.0.1"
_RETRY_S: Final = 5.0


class Closeable(Input, Protocol):
    """An input that holds something open."""

    def close(self) -> None:
        """Let go of it."""


class TcpInput:
    """Raw PCM over TCP: a port of this machine alone, where one connection is heard at a time, and others wait.

    Parameters
    ----------
    port : int
        On 127.0.0.1.
    reader : PcmReader
        What it brings.

    Raises
    ------
    ConfigError
        If the port is taken.
    """

    def __init__(self, port: int, reader: PcmReader) -> None:
        self._reader = reader
        self._caller: socket.socket | None = None
        self._server = socket.socket()
        try:
            self._server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._server.bind((HOST, port))
            self._server.listen(1)
            self._server.setblocking(False)
        except OSError as error:
            self._server.close()
            raise ConfigError(f"{HOST}:{port}: {error.strerror}") from None

    @property
    def sample_rate(self) -> int:
        """In Hz."""
        return self._reader.sample_rate

    @property
    def bits_per_sample(self) -> int:
        """Of one sample as it comes."""
        return self._reader.bits_per_sample

    def n_ready(self) -> int | None:
        """Return how many samples can be read without waiting; None once the caller has gone."""
        if self._caller is None:
            with suppress(BlockingIOError):
                self._caller, _ = self._server.accept()
        return 0 if self._caller is None else self._reader.n_ready(self._caller.fileno())

    def begin(self) -> None:
        """Count positions from the sample on that is read next."""
        if self._caller is not None:
            self._reader.begin(self._caller.fileno())

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
        """Wait for the next caller."""
        if self._caller is not None:
            self._caller.close()
            self._caller = None
        return True

    def close(self) -> None:
        """Close connection and port."""
        self.reopen()
        self._server.close()


class FileInput:
    """A recording that is heard as if it happened now, once, from the next whole second on.

    Parameters
    ----------
    path : pathlib.Path
        WAV, FLAC and the like.
    sensor_id : int
        Number of the sensor.
    channel : str
        Number of the channel, or ``mix`` for the mean of all.
    clock : callable
        Seconds since 1970-01-01T00:00:00Z, with a fraction.

    Raises
    ------
    ConfigError
        If it is no recording.
    """

    def __init__(self, path: Path, sensor_id: int, channel: str, clock: Callable[[], float]) -> None:
        self._path, self._sensor_id, self._channel, self._clock = path, sensor_id, channel_of(channel), clock
        self._starts_at = math.ceil(clock())
        self._n_gone = 0
        self._is_over = self._was_told = False
        self._source = self._opened()

    @property
    def sample_rate(self) -> int:
        """In Hz."""
        return self._source.sample_rate

    @property
    def bits_per_sample(self) -> int:
        """Of one sample as it is stored."""
        return self._source.bits_per_sample

    def n_ready(self) -> int | None:
        """Return how many samples are due; None, once, when the recording is over."""
        if self._is_over:
            is_told, self._was_told = self._was_told, True
            return 0 if is_told else None
        n_due = round((self._clock() - self._starts_at) * self.sample_rate)
        return max(0, n_due - self._n_gone - self._source.position)

    def begin(self) -> None:
        """Count positions from the sample on that is read next."""
        self._n_gone += self._source.position
        self._source = self._opened()
        self._source.skip(self._n_gone)

    def read(self, n_samples: int) -> AudioBlock | None:
        """Read samples that are due.

        Parameters
        ----------
        n_samples : int
            At most so many.

        Returns
        -------
        AudioBlock or None
            None when the recording is over.
        """
        try:
            block = self._source.read(n_samples)
        except BlockError:
            self._is_over = True  # what cannot be read now can never be
            raise
        self._is_over = block is None
        return block

    def reopen(self) -> bool:
        """Nothing comes after it."""
        return False

    def close(self) -> None:
        """Hold nothing open but the source, which closes itself."""

    def _opened(self) -> Source:
        try:
            return Source.open(self._path, sensor_id=self._sensor_id, channel=self._channel)
        except BlockError as error:
            raise ConfigError(f"{self._path}: {error.reason}") from None


class Reconnecting:
    """An input that is made as soon as it can be, and made anew when nothing more comes of it.

    Parameters
    ----------
    make : callable
        Makes it, or raises `SourdineError`.
    sample_rate : int
        That it will have, in Hz.
    ear : Ear
        Told why there is none.
    clock : callable
        Seconds.
    """

    def __init__(self, make: Callable[[], Closeable], sample_rate: int, ear: Ear, clock: Callable[[], float]) -> None:
        self._make, self.sample_rate, self._ear, self._clock = make, sample_rate, ear, clock
        self._inner: Closeable | None = None
        self._next_try_s = 0.0
        self._told = ""

    @property
    def bits_per_sample(self) -> int:
        """Of one sample as it comes."""
        return 0 if self._inner is None else self._inner.bits_per_sample

    def n_ready(self) -> int | None:
        """Return how many samples can be read without waiting; None once the source has gone."""
        if self._inner is None and self._clock() >= self._next_try_s:
            self._try()
        return 0 if self._inner is None else self._inner.n_ready()

    def begin(self) -> None:
        """Count positions from the sample on that is read next."""
        if self._inner is not None:
            self._inner.begin()

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
        return None if self._inner is None else self._inner.read(n_samples)

    def reopen(self) -> bool:
        """Wait for whoever comes next."""
        if self._inner is not None and not isinstance(self._inner, FileInput) and not self._reopens(self._inner):
            self.rest(_RETRY_S)
        return True

    def rest(self, seconds: float) -> None:
        """Let go of the source, and leave it alone for a while.

        Parameters
        ----------
        seconds : float
            How long.
        """
        self.close()
        self._next_try_s = self._clock() + seconds

    def close(self) -> None:
        """Let go of the source."""
        if self._inner is not None:
            self._inner.close()
            self._inner = None

    def _try(self) -> None:
        try:
            self._inner, self._told = self._make(), ""
        except SourdineError as error:
            self._next_try_s = self._clock() + _RETRY_S
            if str(error) != self._told:
                self._told = str(error)
                self._ear.note(Told.NO_SOURCE, f"no source: {error}")

    @staticmethod
    def _reopens(inner: Closeable) -> bool:
        try:
            return inner.reopen()
        except SourdineError:
            return False


def input_of(settings: StreamSettings, ear: Ear, clock: Callable[[], float]) -> Reconnecting:
    """Return where a stream's sound comes from.

    Parameters
    ----------
    settings : StreamSettings
        Of the stream.
    ear : Ear
        Who is told.
    clock : callable
        Seconds since 1970-01-01T00:00:00Z, with a fraction.

    Returns
    -------
    Reconnecting
        Nothing is opened yet.
    """

    def make() -> Closeable:
        reader = PcmReader(settings.pcm, settings.sensor_id, settings.channel)
        if settings.path is None:
            return TcpInput(settings.port, reader)
        if settings.kind == "file":
            return FileInput(settings.path, settings.sensor_id, settings.channel, clock)
        return PipeInput(settings.path, reader)

    return Reconnecting(make, settings.pcm.sample_rate, ear, clock)
