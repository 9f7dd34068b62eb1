"""Ctrl-C as a request that is granted between two blocks, so that everything released is also written down."""

from __future__ import annotations

import queue
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType

    from dsp_core.zone import AudioBlock, Source


class Interrupt:
    """Notes Ctrl-C while it is entered; a second one ends the process at once."""

    def __init__(self) -> None:
        self.requested = False

    def __enter__(self) -> Interrupt:
        """Take Ctrl-C over."""
        self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give Ctrl-C back."""
        signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        signal.signal(signal.SIGINT, signal.SIG_DFL)


class Stop:
    """Notes Ctrl-C and SIGTERM while it is entered: both end a live run in good order.

    Parameters
    ----------
    then : callable or None, default=None
        Called at the first of them.
    """

    _SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self, then: Callable[[], None] | None = None) -> None:
        self.requested, self._then = False, then

    def __enter__(self) -> Stop:
        """Take both signals over."""
        self._before = [signal.signal(number, self._note) for number in self._SIGNALS]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give both back."""
        for number, handler in zip(self._SIGNALS, self._before, strict=True):
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._then is not None and not self.requested:
            self._then()
        self.requested = True


class PatientReader:
    """Reads a pipe in a thread of its own, one block when asked for: a pipe that stalls does not hold Ctrl-C up.

    It never reads ahead and keeps no block, so that a sample lives no longer than without it.

    Parameters
    ----------
    source : Source
        The pipe.
    interrupt : Interrupt
        Looked at while waiting.
    """

    _LOOK_S = 0.1

    def __init__(self, source: Source, interrupt: Interrupt) -> None:
        self._source = source
        self._interrupt = interrupt
        self._asked: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[AudioBlock | BaseException | None] = queue.SimpleQueue()
        threading.Thread(target=self._serve, name="pipe", daemon=True).start()

    def read(self, max_samples: int) -> AudioBlock | None:
        """Wait for the next block.

        Parameters
        ----------
        max_samples : int
            Most samples to return.

        Returns
        -------
        AudioBlock or None
            None at the end of the pipe, or when Ctrl-C was pressed meanwhile.
        """
        self._asked.put(max_samples)
        while not self._interrupt.requested:
            try:
                answer = self._answers.get(timeout=self._LOOK_S)
            except queue.Empty:
                continue
            if isinstance(answer, BaseException):
                raise answer
            return answer
        return None

    def _serve(self) -> None:
        while True:
            self._answers.put(self._try_read(self._asked.get()))

    def _try_read(self, max_samples: int) -> AudioBlock | BaseException | None:
        try:
            return self._source.read(max_samples)
        except BaseException as error:  # noqa: BLE001  whatever it is, it belongs to the thread that asked
            return error
