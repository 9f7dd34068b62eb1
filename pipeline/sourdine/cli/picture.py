"""`sourdine picture`: what went in and what left, of one's own recording, at a glance."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sourdine.cli.arguments import add_calibration, add_channel, add_manners, need
from sourdine.cli.calibrate import load_calibration
from sourdine.cli.policy import load_policy
from sourdine.cli.terminal import EXIT_INTERRUPTED, EXIT_OK, EXIT_REFUSED, EXIT_WORDS, say, say_aside
from sourdine.config import RunSettings, parse_mark
from sourdine.errors import ConfigError, printable
from sourdine.pcm import parse_channel

if TYPE_CHECKING:
    import argparse

    from sourdine.evidence.picture import Evidence
    from sourdine.local.summary import Summary

_WORDS: Final = """\
Draw one recording of your own: in grey and hatched all of the sound, which does not leave; in colour the few records
that do.

  sourdine picture street.wav                                 FILE.picture.png and FILE.picture.html, here
  sourdine picture day.wav --since 08:00:00 --until 08:10:00  a part of a long one

The records are those of `sourdine run` over the same part. The picture is made from the recording and can reveal it,
for words can be rebuilt from a spectrogram: treat it like the recording. So it is written into the current folder and
not into that of what may leave, and only you may read it. There are no pictures of live sound.
"""


def add(commands: Any) -> None:
    """Add the command.

    Parameters
    ----------
    commands : object
        What argparse adds commands to.
    """
    what = "draw what went in and what left, of a recording of your own"
    parser = commands.add_parser("picture", help=what, description=_WORDS, epilog=EXIT_WORDS)
    parser.add_argument("file", metavar="FILE", help="a recording")
    parser.add_argument("--policy", metavar="NAME|FILE", default="street", help="what may leave (default: street)")
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path(), help="folder (default: the current one)")
    moment = "HH:MM:SS, MM:SS or seconds from the first sample"
    parser.add_argument("--since", metavar="TIME", help=f"hear nothing before: {moment}")
    parser.add_argument("--until", metavar="TIME", help="hear nothing from there on: as --since")
    add_channel(parser)
    add_calibration(parser, "the sensor's file of `sourdine calibrate`")
    add_manners(parser)
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
    need("pictures", "picture", "matplotlib", "soundfile")
    from sourdine.evidence.picture import Evidence, gather, refuse_other_than_recording
    from sourdine.local.progress import ProgressWatch
    from sourdine.local.run import Watch

    settings = RunSettings(
        paths=(refuse_other_than_recording(parsed.file),),
        out=parsed.out,
        policy=load_policy(parsed.policy),
        since=parse_mark("--since", parsed.since, is_start_known=False),
        until=parse_mark("--until", parsed.until, is_start_known=False),
        calibration=load_calibration(parsed.calibration),
        channel=parse_channel(parsed.channel, may_be_each=False),
    )
    is_watched = sys.stderr.isatty() and not parsed.quiet
    with ProgressWatch() if is_watched else nullcontext(Watch()) as watch:
        heard = gather(settings, watch)
    return _write(heard, parsed) if isinstance(heard, Evidence) else _say_why_not(heard)


def draw_left(settings: RunSettings) -> None:
    """Draw what a run has released, from its files alone.

    Parameters
    ----------
    settings : RunSettings
        Of the run; the picture is written beside its files.
    """
    from sourdine.evidence.timeline import draw_run

    draw_run(settings.out, settings.policy.core)


def _write(evidence: Evidence, parsed: argparse.Namespace) -> int:
    import orjson

    from sourdine.evidence.page import write_page
    from sourdine.evidence.picture import WARNING, evidence_facts
    from sourdine.evidence.sheet import draw_sheet
    from sourdine.evidence.words import GROUP, headline
    from sourdine.files import PRIVATE, replace_file

    png_path, html_path = (parsed.out / f"{Path(parsed.file).name}.picture.{kind}" for kind in ("png", "html"))
    png = draw_sheet(evidence)
    replace_file(png_path, png, PRIVATE)
    replace_file(html_path, write_page(evidence, png), PRIVATE)
    shown = printable(str(png_path)), printable(str(html_path))
    if parsed.json:
        facts = {"png": shown[0], "html": shown[1], **evidence_facts(evidence)}
        say(orjson.dumps(facts, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode())
    elif not parsed.quiet:
        say("".join(f"{line}\n" for line in (headline(evidence).replace(GROUP, " "), *shown, WARNING)))
    return EXIT_OK


def _say_why_not(summary: Summary) -> int:
    if summary.interrupted:
        return EXIT_INTERRUPTED
    (outcome,) = summary.outcomes
    if outcome.refusal is None:
        raise ConfigError("--since, --until: expected a part of the recording, which has no sound there")
    say_aside(f"refused {outcome.item.name}: {outcome.refusal.reason}: {outcome.refusal.text}")
    return EXIT_REFUSED
