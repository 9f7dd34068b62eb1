"""The command line: what a person types, which room it goes to, and how a run ends.

One module a command: `add` says what can be typed, `run` does it and returns the exit code. Nothing but what parses is
imported at the top of any of them, so that help and mistakes answer at once.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from sourdine.cli.parser import build, lesson
from sourdine.cli.terminal import EXIT_INTERNAL, EXIT_INTERRUPTED, EXIT_OK, leave_stdout, say, say_aside
from sourdine.crash import leave_no_core
from sourdine.errors import OutputError, SourdineError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


def main() -> int:
    """Run the command line of this process and return its exit code."""
    _open_missing_streams()
    leave_no_core()
    code = run_command(sys.argv[1:])
    if code == EXIT_INTERRUPTED:
        # A thread may still wait for a pipe that never says more: leave it behind.
        os._exit(code)
    return code


def run_command(arguments: Sequence[str]) -> int:
    """Run one command; whatever stops it is said in one line that holds no data.

    Parameters
    ----------
    arguments : sequence of str
        What stands after ``sourdine``.

    Returns
    -------
    int
        The exit code.
    """
    # A file name may hold signs that the terminal's encoding lacks.
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    sys.stderr.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        code = _dispatch(build().parse_args(arguments))
        sys.stdout.flush()
    except SourdineError as error:
        return _stop(str(error), error.exit_code)
    except BrokenPipeError:
        leave_stdout()
        return OutputError.exit_code
    except KeyboardInterrupt:
        return _stop("interrupted", EXIT_INTERRUPTED)
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001  a panic of the core is no Exception, and its text may not be shown
        return _stop(f"internal error ({type(error).__name__})", EXIT_INTERNAL)
    return code


def _dispatch(parsed: argparse.Namespace) -> int:
    if parsed.command is None:
        say(lesson())
        return EXIT_OK
    code: int = parsed.run(parsed)
    return code


def _open_missing_streams() -> None:
    """Point a standard stream that was closed at nothing: no file that is written may take its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  as long as the process


def _stop(text: str, code: int) -> int:
    say_aside(text)
    return code
