"""How arguments are parsed: what is wrong is said in one line, with what was probably meant and where to read on."""

from __future__ import annotations

import argparse
import sys
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from sourdine.errors import ConfigError
from sourdine.pcm import PCM_ENCODINGS

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable, Sequence


class Parser(argparse.ArgumentParser):
    """Refuses in one line: what was wrong, what was probably meant, where to read on."""

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **settings)
        self._commands: dict[str, Any] = {}

    def add_subparsers(self, **settings: Any) -> Any:
        """Add commands, and remember their names.

        Parameters
        ----------
        **settings : object
            As argparse takes them.

        Returns
        -------
        object
            What commands are added to.
        """
        commands = super().add_subparsers(parser_class=Parser, **settings)
        self._commands = commands.choices
        return commands

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Parse arguments, and refuse here what only the main command would refuse.

        Parameters
        ----------
        args : sequence of str or None, default=None
            What was typed.
        namespace : argparse.Namespace or None, default=None
            Where to put it.

        Returns
        -------
        tuple
            The namespace, and nothing left.
        """
        words = sys.argv[1:] if args is None else list(args)
        command = next((word for word in words if not word.startswith("-")), None)
        if self._commands and command is not None and command not in self._commands:
            self.error(f"unknown command {command}{meant(command, self._commands)}")
        parsed, unknown = super().parse_known_args(words, namespace)
        if unknown:
            word = unknown[0].partition("=")[0]
            kind = "option" if word.startswith("-") else "argument"
            self.error(f"unknown {kind} {word}{meant(word, self._option_string_actions)}")
        return parsed, unknown

    def error(self, message: str) -> NoReturn:
        """Leave with exit code 2.

        Parameters
        ----------
        message : str
            What was wrong.
        """
        line = "".join(sign if sign.isprintable() else " " for sign in message)
        self.exit(2, f"{self.prog}: {line} ({self.prog} --help says more)\n")


def meant(word: str, names: Iterable[str]) -> str:
    """Return a question that names what was probably meant.

    Parameters
    ----------
    word : str
        What was typed.
    names : iterable of str
        What could have been.

    Returns
    -------
    str
        Empty if nothing is near.
    """
    near = get_close_matches(word, list(names), n=1)
    return f": did you mean {near[0]}?" if near else ""


def one_of(names: Sequence[str], what: str) -> Callable[[str], str]:
    """Return the type of an argument that is one of a few words.

    Parameters
    ----------
    names : sequence of str
        The words.
    what : str
        What they are.

    Returns
    -------
    callable
        For ``type=``.
    """

    def check(word: str) -> str:
        if word in names:
            return word
        raise argparse.ArgumentTypeError(f"{word} is no {what}{meant(word, names) or '.'} Known: {', '.join(names)}")

    return check


def _whole(word: str) -> int:
    try:
        return int(word)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a whole number, got {word}") from None


def add_manners(parser: argparse.ArgumentParser) -> None:
    """Add what every command takes.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Of the command.
    """
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors and what --json asks for")


def add_pcm(parser: argparse.ArgumentParser) -> None:
    """Add what says how raw PCM is laid out.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Of the command.
    """
    raw = parser.add_argument_group("raw PCM")
    raw.add_argument("--rate", metavar="HZ", type=_whole, help="sample rate, 8000 to 192000")
    encoding = one_of(PCM_ENCODINGS, "encoding")
    encodings = f"encoding: {', '.join(PCM_ENCODINGS)} (default: s16le)"
    raw.add_argument("--format", metavar="NAME", type=encoding, choices=PCM_ENCODINGS, help=encodings)
    raw.add_argument("--channels", metavar="N", type=_whole, help="interleaved channels (default: 1)")


def add_channel(parser: argparse.ArgumentParser, *, may_be_each: bool = False) -> None:
    """Add what says which channel is heard.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Of the command.
    may_be_each : bool, default=False
        Whether several channels of one source can be heard.
    """
    words = "channel to hear: a number, or mix (the mean of all; default: 1)"
    if may_be_each:
        words = "channel to hear: a number, mix (the mean of all), or each (a sensor a channel; default: 1)"
    parser.add_argument("--channel", metavar=f"N|mix{'|each' * may_be_each}", default="1", help=words)


def add_calibration(parser: argparse.ArgumentParser, words: str) -> None:
    """Add what says what full scale is.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Of the command.
    words : str
        What it may be, and what it is for.
    """
    parser.add_argument("--calibration", metavar="FILE", type=Path, help=f"{words}; without it levels are dBFS")


def add_metrics(parser: argparse.ArgumentParser) -> None:
    """Add the option of services that show how they fare.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Of the command.
    """
    words = "show /metrics, /live and /ready at a port of this machine, or at an address (default: nowhere)"
    parser.add_argument("--metrics", metavar="[ADDRESS:]PORT", help=words)


def need_metrics(parsed: argparse.Namespace) -> None:
    """Look whether what that option needs is installed.

    Parameters
    ----------
    parsed : argparse.Namespace
        What was typed.
    """
    if parsed.metrics is not None:
        need("metrics", "metrics", "aiohttp", "prometheus_client")


def taken_port(address: str | None) -> socket.socket | None:
    """Take the port that the option names, before anything is started.

    Parameters
    ----------
    address : str or None
        As typed; None for no pages.

    Returns
    -------
    socket.socket or None
        For the pages.
    """
    if address is None:
        return None
    from sourdine.operations.page import listen

    return listen(address)


def need(what: str, extra: str, *modules: str) -> None:
    """Look whether what a command needs beside the application is installed.

    Parameters
    ----------
    what : str
        Who needs it, in the plural.
    extra : str
        Name under which pip installs it.
    *modules : str
        Names of modules.

    Raises
    ------
    ConfigError
        If one is not.
    """
    absent = [module for module in modules if find_spec(module) is None]
    if absent:
        raise ConfigError(f"{what} need {' and '.join(absent)}: pip install 'sourdine[{extra}]'")
