"""`sourdine key`: what sound, windows and states are sealed with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sourdine.cli.arguments import add_manners
from sourdine.cli.terminal import EXIT_OK, say

if TYPE_CHECKING:
    import argparse

_ACTIONS: Final = {
    "new": "make a key, in a new file that its owner alone may read",
    "rotate": "make a new key the current one, and keep the one before it to open what it sealed",
    "id": "print the ids of the keys in a file: hashes, the current key's first",
}


def add(commands: Any) -> None:
    """Add the command.

    Parameters
    ----------
    commands : object
        What argparse adds commands to.
    """
    key = commands.add_parser("key", help="what sound, windows and states are sealed with")
    actions = key.add_subparsers(dest="action", metavar="ACTION", required=True)
    for action, what in _ACTIONS.items():
        parser = actions.add_parser(action, help=what, description=f"{what[0].upper()}{what[1:]}.")
        parser.add_argument("file", metavar="FILE", type=Path, help="key file")
        add_manners(parser)
    key.set_defaults(run=run)


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
    from sourdine.keys import do

    ids = do(parsed.action, parsed.file)
    if parsed.json:
        say(json.dumps({"ids": ids}) + "\n")
    elif not parsed.quiet:
        say("".join(f"{one}\n" for one in ids))
    return EXIT_OK
