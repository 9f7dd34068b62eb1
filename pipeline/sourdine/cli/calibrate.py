"""`sourdine calibrate`: what full scale is at a sensor, by a calibrator's tone."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sourdine.cli.arguments import add_channel, add_manners, add_pcm, one_of
from sourdine.cli.terminal import EXIT_OK, say, say_aside
from sourdine.config import parse_sensor
from sourdine.errors import ConfigError
from sourdine.pcm import parse_channel, parse_pcm

if TYPE_CHECKING:
    import argparse

    from sourdine.calibration import Calibration, Drift

_LEVELS_DB: Final = ("94", "114")
#: Of a sensor's first calibration.
_FIRST: Final = {"drift_db": None, "since": None, "last_file": None}
_FREQUENCIES_HZ: Final = ("1000", "250")

_WORDS: Final = """\
Measure a calibrator's tone, so that levels become dB re 20 µPa instead of dBFS.

Put the calibrator on the microphone, record ten seconds of its tone, and give the recording:

  sourdine calibrate tone.wav --sensor 17
  arecord -t raw -f S16_LE -r 48000 -d 10 | sourdine calibrate - --rate 48000 --sensor 17
  sourdine run street.wav --calibration calibrations/sensor-17.toml

The file says the sensor, the date and the level of full scale; an earlier one is kept under its date. Until a sensor
has one, its levels are dBFS and its state is `uncalibrated`. Gain and microphone must stay as they were: a drift of
more than 0.5 dB since the last calibration is warned of, one of more than 3 dB refused.
"""


def add(commands: Any) -> None:
    """Add the command.

    Parameters
    ----------
    commands : object
        What argparse adds commands to.
    """
    words = "measure a calibrator's tone"
    parser = commands.add_parser("calibrate", help=words, description=_WORDS)
    parser.add_argument("path", metavar="PATH", help="recording of the tone, or - for raw PCM on standard input")
    parser.add_argument("--sensor", metavar="N", default="1", help="number of the sensor (default: 1)")
    level = one_of(_LEVELS_DB, "level of a calibrator in dB")
    parser.add_argument(
        "--tone", metavar="DB", type=level, choices=_LEVELS_DB, default="94", help="its level: 94 or 114 (default: 94)"
    )
    hz = one_of(_FREQUENCIES_HZ, "frequency of a calibrator in Hz")
    parser.add_argument(
        "--hz",
        metavar="HZ",
        type=hz,
        choices=_FREQUENCIES_HZ,
        default="1000",
        help="its frequency: 1000 (default) or 250",
    )
    out = Path("calibrations")
    parser.add_argument("--out", metavar="DIR", type=Path, default=out, help=f"folder of the file (default: {out})")
    add_channel(parser)
    add_pcm(parser)
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
    is_pipe = parsed.path == "-"
    if is_pipe and sys.stdin.isatty():
        raise ConfigError("- expects raw PCM from a pipe, and standard input is a terminal")
    pcm = parse_pcm(parsed.rate, parsed.format, parsed.channels) if is_pipe else None
    sensor_id, channel = parse_sensor(parsed.sensor), parse_channel(parsed.channel, may_be_each=False)
    from sourdine.calibration import drift, write
    from sourdine.local.calibrate import calibrate
    from sourdine.local.inputs import Input
    from sourdine.pcm import channel_of

    path = None if is_pipe else Path(parsed.path)
    item = Input(sensor_id, path, channel_of(channel))
    found = calibrate(item, pcm, tone_hz=float(parsed.hz), tone_db=float(parsed.tone))
    since = drift(parsed.out, found)
    _tell(parsed, found, write(parsed.out, found), since)
    return EXIT_OK


def _tell(parsed: argparse.Namespace, found: Calibration, file: Path, since: Drift | None) -> None:
    """Say what was found, and what has changed since the last time."""
    from sourdine.calibration import WARN_DRIFT_DB

    if since and since.is_large:
        words = f"drift of {signed(since.db)} dB since {since.since} is more than {WARN_DRIFT_DB:g} dB"
        say_aside(f"{words}: levels in between are doubtful (last calibration: {since.file})")
    if parsed.json:
        last = {"drift_db": since.db, "since": since.since, "last_file": str(since.file)} if since else _FIRST
        say(json.dumps({**asdict(found), "file": str(file), **last}) + "\n")
    elif not parsed.quiet:
        drifted = f"Drift: {signed(since.db)} dB since {since.since}, as {since.file} has it.\n" if since else ""
        say(
            f"Sensor {found.sensor_id}: full scale is {found.full_scale_db:.1f} dB re 20 µPa, by a tone of "
            f"{found.tone_db:g} dB at {found.tone_hz:g} Hz that was steady within {found.spread_db:.1f} dB.\n{drifted}"
            f"Written to {file}; give it to run and listen with --calibration {file}\n"
        )


def signed(db: float) -> str:
    """Write a difference with its sign.

    Parameters
    ----------
    db : float
        In dB.

    Returns
    -------
    str
        Such as "−0.3".
    """
    return f"{db + 0.0:+.1f}".replace("-", "−")


def load_calibration(path: Path | None, sensor_id: int | None = None) -> Calibration | None:
    """Read what full scale is.

    Parameters
    ----------
    path : pathlib.Path or None
        A sensor's file, or a folder of such files if the sensor is known; None if there is no calibration.
    sensor_id : int or None, default=None
        The sensor that it must be of; None if it is not known.

    Returns
    -------
    Calibration or None
        None for None.

    Raises
    ------
    ConfigError
        If it cannot be read, is no calibration, is another sensor's, or is a folder and the sensor is not known.
    """
    if path is None:
        return None
    from sourdine.calibration import load

    return load(path, sensor_id)
