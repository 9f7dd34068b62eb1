"""What libraries and Python itself would print: where it comes from is told, what it says is not.

Faust, mode, aiokafka and asyncio put messages, exceptions and reprs of what they hold into their lines. Here none of
their words, arguments or tracebacks goes on: only the place in their code, and the type of an exception.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from sourdine.operations.lines import Name, tell, type_of
from sourdine.operations.told import Told

if TYPE_CHECKING:
    from collections.abc import Callable

    from sourdine.operations.lines import Fact

#: A place that complains again and again has one line in this time.
_AGAIN_S: Final = 60.0
#: They complain when the loop is late, and so of how much is being classified.
_OF_LOAD: Final = ("mode.timers",)


class Foreign(logging.Handler):
    """Tells that a library complained, and where.

    Parameters
    ----------
    say : callable, default=tell
        Takes the event and its facts.
    clock : callable, default=time.monotonic
        Seconds.
    """

    def __init__(self, say: Callable[..., None] = tell, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(logging.WARNING)
        self._say, self._clock = say, clock
        #: By place, of which there are as many as there are lines of code: when it was told, and how often since.
        self._places: dict[str, tuple[float, int]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Tell it, unless the place was told of lately.

        Parameters
        ----------
        record : logging.LogRecord
            Of which level, module, line and types of exceptions are looked at.
        """
        place, now = _place(record.name, record.lineno), self._clock()
        told_s, n_since = self._places.get(place, (now - _AGAIN_S, 0))
        if now - told_s < _AGAIN_S:
            self._places[place] = told_s, n_since + 1
            return
        self._places[place] = now, 0
        facts: dict[str, Fact] = {"where": Name(place), "n": n_since + 1}
        error = _error_of(record)
        self._say(Told.LIBRARY, **(facts if error is None else facts | {"error": type_of(error)}))


def take_over() -> None:
    """Let no library and no uncaught exception print, in this process, from here on."""
    logging.raiseExceptions = False
    logging.root.handlers[:] = [Foreign()]
    logging.root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    for name in _OF_LOAD:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    sys.excepthook = lambda kind, error, trace: _tell_fault(error, trace)
    threading.excepthook = lambda what: _tell_fault(what.exc_value, what.exc_traceback)
    sys.unraisablehook = lambda what: _tell_fault(what.exc_value, what.exc_traceback)


def _tell_fault(error: BaseException | None, trace: Any) -> None:
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "unknown" if trace is None else _place(trace.tb_frame.f_globals.get("__name__", ""), trace.tb_lineno)
    tell(Told.FAULT, error=Name("none") if error is None else type_of(error), where=Name(place))


def _place(module: str, line: int) -> str:
    """Return module and line as a name, whatever they are."""
    words = re.sub(r"[^A-Za-z0-9_.]", "_", module)[-50:].lstrip("_.") or "unknown"
    return f"{words}:{int(line)}"


def _error_of(record: logging.LogRecord) -> BaseException | None:
    """Return the exception that a record is about, from where libraries put them."""
    if isinstance(record.exc_info, tuple) and record.exc_info[1] is not None:
        return record.exc_info[1]
    arguments = record.args if isinstance(record.args, tuple) else ()
    return next((one for one in arguments if isinstance(one, BaseException)), None)
