"""`sourdine gateway`: the live streams of a street go through the chain, and on to Kafka."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sourdine.cli.arguments import need
from sourdine.cli.terminal import EXIT_OK, say_aside

if TYPE_CHECKING:
    import argparse

    from sourdine.live.ear import Ear

_WORDS: Final = """\
Hear the live streams of a street, by the clock, and send what may leave to Kafka. A TOML file says what and where:

  placement = "cluster"       # describe here, decide in workers; "gateway": decide here, send records alone; "relay":
                              # only seal the sound, and let workers do the rest
  kafka = "gateway.toml"      # file that names the broker, as for sourdine topics
  key = "zone.key"            # of sourdine key new
  state = "state"             # folder of sealed states, and of records that wait for the broker
  policy = "street"

  [[streams]]
  sensor = 17
  kind = "pipe"               # a named pipe of raw PCM
  path = "17.pcm"
  rate = 48000                # also: format, channels, channel, and calibration, a file of sourdine calibrate

  [[streams]]
  sensor = 18
  kind = "tcp"                # raw PCM over a connection to 127.0.0.1, port 7018
  port = 7018
  rate = 16000

  [[streams]]
  sensor = 19
  kind = "file"               # a recording, heard as if it happened now
  path = "street.wav"

While the broker is away, records wait on the disk for up to a day; windows are dropped and counted. SIGTERM ends it in
order, within 5 s.
"""

_EXIT_WORDS: Final = """\
exit codes: 0 stopped; 2 wrong usage or settings; 3 the policy does not stand; 4 states cannot be written; 7 the
broker refuses user, certificate or right, or a topic is not as it must be; 5 internal error
"""


def add(commands: Any) -> None:
    """Add the command.

    Parameters
    ----------
    commands : object
        What argparse adds commands to.
    """
    words = "hear the live streams of a street, and send to Kafka"
    parser = commands.add_parser("gateway", help=words, description=_WORDS, epilog=_EXIT_WORDS)
    parser.add_argument("settings", metavar="FILE", type=Path, help="what to hear and where to send, in TOML")
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
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
    need("gateways", "kafka", "aiokafka", "confluent_kafka")
    from sourdine.agents.preflight import require
    from sourdine.errors import TransportError
    from sourdine.gateway.gateway import GUARANTEES
    from sourdine.gateway.gateway import run as run_gateway
    from sourdine.gateway.settings import load
    from sourdine.local.interrupt import Stop
    from sourdine.topics import layout

    settings = load(parsed.settings, today=datetime.now(UTC).date())
    ear = _ear(quiet=parsed.quiet)
    for line in GUARANTEES[settings.placement]:
        ear.note(line)
    is_relay, rate = settings.placement == "relay", settings.policy.capacity.bit_per_s
    words = "" if is_relay else f"policy {settings.policy.core.name}: at most {rate:.3f} bit/s a sensor; "
    ear.note(f"{words}{len(settings.streams)} streams")
    try:
        require(settings.broker, layout(), "sensor" if is_relay else "gateway")
    except TransportError as error:
        ear.note(f"{error}; until then {'blocks wait in memory' if is_relay else 'records wait on the disk'}")
    with Stop() as stop:
        ledger = run_gateway(settings, ear, lambda: stop.requested)
    left = f"; left {ledger.n_events} events, {ledger.n_levels} levels, {ledger.n_health} states"
    ear.note("stopped" if is_relay else f"stopped{left}")
    return EXIT_OK


def _ear(*, quiet: bool) -> Ear:
    from sourdine.live.ear import Ear

    class Terminal(Ear):
        """Says on standard error what happens to streams and broker."""

        def note(self, text: str) -> None:
            if not quiet:
                say_aside(f"{datetime.now(UTC):%H:%M:%S} {text}")

    return Terminal()
