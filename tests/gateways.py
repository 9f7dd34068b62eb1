"""Gateways for the tests: a clock that the test holds, sound that comes in step with it, what waits for the broker."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import numpy as np
from dsp_core.zone import Sealer, create_key
from numpy.typing import NDArray
from tests.chain import street
from tests.live import Clock, Notes
from tests.sounds import RATE, pcm16

from sourdine.broker import BrokerSettings
from sourdine.gateway.gateway import Gateway
from sourdine.gateway.settings import GatewaySettings, StreamSettings
from sourdine.gateway.store import Store, Waiting
from sourdine.pcm import PcmFormat
from sourdine.policy import LoadedPolicy

#: A port of this machine at which nobody answers.
NOWHERE = BrokerSettings("127.0.0.1:1")
PCM = PcmFormat(sample_rate=RATE, encoding="s16le", n_channels=1)
STEP_S = 0.25


def file_stream(sensor_id: int, path: Path) -> StreamSettings:
    """A recording, heard as if it happened now."""
    return StreamSettings(sensor_id=sensor_id, kind="file", pcm=PCM, path=path)


def pipe_stream(sensor_id: int, path: Path) -> StreamSettings:
    """A named pipe, made here."""
    if not path.exists():
        os.mkfifo(path)
    return StreamSettings(sensor_id=sensor_id, kind="pipe", pcm=PCM, path=path)


def tcp_stream(sensor_id: int) -> StreamSettings:
    """A port of loopback that is free."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return StreamSettings(sensor_id=sensor_id, kind="tcp", pcm=PCM, port=one.getsockname()[1])


class Player:
    """The other end of a pipe or a port, that plays a sound in step with the clock."""

    def __init__(self, stream: StreamSettings, samples: NDArray[np.float64] | bytes, start: float = 0.0) -> None:
        self._stream, self._start = stream, start
        self._rest = samples if isinstance(samples, bytes) else pcm16(samples)
        self._end: Any = None

    def play(self, seconds: float) -> None:
        """Play what belongs into the next quarter of a second; leave when all is played."""
        if seconds < self._start:
            return
        n_bytes = int(STEP_S * RATE) * 2
        piece, self._rest = self._rest[:n_bytes], self._rest[n_bytes:]
        if piece:
            with suppress(OSError):  # nobody listens, or not quickly enough: it is lost, as in the street
                self._end = self._end or self._open()
                self._end.write(piece)
        else:
            self.leave()

    def leave(self) -> None:
        """Close the pipe."""
        if self._end is not None:
            self._end.close()
            self._end = None

    def _open(self) -> Any:
        if self._stream.path is None:
            caller = socket.create_connection(("127.0.0.1", self._stream.port))
            return os.fdopen(caller.detach(), "wb", buffering=0)
        return os.fdopen(os.open(self._stream.path, os.O_WRONLY | os.O_NONBLOCK), "wb", buffering=0)


class Town:
    """A gateway's folder, over several runs of it."""

    def __init__(
        self,
        folder: Path,
        *streams: StreamSettings,
        placement: str = "gateway",
        policy: LoadedPolicy | None = None,
        broker: BrokerSettings = NOWHERE,
        max_windows: int = 512,
    ) -> None:
        key = folder / "zone.key"
        if not key.exists():
            create_key(key)
        self.notes = Notes()
        self.gateway: Gateway | None = None
        self.windows: list[bytes] = []
        self.n_windows_lost = 0
        self.settings = GatewaySettings(
            placement=placement,
            broker=broker,
            sealer=Sealer(key),
            state=folder / "state",
            policy=policy or street(),
            streams=streams,
            max_windows=max_windows,
        )

    def run(
        self,
        start: float,
        seconds: float,
        *players: Player,
        is_crash: bool = False,
        each_look: Callable[[float], None] = lambda _: None,
        error_s: Callable[[float], float] = lambda _: 0.0,
    ) -> None:
        """Let it run for some seconds of the clock, and stop it in order, or not at all.

        Its clock may have an error, which depends on the time.
        """
        clock = Clock(start)

        def is_over() -> bool:
            passed = clock.seconds - start
            for player in players:
                player.play(passed)
            each_look(passed)
            clock.seconds += STEP_S
            if is_crash and passed >= seconds:
                raise KeyboardInterrupt
            return passed >= seconds

        with suppress(KeyboardInterrupt):
            asyncio.run(self._run(lambda: clock() + error_s(clock()), is_over))
        for player in players:
            player.leave()

    async def _run(self, clock: Callable[[], float], is_over: Callable[[], bool]) -> None:
        with closing(Store(self.settings.state)) as store:
            gateway = self.gateway = Gateway(self.settings, store, self.notes, clock, look_s=0.001)
            take = gateway.sender.take_window

            def spy(sensor_id: int, sealed: bytes) -> None:
                self.windows.append(sealed)
                take(sensor_id, sealed)

            for stream in gateway._streams:
                chains: Any = stream.listener._chains
                if hasattr(chains, "_send"):
                    chains._send = lambda sealed, _id=stream.listener._sensor_id: spy(_id, sealed)
                    stream.listener._chain._send = chains._send  # type: ignore[attr-defined]
            try:
                await gateway.run(is_over)
            finally:
                self.n_windows_lost = gateway.sender.n_windows_lost

    def waiting(self) -> list[Waiting]:
        """What waits for the broker, in order."""
        with closing(Store(self.settings.state)) as store:
            return store.next(1_000_000)

    def values(self, kind: str = "") -> list[bytes]:
        """The same, as it will be sent; of one kind."""
        return [one.value for one in self.waiting() if kind in one.topic]
