"""`sourdine topics`: topics and rights at the Kafka broker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sourdine.cli.arguments import add_manners, need
from sourdine.cli.terminal import EXIT_OK, EXIT_REFUSED, say

if TYPE_CHECKING:
    import argparse

    from sourdine.agents.difference import Difference

_ACTIONS: Final = {
    "plan": "print what apply would do, and change nothing",
    "apply": "make topics, settings and rights as they should be",
    "check": "print one line for each thing that is not as it should be; exit 1 if there is one",
}

_WORDS: Final = """\
Topics, what is set for them, and who may do what with them: all as one file in the application says. The broker is
named by a TOML file:

  bootstrap = "kafka.example.org:9093"
  ca_file = "ca.pem"
  user = "admin"
  password_file = "admin.password"

Workers may make no topics, and what the file does not list is denied. A message in a sealed topic is on the broker's
disk for ten minutes at most.
"""

_EXIT_WORDS: Final = """\
exit codes: 0 all is well; 1 something is not as it should be; 2 wrong usage; 6 the broker cannot be reached; 7 it
refuses user, certificate or right; 5 internal error
"""


def add(commands: Any) -> None:
    """Add the command.

    Parameters
    ----------
    commands : object
        What argparse adds commands to.
    """
    topics = commands.add_parser("topics", help="topics and rights at the Kafka broker", description=_WORDS)
    actions = topics.add_subparsers(dest="action", metavar="ACTION", required=True)
    for action, what in _ACTIONS.items():
        description = f"{what[0].upper()}{what[1:]}."
        parser = actions.add_parser(action, help=what, description=description, epilog=_EXIT_WORDS)
        names = "file that names the broker (default: the one that the variable SOURDINE_KAFKA names)"
        parser.add_argument("--kafka", metavar="FILE", type=Path, help=names)
        add_manners(parser)
        parser.set_defaults(run=run)
    asyncapi = actions.add_parser("asyncapi", help="print the same as an AsyncAPI 3 document, without a broker")
    asyncapi.set_defaults(run=_print_asyncapi)


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
    need("topics", "kafka", "confluent_kafka")
    from sourdine.agents.admin import Admin
    from sourdine.agents.topics import apply, plan
    from sourdine.broker import load
    from sourdine.topics import layout

    admin = Admin(load(parsed.kafka))
    done: list[Difference] = []

    def made(one: Difference) -> None:
        """Say it at once: what comes next may fail."""
        done.append(one)
        if not (parsed.json or parsed.quiet):
            say(f"done: {one.remedy}\n")

    found = apply(admin, layout(), made) if parsed.action == "apply" else plan(admin, layout())
    if parsed.json:
        lines = {"made": [one.remedy for one in done], "found": [_facts(one) for one in found]}
        say(json.dumps(lines, indent=2) + "\n")
    elif not parsed.quiet:
        say("".join(f"{line}\n" for line in _lines(parsed.action, found)))
    return EXIT_REFUSED if found and parsed.action != "plan" else EXIT_OK


def _lines(action: str, found: list[Difference]) -> list[str]:
    lines = []
    for one in found:
        if action == "check":
            lines.append(one.found)
        elif one.change is None:
            lines.append(f"by hand: {one.found}: {one.remedy}")
        else:
            lines.append(f"would {one.remedy}" if action == "plan" else f"not seen yet: {one.found}")
    return lines or ["all is as it should be"]


def _facts(one: Difference) -> dict[str, Any]:
    return {"what": one.found, "remedy": one.remedy, "by_hand": one.change is None}


def _print_asyncapi(parsed: argparse.Namespace) -> int:
    from sourdine.asyncapi import document

    say(document())
    return EXIT_OK
