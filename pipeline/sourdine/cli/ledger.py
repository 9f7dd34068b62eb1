"""`sourdine ledger`: what sensors say they sent against what the workers counted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sourdine.cli.arguments import need
from sourdine.cli.terminal import EXIT_OK, EXIT_REFUSED, say

if TYPE_CHECKING:
    import argparse

_WORDS: Final = """\
In placement relay every block of sound ends in exactly one counted state: processed, rejected, late, duplicate or
gap. A sensor writes what it offered, sent and dropped into the file sent.json of its folder of states; the workers
that describe write the fates to Kafka. This compares the two, by code that neither of them uses:

  sourdine ledger /var/lib/sourdine/*/sent.json --kafka console.toml

It prints one line for each thing that does not add up, and then the totals. What workers counted is written some 15 s
later: look when the sensors have stopped for so long.
"""

_EXIT_WORDS: Final = """\
exit codes: 0 all adds up; 1 something does not; 2 wrong usage; 6 the broker cannot be reached; 7 it refuses user,
certificate or right; 5 internal error
"""


def add(commands: Any) -> None:
    """Add the command.

    Parameters
    ----------
    commands : object
        What argparse adds commands to.
    """
    words = "compare what sensors sent with what workers counted"
    parser = commands.add_parser("ledger", help=words, description=_WORDS, epilog=_EXIT_WORDS)
    parser.add_argument("sent", metavar="FILE", type=Path, nargs="+", help="sent.json of a sensor that only seals")
    names = "file that names the broker (default: the one that the variable SOURDINE_KAFKA names)"
    parser.add_argument("--kafka", metavar="FILE", type=Path, help=names)
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
    need("the ledger", "kafka", "confluent_kafka")
    from sourdine.agents.ledger_reader import LEDGER, read
    from sourdine.broker import load
    from sourdine.reckoning import differences, totals
    from sourdine.topics import layout

    sent: dict[int, dict[str, int]] = {}
    for path in parsed.sent:
        sent |= _sent(path)
    counted, n_foreign = read(load(parsed.kafka), layout())
    found = differences(sent, counted)
    if n_foreign:
        found.append(f"{n_foreign} messages in {LEDGER} are no worker's counts: someone else writes there")
    words = ", ".join(f"{number} {state}" for state, number in totals(counted).items())
    n_offered = sum(one["offered"] for one in sent.values())
    say("".join(f"{line}\n" for line in (*found, f"{len(sent)} sensors, {n_offered} blocks offered: {words}")))
    return EXIT_REFUSED if found else EXIT_OK


def _sent(path: Path) -> dict[int, dict[str, int]]:
    import json

    from sourdine.errors import ConfigError, printable

    shown = printable(str(path))
    try:
        found = json.loads(path.read_bytes())
        return {int(sensor): _numbers(counts) for sensor, counts in found.items()}
    except OSError as error:
        raise ConfigError(f"{shown}: {error.strerror}") from None
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        raise ConfigError(f"{shown}: expected a sensor's sent.json") from None


def _numbers(counts: dict[str, Any]) -> dict[str, int]:
    found = {name: counts[name] for name in ("offered", "sent", "dropped")}
    if any(type(number) is not int for number in found.values()):
        raise TypeError
    return found
