"""What is said on the terminal, and the exit codes that say it to a script."""

from __future__ import annotations

import os
import sys
from typing import Final

from sourdine.errors import OutputError

EXIT_OK: Final = 0
EXIT_REFUSED: Final = 1
EXIT_INTERNAL: Final = 5
EXIT_INTERRUPTED: Final = 130

EXIT_WORDS: Final = """\
exit codes: 0 everything was heard; 1 some inputs were refused, each with a line and a reason; 2 wrong usage; 3 the
policy does not stand; 4 output cannot be written; 5 internal error; 130 interrupted, run --resume goes on
"""


#: Of a command that hears live sound: nothing is refused as a whole, and nothing goes on by --resume.
LIVE_EXIT_WORDS: Final = """\
exit codes: 0 the sound has ended, or SIGINT or SIGTERM has ended it; 1 the sound cannot be live; 2 wrong usage; 3 the
policy does not stand; 4 output cannot be written; 5 internal error
"""


def say(text: str) -> None:
    """Write what was asked for to standard output.

    Parameters
    ----------
    text : str
        Whole lines.

    Raises
    ------
    OutputError
        If standard output takes nothing more, but for a reader that has left.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        leave_stdout()
        raise OutputError(f"cannot write to standard output: {error.strerror}") from None


def say_aside(text: str) -> None:
    """Write one line to standard error.

    Parameters
    ----------
    text : str
        Put on one line and freed of terminal controls.
    """
    line = "".join(sign if sign.isprintable() else " " for sign in text)
    sys.stderr.write(f"sourdine: {line}\n")


def leave_stdout() -> None:
    """Point standard output at nothing, so that Python's last flush does not complain once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
