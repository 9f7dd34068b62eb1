"""`sourdine run`: recordings or a pipe go through the chain."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sourdine.cli.arguments import add_manners, add_pcm
from sourdine.cli.policy import load_policy
from sourdine.cli.terminal import EXIT_INTERRUPTED, EXIT_OK, EXIT_REFUSED, EXIT_WORDS, say, say_aside
from sourdine.config import RunSettings, parse_pcm, parse_start
from sourdine.errors import ConfigError

if TYPE_CHECKING:
    import argparse

_WORDS: Final = """\
Hear recordings or a pipe, and write down what may leave.

Each file is a sensor of its own, numbered from 1 in sorted order. What leaves is written as CloudEvents, one a line,
into events.jsonl, levels.jsonl and health.jsonl of the output folder; files of these names are replaced.
"""


def add(commands: Any) -> None:
    """Add the command.

    Parameters
    ----------
    commands : object
        What argparse adds commands to.
    """
    parser = commands.add_parser("run", help="hear recordings or a pipe", description=_WORDS, epilog=EXIT_WORDS)
    add_arguments(parser, n_paths="+")
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> int:
    """Do it.

    Parameters
    ----------
    parsed : argparse.Namespace
        What was typed.

    Returns
    -------
    int
        The exit code.
    """
    return hear(settings_of(parsed), parsed)


def settings_of(parsed: argparse.Namespace) -> RunSettings:
    """Return what was typed as the settings of a run.

    Parameters
    ----------
    parsed : argparse.Namespace
        What was typed.

    Returns
    -------
    RunSettings
        Read once, handed downwards.

    Raises
    ------
    ConfigError
        If it contradicts itself.
    """
    from_pipe = "-" in parsed.paths
    if from_pipe and len(parsed.paths) > 1:
        raise ConfigError("- stands alone: hear a pipe or recordings, not both")
    if from_pipe and sys.stdin.isatty():
        raise ConfigError("- expects raw PCM from a pipe, and standard input is a terminal")
    raw = (parsed.rate, parsed.format, parsed.channels)
    if not from_pipe and raw != (None, None, None):
        raise ConfigError("--rate, --format and --channels are for raw PCM from a pipe: add - for it")
    return RunSettings(
        paths=() if from_pipe else tuple(Path(path) for path in parsed.paths),
        out=parsed.out,
        policy=load_policy(parsed.policy),
        start_slot=0 if parsed.start is None else parse_start(parsed.start),
        background=parsed.background,
        pcm=parse_pcm(*raw) if from_pipe else None,
    )


def hear(settings: RunSettings, parsed: argparse.Namespace, closing_words: str = "") -> int:
    """Hear everything, and show what came of it.

    Parameters
    ----------
    settings : RunSettings
        What to hear.
    parsed : argparse.Namespace
        How to show it.
    closing_words : str, default=""
        Said after the tables.

    Returns
    -------
    int
        The exit code.
    """
    from sourdine.local.run import Watch
    from sourdine.local.run import run as run_all
    from sourdine.local.summary import summary_json
    from sourdine.local.view import ProgressWatch, summary_text

    is_watched = sys.stderr.isatty() and not parsed.quiet
    with ProgressWatch() if is_watched else nullcontext(Watch()) as watch:
        summary = run_all(settings, watch)
    if parsed.json:
        say(summary_json(summary).decode())
    elif not parsed.quiet:
        say(summary_text(summary))
    for outcome in summary.outcomes:
        if outcome.refusal:
            say_aside(f"refused {outcome.item.name}: {outcome.refusal.reason}: {outcome.refusal.text}")
    if summary.interrupted:
        return EXIT_INTERRUPTED
    if not parsed.json and not parsed.quiet:
        say(closing_words)
    return EXIT_REFUSED if summary.ledger.n_refused else EXIT_OK


def add_arguments(parser: argparse.ArgumentParser, n_paths: str) -> None:
    """Add what `run` and `demo` take.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Of the command.
    n_paths : str
        How many paths there must be, as argparse says it.
    """
    paths = "files, folders (searched through), or - for raw PCM on standard input"
    parser.add_argument("paths", metavar="PATH", nargs=n_paths, help=paths)
    parser.add_argument("--policy", metavar="NAME|FILE", default="street", help="what may leave (default: street)")
    out = Path("sourdine-out")
    parser.add_argument("--out", metavar="DIR", type=Path, default=out, help=f"output folder (default: {out})")
    parser.add_argument("--start", metavar="TIME", help="UTC time of the first sample, like 2026-05-04T21:00:00Z")
    background = "a recording of the place on a usual day, to learn its background from first"
    parser.add_argument("--background", metavar="PATH", type=Path, help=background)
    add_manners(parser)
    add_pcm(parser)
