"""A live street for the tests: sound that comes through a real pipe in step with a clock that the test holds."""

from __future__ import annotations

import fcntl
import os
import struct
import termios
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from dsp_core.zone import Sealer, create_key
from numpy.typing import NDArray
from tests.chain import Record
from tests.sounds import RATE, pcm16

import sourdine.local.listen
from sourdine.config import ListenSettings
from sourdine.live.ear import Ear
from sourdine.local.interrupt import Stop
from sourdine.local.listen import files_of, hear, source_of
from sourdine.operations.lines import Fact, line_of
from sourdine.operations.told import Told
from sourdine.pcm import PcmFormat
from sourdine.policy import LoadedPolicy

#: Longest time that the other side of a pipe may take for what takes it milliseconds.
HANG_S = 60.0
STEP_S = 0.5


class Clock:
    """Stands still unless the test moves it; counts how often it is looked at."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.n_looks = 0

    def __call__(self) -> float:
        self.n_looks += 1
        return self.seconds


class Notes(Ear):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.lines: list[bytes] = []
        self.records: list[Record] = []

    def note(self, told: Told, text: str, **facts: Fact) -> None:
        self.notes.append(text)
        self.lines.append(line_of(told, 0.0, **facts))

    def left(self, records: list[Record]) -> None:
        self.records += records


class Street:
    """One end of a named pipe, with a clock."""

    def __init__(self, pipe: Path, clock: Clock) -> None:
        self._clock = clock
        self._pipe = pipe
        self._fd = -1
        self.is_heard = True

    def play(self, samples: NDArray[np.float64]) -> None:
        """Let sound happen, shape=(n,) or (n, n_channels), and the time that it takes pass."""
        if self._fd < 0:
            self._fd = os.open(self._pipe, os.O_WRONLY)
        step = int(STEP_S * RATE)
        for start in range(0, len(samples), step):
            piece = samples[start : start + step]
            self._clock.seconds += len(piece) / RATE
            if not self.is_heard:
                return
            os.write(self._fd, pcm16(piece))
            self._wait_until_heard()

    def wait(self, seconds: float) -> None:
        """Let time pass without a sound."""
        until = self._clock.seconds + seconds
        while self._clock.seconds < until:
            self._clock.seconds = min(until, self._clock.seconds + STEP_S)
            self.wait_for_a_look()

    def leave(self) -> None:
        """Close the pipe."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            self.wait_for_a_look()

    def wait_for_a_look(self) -> None:
        """Wait until the listener has taken a step that began after this: it looks at the clock once in each."""
        n_looks = self._clock.n_looks + 2
        self._wait_while(lambda: self._clock.n_looks < n_looks)

    def _wait_until_heard(self) -> None:
        self._wait_while(lambda: struct.unpack("i", fcntl.ioctl(self._fd, termios.FIONREAD, bytes(4)))[0] > 0)

    def _wait_while(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + HANG_S
        while self.is_heard and condition():
            assert time.monotonic() < deadline, "nobody listens"
            time.sleep(0.001)


def listen_to(
    script: Callable[[Street], None],
    *,
    folder: Path,
    policy: LoadedPolicy,
    clock: Clock,
    n_channels: int = 1,
    sensor_id: int = 17,
    **more: Any,
) -> Notes:
    """Run a listener on a pipe for as long as the script goes on; gives what it said and released.

    What else is named are fields of `ListenSettings`.
    """
    pipe, out, key = folder / "street.pcm", folder / "out", folder / "zone.key"
    folder.mkdir(exist_ok=True)
    if not pipe.exists():
        os.mkfifo(pipe)
    if not key.exists():
        create_key(key)
    pcm = PcmFormat(sample_rate=RATE, encoding="s16le", n_channels=n_channels)
    settings = ListenSettings(path=pipe, pcm=pcm, sensor_id=sensor_id, out=out, policy=policy, key=key, **more)
    ear, stop, street = Notes(), Stop(), Street(pipe, clock)

    def act() -> None:
        try:
            street.wait_for_a_look()  # where the sound begins depends on the time at which the listener did
            street.wait_for_a_look()
            script(street)
        finally:
            street.leave()
            stop.requested = True

    # The street's time goes faster than the day's, so the listener must look more often.
    looking = patch.object(sourdine.local.listen, "_LOOK_S", 0.01)
    with looking, closing(source_of(settings)) as source, closing(files_of(settings)) as files:
        actor = threading.Thread(target=act)
        actor.start()
        try:
            hear(settings, source, files, Sealer(key), ear, stop, clock)
        finally:
            street.is_heard = False
            actor.join(HANG_S)
    return ear
