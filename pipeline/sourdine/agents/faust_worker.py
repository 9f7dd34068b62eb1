"""The process around a Faust app: what it prints, which signals it hears, and that it ends when it is told to."""

from __future__ import annotations

import os
import signal
from typing import Any, Final, NoReturn

import faust

from sourdine.agents.exits import EXIT_FAULT
from sourdine.operations.ending import end_by
from sourdine.operations.foreign import take_over
from sourdine.operations.lines import tell
from sourdine.operations.told import Told

_STDOUT: Final = 1


class QuietWorker(faust.Worker):  # type: ignore[misc]  # Faust has no types of its own
    """Faust's worker without banner, tracebacks, stack dumps and debugger, and with an end to its ending."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings | {"quiet": True, "debug": False})
        self.spinner = None
        # Where the command would now print its banner; a worker has nothing to say there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), _STDOUT)

    def _setup_logging(self) -> None:
        """Set nothing of the library's up: its handlers print messages and exceptions as they come."""
        take_over()
        self._redirect_stdouts()

    def _install_signal_handlers_unix(self) -> None:
        """Hear what ends us alone: USR1 would print all stacks, and USR2 open a debugger on what is in memory."""
        self.loop.add_signal_handler(signal.SIGINT, self._on_sigint)
        self.loop.add_signal_handler(signal.SIGTERM, self._on_sigterm)

    def _schedule_shutdown(self, signal: signal.Signals) -> None:
        """End in order, and whatever happens within the limit."""
        if not self._signal_stop_time:
            tell(Told.STOPPING)
            self.app.is_stopping = True
            end_by()
        super()._schedule_shutdown(signal)

    async def on_first_start(self) -> None:
        """Begin what goes on beside the app from the start, before it has found the broker."""
        await super().on_first_start()
        for begin in self.app.alongside:
            self.add_future(begin())

    def execute_from_commandline(self) -> NoReturn:
        """Run, and end with a code that says how."""
        try:
            super().execute_from_commandline()
        except SystemExit as done:
            if done.code:
                raise SystemExit(EXIT_FAULT) from None
        tell(Told.STOPPED)
        raise SystemExit(0)
