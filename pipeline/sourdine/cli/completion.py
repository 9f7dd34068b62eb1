"""`sourdine completion`: what the Tab key needs to know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sourdine.cli.arguments import one_of
from sourdine.cli.terminal import EXIT_OK, say

if TYPE_CHECKING:
    import argparse

_SHELLS: Final = ("bash", "zsh", "fish", "tcsh")

#: Words that stand where numbers or times may stand too.
_WORDS_OF: Final = {"N|mix": ("1", "2", "mix"), "N|mix|each": ("1", "2", "mix", "each"), "TIME|auto": ("auto",)}

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
    parser.add_argument("shell", metavar="SHELL", type=shell, choices=_SHELLS, help=", ".join(_SHELLS))
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
    from sourdine.policy import SHIPPED

    parser = build()
    places = {"PATH": shtab.FILE, "FILE": shtab.FILE, "DIR": shtab.DIRECTORY}
    _complete(parser, {**places, "NAME|FILE": _words_and_files(" ".join(SHIPPED))})
    say(shtab.complete(parser, parsed.shell) + "\n")
    return EXIT_OK


def _complete(parser: argparse.ArgumentParser, places: dict[str, Any]) -> None:
    """Say of every argument what can stand there, if it is a file or folder or a word."""
    for action in parser._actions:
        if action.metavar in places:
            action.complete = places[action.metavar]  # type: ignore[attr-defined]
        elif action.metavar in _WORDS_OF:
            action.choices = _WORDS_OF[action.metavar]
        if isinstance(action.choices, dict):
            for command in action.choices.values():
                _complete(command, places)


def _words_and_files(words: str) -> dict[str, Any]:
    """Say it to each shell in its own way; tcsh takes either words or files."""
    bash = f'_sourdine_words_and_files() {{ compgen -W "{words}" -- "$1"; compgen -f -- "$1"; }}'
    zsh = f"_sourdine_words_and_files() {{ _alternative 'words:word:({words})' 'files:file:_files' }}"
    return {
        "bash": "_sourdine_words_and_files",
        "zsh": "_sourdine_words_and_files",
        "fish": f"{words} (__fish_complete_path (commandline -ct))",
        "tcsh": f"({words})",
        "preamble": {"bash": bash, "zsh": zsh},
    }
