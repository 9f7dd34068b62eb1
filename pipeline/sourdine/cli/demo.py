"""`sourdine demo`: a synthetic street, or recordings, go through the chain."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from sourdine.cli.run import add_arguments, hear, settings_of
from sourdine.cli.terminal import EXIT_WORDS, say

if TYPE_CHECKING:
    import argparse

_WORDS: Final = """\
Hear 90 s of a synthetic street, or recordings of your own. It is `sourdine run`, with more words.
"""


def add(commands: Any) -> None:
    """Add the command.

    Parameters
    ----------
    commands : object
        What argparse adds commands to.
    """
    parser = commands.add_parser(
        "demo", help="hear a synthetic street, or PATHs", description=_WORDS, epilog=EXIT_WORDS
    )
    add_arguments(parser, n_paths="*")
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
    from sourdine.local import demo

    settings = settings_of(parsed)
    if not parsed.paths:
        settings = replace(settings, paths=(demo.write_scene(settings.out),))
        if not (parsed.json or parsed.quiet):
            say(demo.OPENING_WORDS)
    return hear(settings, parsed, closing_words=demo.CLOSING_WORDS)
