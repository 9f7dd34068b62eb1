"""How far a run is, on the terminal: inputs done, sound heard, speed, time left."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from sourdine.local.run import Watch
from sourdine.local.view import clock

if TYPE_CHECKING:
    from types import TracebackType


class ProgressWatch(Watch):
    """A progress bar over all inputs, with the speed in times real time; gone when the run ends."""

    _STEP_S = 0.1

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.completed:,.0f} of {task.total:,.0f}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[told]}"),
            TextColumn("left"),
            TimeRemainingColumn(compact=True),
            console=Console(stderr=True, highlight=False, markup=False, emoji=False),
            transient=True,
        )
        self._task = self._progress.add_task("", total=1, told="", visible=False)
        self._lock = threading.Lock()
        self._heard_s = 0.0
        self._began = self._told = time.monotonic()

    def __enter__(self) -> ProgressWatch:
        """Show the bar."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        self._progress.stop()

    def start(self, n_inputs: int, n_done: int) -> None:
        """Begin to count.

        Parameters
        ----------
        n_inputs : int
            How many inputs.
        n_done : int
            How many of them an earlier run has done.
        """
        self._began = self._told = time.monotonic()
        self._progress.update(self._task, total=n_inputs, completed=n_done, visible=True)

    def heard(self, seconds: float) -> None:
        """Add to what was heard; shown at most ten times a second.

        Parameters
        ----------
        seconds : float
            Length of a block.
        """
        with self._lock:
            self._heard_s += seconds
            now = time.monotonic()
            if now - self._told < self._STEP_S:
                return
            self._told = now
            speed = self._heard_s / (now - self._began)
        self._progress.update(self._task, told=f"{clock(self._heard_s)}  {speed:,.0f} x real time")

    def done(self) -> None:
        """Move the bar on by one input."""
        self._progress.advance(self._task)
