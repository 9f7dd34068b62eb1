"""What can be typed: the whole command line, as one parser."""

from __future__ import annotations

from typing import Final

from sourdine import __version__
from sourdine.cli import (
    calibrate,
    completion,
    demo,
    gateway,
    key,
    ledger,
    listen,
    load,
    picture,
    policy,
    run,
    sink,
    topics,
    worker,
)
from sourdine.cli.arguments import Parser
from sourdine.cli.terminal import EXIT_WORDS

_PURPOSE: Final = "Sourdine hears what happens in a street and passes nothing on of what is said there."

_EXAMPLES: Final = """\
for instance:
  sourdine demo                  hear 90 s of a synthetic street
  sourdine run recording.wav     hear recordings of your own: files or folders
  arecord -t raw -f S16_LE -r 48000 | sourdine listen - --rate 48000
                                 hear a microphone, live
  sourdine picture recording.wav what went in and what left, drawn
  sourdine policy show street    what may leave, in words and in bits

Events, levels and sensor states are written into sourdine-out/ as JSON lines.
sourdine COMMAND --help says more.
"""

#: In the order in which a newcomer meets them.
_COMMANDS: Final = (
    *(demo, run, listen, picture, calibrate, policy, key),
    *(topics, gateway, worker, sink, ledger, load, completion),
)


def lesson() -> str:
    """Return what is said to someone who typed nothing but `sourdine`."""
    return f"{_PURPOSE}\n\n{_EXAMPLES}"


def build() -> Parser:
    """Return the parser of the whole command line."""
    parser = Parser(
        prog="sourdine",
        description=_PURPOSE,
        epilog=f"{_EXAMPLES}\n{EXIT_WORDS}",
    )
    parser.add_argument("--version", action="version", version=f"sourdine {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for module in _COMMANDS:
        module.add(commands)
    return parser
