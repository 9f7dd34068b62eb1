"""`sourdine worker`: one stage of the chain as a consumer of Kafka topics."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

from sourdine.cli.arguments import add_metrics, need, need_metrics, one_of

if TYPE_CHECKING:
    import argparse

_WORDS: Final = """\
Run one stage of the chain in the datacentre: read its topic, call the stage, send what comes of it.

  sourdine worker --stage describe --kafka describe.toml --key zone.key --calibration calibrations
  sourdine worker --stage classify --kafka classify.toml --key zone.key
  sourdine worker --stage gate --instance gate-2 --kafka gate.toml --key zone.key --calibration calibrations

Start as many of each stage as you like, each with an --instance of its own; they share the sensors among them, and
another takes over within seconds when one is lost. What one had not written down is read again: nothing is lost, and
nothing leaves twice with other bytes. `faust -A sourdine.agents.app worker` is the same with SOURDINE_STAGE and so on.
"""

_EXIT_WORDS: Final = """\
exit codes: 0 ended by SIGTERM or Ctrl-C; 2 wrong usage; 3 policy unusable; 6 the broker cannot be reached; 7 it refuses
user, certificate or right, a topic is not as it must be, or a clock is wrong; 8 a message could not be sent; 9 a fault
of ours; 10 nothing moved for 15 s; 11 messages waited and none was taken for 15 s; 12 another worker has the same
name; 13 told to end, it was not done within 5 s
"""
_STAGES: Final = ("describe", "classify", "gate")


def add(commands: Any) -> None:
    """Add the command.

    Parameters
    ----------
    commands : object
        What argparse adds commands to.
    """
    words = "run one stage on Kafka topics"
    parser = commands.add_parser("worker", help=words, description=_WORDS, epilog=_EXIT_WORDS)
    stage = one_of(_STAGES, "stage")
    parser.add_argument("--stage", metavar="NAME", type=stage, required=True, help="stage: describe, classify or gate")
    name = "name in the group of the stage, the same after every restart (default: STAGE-1)"
    parser.add_argument("--instance", metavar="NAME", help=name)
    broker = "file that names the broker (default: the one that the variable SOURDINE_KAFKA names)"
    parser.add_argument("--kafka", metavar="FILE", help=broker)
    parser.add_argument("--key", metavar="FILE", required=True, help="the zone's key")
    parser.add_argument("--policy", metavar="NAME|FILE", default="street", help="what may leave (default: street)")
    folder = "folder of the sensors' calibrations; without one levels are dBFS"
    parser.add_argument("--calibration", metavar="DIR", help=folder)
    add_metrics(parser)
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
        Never: Faust takes the process over.
    """
    need("workers", "kafka", "faust", "confluent_kafka")
    need_metrics(parsed)
    from sourdine.agents.settings import VARIABLES

    given = {VARIABLES[name]: getattr(parsed, name) for name in VARIABLES}
    os.environ |= {name: value for name, value in given.items() if value is not None}
    sys.stderr.flush()
    command = ["-m", "faust", "--quiet", "-A", "sourdine.agents.app", "worker"]
    os.execv(sys.executable, [sys.executable, *command])
