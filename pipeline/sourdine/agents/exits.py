"""How a worker ends where it may not go on: at once, with one line and a code of its own, before any commit."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final, NoReturn

from sourdine.operations.ending import end
from sourdine.operations.lines import Name, type_of
from sourdine.operations.told import Told

if TYPE_CHECKING:
    from collections.abc import Awaitable

#: A message was not sent: what it came from is read again by the next process.
EXIT_SEND: Final = 8
#: Something that should not happen: the line says where, and never what was being worked on.
EXIT_FAULT: Final = 9


def leave(code: int, line: str) -> NoReturn:
    """End the process at once.

    Parameters
    ----------
    code : int
        Exit code.
    line : str
        Why; names and counts only.
    """
    sys.stderr.write(f"sourdine: {line}\n")
    sys.stderr.flush()
    os._exit(code)


async def faultless(work: Awaitable[None], stage: str) -> None:
    """Wait for something of an agent; a fault ends the process, where Faust would stall over it and acknowledge it.

    Parameters
    ----------
    work : awaitable
        What must not fail.
    stage : str
        Name of the stage.
    """
    try:
        await work
    except Exception as error:  # noqa: BLE001  whatever it is, the next process reads the message again
        end(EXIT_FAULT, Told.FAULT, error=type_of(error), where=Name(stage))
