"""`sourdine run`: recordings or a pipe go through the chain."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sourdine.cli.arguments import add_calibration, add_channel, add_manners, add_pcm, need
from sourdine.cli.calibrate import load_calibration
from sourdine.cli.picture import draw_left
from sourdine.cli.policy import load_policy
from sourdine.cli.terminal import EXIT_INTERRUPTED, EXIT_OK, EXIT_REFUSED, EXIT_WORDS, say, say_aside
from sourdine.config import RunSettings, parse_jobs, parse_mark, parse_start, parse_zone
from sourdine.errors import ConfigError
from sourdine.pcm import parse_channel, parse_pcm

if TYPE_CHECKING:
    import argparse

#: Refusals that are printed; the report holds all of them.
_N_SHOWN: Final = 20

_WORDS: Final = """\
Hear recordings or a pipe, and write down what may leave.

  sourdine run street.wav                               one recording
  sourdine run archive/ --out results --start auto      thousands, with the times in their names
  sourdine run archive/ --out results --resume          go on after an interruption
  sourdine run day.wav --since 08:00:00 --until 09:00   a part of a long one

Folders are searched for WAV, FLAC, OGG, MP3, M4A, MP4 and AAC by their suffixes; what else they hold is counted. Each
file is a sensor of its own, numbered from 1 in sorted order. What leaves is written as CloudEvents, one a line,
into events.jsonl, levels.jsonl and health.jsonl of the output folder, with a report (report.md, report.json) and a
journal of the inputs that are done. Files of an earlier run are replaced, but for --resume.
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
    if from_pipe and (parsed.resume or parsed.start == "auto"):
        raise ConfigError("--resume and --start auto are for recordings, and - is a pipe")
    if from_pipe and parsed.channel == "each":
        raise ConfigError("--channel each is for recordings, and - is a pipe: choose a number, or mix")
    if parsed.zone is not None and parsed.start != "auto":
        raise ConfigError("--zone is for --start auto")
    if parsed.picture:
        need("pictures", "picture", "matplotlib")
    return RunSettings(
        paths=() if from_pipe else tuple(Path(path) for path in parsed.paths),
        out=parsed.out,
        policy=load_policy(parsed.policy),
        start_slot=0 if parsed.start in (None, "auto") else parse_start(parsed.start),
        background=parsed.background,
        pcm=parse_pcm(*raw) if from_pipe else None,
        zone=parse_zone(parsed.zone or "UTC") if parsed.start == "auto" else None,
        since=parse_mark("--since", parsed.since, is_start_known=parsed.start is not None),
        until=parse_mark("--until", parsed.until, is_start_known=parsed.start is not None),
        jobs=parse_jobs(parsed.jobs),
        resume=parsed.resume,
        calibration=load_calibration(parsed.calibration),
        channel=parse_channel(parsed.channel),
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
    from sourdine.local.progress import ProgressWatch
    from sourdine.local.report import MARKDOWN_NAME, report_json
    from sourdine.local.run import Watch
    from sourdine.local.run import run as run_all
    from sourdine.local.view import summary_text

    is_watched = sys.stderr.isatty() and not parsed.quiet
    with ProgressWatch() if is_watched else nullcontext(Watch()) as watch:
        summary = run_all(settings, watch)
    if parsed.picture:
        draw_left(settings)
    if parsed.json:
        say(report_json(summary).decode())
    elif not parsed.quiet:
        say(summary_text(summary))
    refused = [(outcome.item.name, outcome.refusal) for outcome in summary.outcomes if outcome.refusal]
    for name, refusal in refused[:_N_SHOWN]:
        say_aside(f"refused {name}: {refusal.reason}: {refusal.text}")
    if len(refused) > _N_SHOWN:
        say_aside(f"and {len(refused) - _N_SHOWN:,} more, in {settings.out / MARKDOWN_NAME}")
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
    add_channel(parser, may_be_each=True)
    start = "UTC time of the first sample, like 2026-05-04T21:00:00Z, or auto: the time in each file's name or header"
    parser.add_argument("--start", metavar="TIME|auto", help=start)
    parser.add_argument("--zone", metavar="NAME", help="time zone of the times in names (default: UTC)")
    moment = "UTC time, or HH:MM:SS, MM:SS or seconds from the first sample"
    parser.add_argument("--since", metavar="TIME", help=f"hear nothing before: {moment}")
    parser.add_argument("--until", metavar="TIME", help="hear nothing from there on: as --since")
    parser.add_argument("--jobs", metavar="N", help="recordings heard side by side (default: one a processor)")
    parser.add_argument("--resume", action="store_true", help="go on with an interrupted run into the same folder")
    background = "a recording of the place on a usual day, to learn its background from first"
    parser.add_argument("--background", metavar="PATH", type=Path, help=background)
    parser.add_argument("--picture", action="store_true", help="draw what left, from the records alone, as picture.png")
    add_calibration(parser, "a sensor's file of `sourdine calibrate`, for every input")
    add_manners(parser)
    add_pcm(parser)
