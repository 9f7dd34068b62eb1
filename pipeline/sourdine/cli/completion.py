"""`sourdine completion`: what the Tab key needs to know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sourdine.cli.arguments import one_of
from sourdine.cli.terminal import EXIT_OK, say

if TYPE_CHECKING:
    import argparse

_SHELLS: Final = ("bash", "zsh", "fish", "tcsh")

_WORDS: Final = """\
Print a script that completes commands, options and files with the Tab key.

  bash   sourdine completion bash > ~/.local/share/bash-completion/completions/sourdine
  zsh    sourdine completion zsh > "${fpath[1]}/_sourdine"
  fish   sourdine completion fish > ~/.config/fish/completions/sourdine.fish
  tcsh   sourdine completion tcsh > ~/.sourdine.csh, and source it in ~/.cshrc
"""


def add(commands: Any) -> None:
    """Add the command.

    Parameters
    ----------
    commands : object
        What argparse adds commands to.
    """
    parser = commands.add_parser("completion", help="print a script for the Tab key", description=_WORDS)
    shell = one_of(_SHELLS, "shell that can be completed")
    parser.add_argument("shell", metavar="SHELL", type=shell, help=", ".join(_SHELLS))
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
    import shtab

    from sourdine.cli.parser import build

    parser = build()
    _complete_paths(parser, {"PATH": shtab.FILE, "FILE": shtab.FILE, "NAME|FILE": shtab.FILE, "DIR": shtab.DIRECTORY})
    say(shtab.complete(parser, parsed.shell) + "\n")
    return EXIT_OK


def _complete_paths(parser: argparse.ArgumentParser, by_metavar: dict[str, Any]) -> None:
    """Say of every argument that is a file or folder that it is one."""
    for action in parser._actions:
        if action.metavar in by_metavar:
            action.complete = by_metavar[action.metavar]  # type: ignore[attr-defined]
        if isinstance(action.choices, dict):
            for command in action.choices.values():
                _complete_paths(command, by_metavar)
