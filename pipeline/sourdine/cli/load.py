"""`sourdine load`: a city's worth of sensors that are not there, to see what broker and workers carry."""

from __future__ import annotations

import argparse
import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sourdine.cli.arguments import add_manners, need, one_of
from sourdine.cli.terminal import EXIT_INTERRUPTED, EXIT_OK, say, say_aside

if TYPE_CHECKING:
    from sourdine.load.load import LoadSettings, Pace
    from sourdine.load.sender import Sender

_WORDS: Final = """\
Send what the gateways of a city would send, to see what the broker and the workers carry: sealed windows around alarms
(placement cluster), or every second of sound, sealed (placement relay). Each sensor hears an ambience with clips laid
over it, computed ones or your own; the same seed gives the same. Never point it at a city that hears real streets: its
sensors would tell of what did not happen.
"""

_EXIT_WORDS: Final = """\
exit codes: 0 all sent; 2 wrong usage or settings; 3 the policy does not stand; 4 a file cannot be written; 6 the broker
cannot be reached; 7 it refuses user, certificate or right, or a topic is not as it must be; 5 internal error; 130
stopped before its end
"""

_SPAN: Final = re.compile(r"([1-9][0-9]{0,5})(s|m|h)")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}
_PLACEMENTS: Final = ("cluster", "relay")
#: Time to get ready in, before the first second of sound.
_READY_S: Final = 2


def add(commands: Any) -> None:
    """Add the command.

    Parameters
    ----------
    commands : object
        What argparse adds commands to.
    """
    what = "send what a city of N sensors would send, to see what is carried"
    parser = commands.add_parser("load", help=what, description=_WORDS, epilog=_EXIT_WORDS)
    parser.add_argument("--key", metavar="FILE", type=Path, required=True, help="the zone's key")
    broker = "file that names the broker (default: the one that the variable SOURDINE_KAFKA names)"
    parser.add_argument("--kafka", metavar="FILE", type=Path, help=broker)
    placement = one_of(_PLACEMENTS, "placement of a load")
    words = "cluster (sealed windows; default) or relay (sealed sound)"
    parser.add_argument("--placement", type=placement, choices=_PLACEMENTS, default="cluster", help=words)
    parser.add_argument("--policy", metavar="NAME|FILE", default="street", help="what may leave (default: street)")
    size = parser.add_argument_group("how much")
    size.add_argument("--sensors", metavar="N", type=int, default=100, help="how many sensors (default: 100)")
    size.add_argument("--first-sensor", metavar="N", type=int, default=1, help="number of the first (default: 1)")
    size.add_argument(
        "--alarms-per-minute", metavar="X", type=float, default=1.0, help="of each, up to 20 (default: 1)"
    )
    size.add_argument("--for", dest="span", metavar="5m", type=_seconds, default=60, help="how long (default: 1m)")
    size.add_argument("--flat-out", action="store_true", help="as fast as it goes, and not by the clock; up to 90s")
    sound = parser.add_argument_group("what they hear")
    sound.add_argument("--seed", metavar="N", type=int, default=1, help="another gives other alarms (default: 1)")
    folder = "folder with a folder for each class of clips, and street_ambience (default: computed sounds)"
    sound.add_argument("--recordings", metavar="FOLDER", type=Path, help=folder)
    out = parser.add_argument_group("what is written")
    out.add_argument("--ledger", metavar="FILE", type=Path, help="what was sent: sensor, boot, first and last sequence")
    records = (
        "what one process gives for the same sound, where the workers know the sensors: events, in relay all records"
    )
    out.add_argument("--expect", metavar="FILE", type=Path, help=records)
    add_manners(parser)
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
    need("loads", "load", "confluent_kafka")
    if parsed.recordings:
        need("loads of recordings", "load", "soundfile")
    from sourdine.agents.preflight import require
    from sourdine.broker import load as load_broker
    from sourdine.files import replace_file
    from sourdine.keys import sealer
    from sourdine.load import load, sounds
    from sourdine.load.sender import Sender
    from sourdine.local.interrupt import Stop
    from sourdine.policy import load as load_policy
    from sourdine.topics import layout

    settings = _settings(parsed)
    heard = sounds.recorded(parsed.recordings) if parsed.recordings else sounds.synthetic()
    zone, policy = sealer(parsed.key), load_policy(parsed.policy, today=datetime.now(UTC).date()).core
    broker = load_broker(parsed.kafka)
    require(broker, layout(), "gateway" if settings.placement == "cluster" else "sensor")
    for path in (parsed.ledger, parsed.expect):
        if path:
            replace_file(path, b"")  # better said now than after an hour
    settings = _settings(parsed)  # the clock went on
    sender = Sender(broker, load.TOPICS[settings.placement])
    with Stop() as stop:
        pace = load.run(settings, heard, zone, policy, sender, lambda: stop.requested)
    if parsed.ledger:
        replace_file(parsed.ledger, sender.ledger())
    if parsed.expect and pace.is_whole:
        records = load.expected(settings, heard, zone, policy)
        replace_file(parsed.expect, b"".join(record + b"\n" for record in records))
    _report(parsed, settings, sender, pace)
    return EXIT_OK if pace.is_whole else EXIT_INTERRUPTED


def _settings(parsed: argparse.Namespace) -> LoadSettings:
    from sourdine.load.load import LoadSettings

    now = int(time.time())
    settings = LoadSettings(
        placement=parsed.placement,
        sensors=range(parsed.first_sensor, parsed.first_sensor + max(0, parsed.sensors)),
        alarms_per_minute=parsed.alarms_per_minute,
        n_seconds=parsed.span,
        seed=parsed.seed,
        is_paced=not parsed.flat_out,
        start_slot=now - parsed.span if parsed.flat_out else now + _READY_S,
    )
    settings.check()
    return settings


def _report(parsed: argparse.Namespace, settings: LoadSettings, sender: Sender, pace: Pace) -> None:
    per_s = sender.n_sent / max(pace.took_s, 1e-9)
    facts = {
        "topic": sender.topic,
        "n_sensors": len(settings.sensors),
        "n_sent": sender.n_sent,
        "n_bytes": sender.n_bytes,
        "start_slot": settings.start_slot,
        "took_s": round(pace.took_s, 3),
        "per_s": round(per_s, 1),
        "behind_s": round(pace.behind_s, 3),
    }
    if parsed.json:
        say(json.dumps(facts) + "\n")
    elif not parsed.quiet:
        words = f"{sender.n_sent} messages of {len(settings.sensors)} sensors to {sender.topic} in {pace.took_s:.1f} s"
        say_aside(f"{words}: {per_s:.0f} a second, at most {pace.behind_s:.1f} s behind the clock")
        for name in ("ledger", "expect"):
            if getattr(parsed, name):
                say_aside(f"{name}: {getattr(parsed, name)}")


def _seconds(word: str) -> int:
    match = _SPAN.fullmatch(word)
    if match is None:
        raise argparse.ArgumentTypeError(f"expected a time such as 90s, 5m or 1h, got {word}")
    return int(match[1]) * _SECONDS[match[2]]
