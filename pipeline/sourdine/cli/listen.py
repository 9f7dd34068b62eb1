"""`sourdine listen`: live sound goes through the chain, by the clock."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sourdine.cli.arguments import add_calibration, add_channel, add_manners, add_pcm
from sourdine.cli.calibrate import load_calibration
from sourdine.cli.policy import load_policy
from sourdine.cli.terminal import EXIT_OK, LIVE_EXIT_WORDS, say, say_aside
from sourdine.config import ListenSettings, parse_sensor
from sourdine.errors import ConfigError
from sourdine.pcm import parse_channel, parse_pcm

if TYPE_CHECKING:
    import argparse

    from sourdine.live.ear import Ear

_WORDS: Final = """\
Hear live sound, by the clock, and write down what may leave.

  a microphone       arecord -t raw -f S16_LE -r 48000 -c 1 | sourdine listen - --rate 48000
  a camera's sound   ffmpeg -loglevel error -i rtsp://HOST/PATH -vn -ac 1 -ar 48000 -f s16le - |
                       sourdine listen - --rate 48000
  the network        nc -l 127.0.0.1 7000 | sourdine listen - --rate 48000
  a named pipe       mkfifo /run/street.pcm, then: sourdine listen /run/street.pcm --rate 48000
                       and it waits for the next writer whenever one has gone

What leaves is appended to events.jsonl, levels.jsonl and health.jsonl of the output folder. The state (budgets, open
periods, the learnt background) lies beside them, sealed, so that a restart goes on; without it no event leaves until
the clock hour is over.
"""


def add(commands: Any) -> None:
    """Add the command.

    Parameters
    ----------
    commands : object
        What argparse adds commands to.
    """
    words = "hear live sound, by the clock"
    parser = commands.add_parser("listen", help=words, description=_WORDS, epilog=LIVE_EXIT_WORDS)
    parser.add_argument("path", metavar="PATH", help="- for standard input, or a named pipe or socket of raw PCM")
    add_pcm(parser)
    add_channel(parser)
    parser.add_argument("--sensor", metavar="N", default="1", help="number of the sensor (default: 1)")
    parser.add_argument("--policy", metavar="NAME|FILE", default="street", help="what may leave (default: street)")
    out = Path("sourdine-live")
    parser.add_argument("--out", metavar="DIR", type=Path, default=out, help=f"records and state (default: {out})")
    key = "key that the state is sealed with (default: zone.key in the output folder, made if it is not there)"
    parser.add_argument("--key", metavar="FILE", type=Path, help=key)
    add_calibration(parser, "the sensor's file of `sourdine calibrate`, or the folder of such files")
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
    if parsed.path == "-" and sys.stdin.isatty():
        raise ConfigError("- expects raw PCM from a pipe, and standard input is a terminal")
    sensor_id = parse_sensor(parsed.sensor)
    pcm = parse_pcm(parsed.rate, parsed.format, parsed.channels)
    channel = parse_channel(parsed.channel, may_be_each=False)
    if channel != "mix" and int(channel) > pcm.n_channels:
        raise ConfigError(f"--channel: expected at most {pcm.n_channels}, as --channels says, got {channel}")
    calibration = load_calibration(parsed.calibration, sensor_id)
    settings = ListenSettings(
        path=None if parsed.path == "-" else Path(parsed.path),
        pcm=pcm,
        sensor_id=sensor_id,
        out=parsed.out,
        policy=load_policy(parsed.policy),
        key=parsed.key,
        full_scale_db=None if calibration is None else calibration.full_scale_db,
        channel=channel,
    )
    from sourdine.local.interrupt import Stop
    from sourdine.local.listen import listen
    from sourdine.local.summary import GUARANTEE

    if not parsed.quiet:
        for line in GUARANTEE:
            say_aside(line)
    with Stop() as stop:
        ledger = listen(settings, _ear(as_json=parsed.json, quiet=parsed.quiet), stop)
    if not parsed.quiet:
        say_aside(
            f"heard {ledger.n_samples / settings.pcm.sample_rate:.0f} s of sound; "
            f"left {ledger.n_events} events, {ledger.n_levels} levels, {ledger.n_health} states"
        )
    return EXIT_OK


def _ear(*, as_json: bool, quiet: bool) -> Ear:
    from dsp_core.records import Event

    from sourdine.live.ear import Ear
    from sourdine.local.view import event_words
    from sourdine.operations.lines import Fact
    from sourdine.operations.told import Told
    from sourdine.outgoing.cloudevents import Record, encode

    class Terminal(Ear):
        """Shows what leaves on standard output, and what happens to the stream on standard error."""

        def note(self, told: Told, text: str, **facts: Fact) -> None:
            if not quiet:
                say_aside(f"{datetime.now(UTC):%H:%M:%S} {text}")

        def left(self, records: list[Record]) -> None:
            for record in records:
                if as_json:
                    say(encode(record).decode() + "\n")
                elif isinstance(record, Event) and not quiet:
                    say(event_words(record) + "\n")

    return Terminal()
