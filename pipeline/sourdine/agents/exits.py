"""How a worker ends where it may not go on: at once, with one line and a code of its own, before any commit."""

from __future__ import annotations

import os
import sys
from typing import Final, NoReturn

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
