"""The settings of one run, read once from the command line and handed downwards, frozen."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from sourdine.errors import ConfigError

if TYPE_CHECKING:
    from sourdine.calibration import Calibration
    from sourdine.pcm import PcmFormat
    from sourdine.policy import LoadedPolicy

#: What one read asks for. Long enough to cost nothing, short enough that a sample lives well under 2 s.
BLOCK_S: Final = 0.5

_MAX_JOBS: Final = 256
_PLACE: Final = re.compile(r"(?:(?:(\d{1,4}):)?(\d{1,6}):)?(\d{1,9})")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_START: Final = datetime(2999, 12, 31, tzinfo=UTC)


def typed() -> str:
    """Return what a person types for this command: `./run` says it, where nothing is installed but in its folder."""
    return os.environ.get("SOURDINE_TYPED", "sourdine")


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment of a recording: a second of the clock, or one from its first sample.

    Parameters
    ----------
    seconds : int
        Since 1970-01-01T00:00:00Z, or since the first sample.
    is_clock : bool
        Which of the two.
    """

    seconds: int
    is_clock: bool

    @property
    def words(self) -> str:
        """How it is shown: a time in UTC, or ``second 12``."""
        if self.is_clock:
            return f"{datetime.fromtimestamp(self.seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
        return f"second {self.seconds}"

    def after(self, start_slot: int) -> int:
        """Return the second of a recording that it stands for.

        Parameters
        ----------
        start_slot : int
            Second of the recording's first sample.

        Returns
        -------
        int
            From the first sample on; below 0 before it.
        """
        return self.seconds - start_slot if self.is_clock else self.seconds


@dataclass(frozen=True, slots=True)
class RunSettings:
    """One run over recordings or a pipe.

    Parameters
    ----------
    paths : tuple of pathlib.Path
        Files and folders; empty if the sound comes from standard input.
    out : pathlib.Path
        Folder of the output.
    policy : LoadedPolicy
        What may leave.
    start_slot : int, default=0
        Second since 1970-01-01T00:00:00Z of every input's first sample.
    background : pathlib.Path or None, default=None
        A recording of the place to learn from first.
    pcm : PcmFormat or None, default=None
        Layout of standard input; set exactly when the sound comes from there.
    block_s : float, default=BLOCK_S
        Seconds of sound in one block; the records are the same for all.
    zone : str or None, default=None
        Time zone of the times in names and headers, where each recording's own time is its start; None: `start_slot`
        is.
    since : Mark or None, default=None
        First second to hear.
    until : Mark or None, default=None
        Second to hear no more.
    jobs : int, default=1
        Recordings that are heard side by side; the output is the same for all.
    resume : bool, default=False
        Go on with an earlier run into the same folder.
    calibration : Calibration or None, default=None
        What full scale is in all of them; None: levels are dBFS.
    channel : str, default="1"
        Number of the channel, ``mix`` for the mean of all, ``each`` for one input a channel.

    Raises
    ------
    ConfigError
        If the span ends before it begins.
    """

    paths: tuple[Path, ...]
    out: Path
    policy: LoadedPolicy
    start_slot: int = 0
    background: Path | None = None
    pcm: PcmFormat | None = None
    block_s: float = BLOCK_S
    zone: str | None = None
    since: Mark | None = None
    until: Mark | None = None
    jobs: int = 1
    resume: bool = False
    calibration: Calibration | None = None
    channel: str = "1"

    def __post_init__(self) -> None:
        """Look whether there is anything between the two marks, where that can be said for every recording."""
        since, until = self.since, self.until
        if since is None or until is None or (self.zone is not None and since.is_clock != until.is_clock):
            return
        if since.after(self.start_slot) >= until.after(self.start_slot):
            span = f"{since.words} to {until.words}"
            raise ConfigError(f"--since, --until: expected a span that ends after it begins, got {span}")

    @property
    def full_scale_db(self) -> float | None:
        """Level of full scale in dB re 20 µPa; None: levels are dBFS."""
        return None if self.calibration is None else self.calibration.full_scale_db


@dataclass(frozen=True, slots=True)
class ListenSettings:
    """Live sound of one sensor.

    Parameters
    ----------
    path : pathlib.Path or None
        Of a pipe or socket; None for standard input.
    pcm : PcmFormat
        Layout of the sound.
    sensor_id : int
        Number that the records carry.
    out : pathlib.Path
        Folder of records and state.
    policy : LoadedPolicy
        What may leave.
    key : pathlib.Path or None, default=None
        Key file that the state is sealed with; None for one in the folder.
    full_scale_db : float or None, default=None
        Level of full scale in dB re 20 µPa, from the calibration.
    channel : str, default="1"
        Number of the channel, or ``mix`` for the mean of all.
    """

    path: Path | None
    pcm: PcmFormat
    sensor_id: int
    out: Path
    policy: LoadedPolicy
    key: Path | None = None
    full_scale_db: float | None = None
    channel: str = "1"


def parse_start(text: str, option: str = "--start") -> int:
    """Return the slot of an ISO 8601 time in UTC.

    Parameters
    ----------
    text : str
        For instance ``2026-05-04T21:00:00Z``.
    option : str, default="--start"
        What the option is called.

    Returns
    -------
    int
        Seconds since 1970-01-01T00:00:00Z.

    Raises
    ------
    ConfigError
        If it is no time, has no UTC mark, is not on a whole second or lies outside 1970 to 2999.
    """
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{option}: expected a time like 2026-05-04T21:00:00Z, got {text}") from None
    if start.utcoffset() != timedelta(0):
        raise ConfigError(f"{option}: expected UTC, marked by a Z at the end, got {text}")
    if start.microsecond:
        raise ConfigError(f"{option}: expected a whole second, got {text}")
    if not _EPOCH <= start <= _LAST_START:
        raise ConfigError(f"{option}: expected a year from 1970 to 2999, got {text}")
    return int((start - _EPOCH).total_seconds())


def parse_mark(option: str, text: str | None, *, is_start_known: bool) -> Mark | None:
    """Return a moment, as a time in UTC or as a place in the recording.

    Parameters
    ----------
    option : str
        What the option is called.
    text : str or None
        ``2026-05-04T21:00:00Z``, ``HH:MM:SS``, ``MM:SS`` or seconds.
    is_start_known : bool
        Whether recordings have a time on the clock.

    Returns
    -------
    Mark or None
        None for None.

    Raises
    ------
    ConfigError
        If it is no moment, or a time of the clock without a start.
    """
    if text is None:
        return None
    place = _PLACE.fullmatch(text)
    if place:
        hours, minutes, seconds = (int(part or 0) for part in place.groups())
        return Mark(3600 * hours + 60 * minutes + seconds, is_clock=False)
    slot = parse_start(text, option)
    if not is_start_known:
        raise ConfigError(f"{option}: a time of the clock needs --start, or --start auto")
    return Mark(slot, is_clock=True)


def parse_jobs(text: str | None) -> int:
    """Return how many recordings are heard side by side.

    Parameters
    ----------
    text : str or None
        A number; None for one for each processor that this process may use.

    Returns
    -------
    int
        1 to 256.

    Raises
    ------
    ConfigError
        If it is no such number.
    """
    if text is None:
        return min(_MAX_JOBS, len(os.sched_getaffinity(0)))
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= _MAX_JOBS):
        raise ConfigError(f"--jobs: expected a number from 1 to {_MAX_JOBS}, got {text}")
    return int(text)


def parse_zone(name: str) -> str:
    """Return the name of a time zone.

    Parameters
    ----------
    name : str
        An IANA name such as ``Europe/Paris``.

    Returns
    -------
    str
        The same.

    Raises
    ------
    ConfigError
        If the machine knows no such zone.
    """
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # not known is a KeyError
        raise ConfigError(f"--zone: expected a name like Europe/Paris, got {name}") from None
    return name


def parse_sensor(text: str) -> int:
    """Return the number of a sensor.

    Parameters
    ----------
    text : str
        For instance ``17``.

    Returns
    -------
    int
        1 to 4294967295.

    Raises
    ------
    ConfigError
        If it is no such number.
    """
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) < 2**32):
        raise ConfigError(f"--sensor: expected a number from 1 to {2**32 - 1}, got {text}")
    return int(text)
