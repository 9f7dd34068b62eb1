"""`sourdine gateway`: the live streams of a street go through the chain, and on to Kafka."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sourdine.cli.arguments import add_metrics, need, need_metrics, taken_port
from sourdine.cli.terminal import EXIT_OK, say

if TYPE_CHECKING:
    import argparse
    import socket
    from collections.abc import Callable, Coroutine

    from sourdine.broker import BrokerSettings
    from sourdine.gateway.gateway import Gateway
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
broker refuses user, certificate or right, a topic is not as it must be, or a clock is wrong; 10 nothing moved for 15 s;
13 told to end, it was not done within 5 s; 5 internal error
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
    parser.add_argument("--quiet", action="store_true", help="tell of nothing but errors")
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
        The exit code.
    """
    need("gateways", "kafka", "aiokafka", "confluent_kafka")
    need_metrics(parsed)
    from sourdine.errors import TransportError
    from sourdine.gateway.gateway import GUARANTEES
    from sourdine.gateway.gateway import run as run_gateway
    from sourdine.gateway.settings import load
    from sourdine.local.interrupt import Stop
    from sourdine.operations.ending import end_by
    from sourdine.operations.foreign import take_over
    from sourdine.operations.lines import Name
    from sourdine.operations.told import Told

    settings = load(parsed.settings, today=datetime.now(UTC).date())
    taken = taken_port(parsed.metrics)
    ear = _ear(quiet=parsed.quiet)
    is_relay = settings.placement == "relay"
    if not parsed.quiet:
        rate = settings.policy.capacity.bit_per_s
        policy = "" if is_relay else f"policy {settings.policy.core.name}: at most {rate:.3f} bit/s a sensor; "
        words = f"{policy}{len(settings.streams)} streams"
        say("".join(f"{line}\n" for line in (*GUARANTEES[settings.placement], words)))
    try:
        _check(settings.broker, "sensor" if is_relay else "gateway")
    except TransportError as error:
        ear.note(Told.BROKER_AWAY, str(error))
    take_over()
    ear.note(Told.STARTED, "", placement=Name(settings.placement), n=len(settings.streams))
    with Stop(then=end_by) as stop:
        pages = [] if taken is None else [_pages(taken, lambda: stop.requested)]
        ledger = run_gateway(settings, ear, lambda: stop.requested, pages)
    left = {"n_events": ledger.n_events, "n_levels": ledger.n_levels, "n_health": ledger.n_health}
    ear.note(Told.STOPPED, "", **({} if is_relay else left))
    return EXIT_OK


def _check(broker: BrokerSettings, principal: str) -> None:
    from sourdine.agents.preflight import check_clock, require
    from sourdine.topics import layout

    require(broker, layout(), principal)
    if principal == "gateway":  # a sensor may write sound alone; its blocks are refused if its clock is wrong
        check_clock(broker)


def _pages(taken: socket.socket, is_stopping: Callable[[], bool]) -> Callable[[Gateway], Coroutine[Any, Any, None]]:
    import sourdine
    from sourdine.gateway.shown import ShownGateway
    from sourdine.operations.page import Pages

    def start(gateway: Gateway) -> Coroutine[Any, Any, None]:
        shown, version = ShownGateway(gateway, is_stopping), sourdine.__version__
        return Pages(taken, shown, kind="gateway", service="gateway", version=version).start()

    return start


def _ear(*, quiet: bool) -> Ear:
    from sourdine.live.ear import Ear
    from sourdine.operations.lines import Fact, tell
    from sourdine.operations.told import MEANINGS, Level, Told

    class Log(Ear):
        """Tells what happens to streams and broker, without the words for a person."""

        def note(self, told: Told, text: str, **facts: Fact) -> None:
            if not quiet or MEANINGS[told][0] is Level.ERROR:
                tell(told, **facts)

    return Log()
