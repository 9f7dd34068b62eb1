"""One recording or standard input: how it is named, and how it is opened."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dsp_core.zone import BlockError, Source

from sourdine.errors import ConfigError, printable, words_of

if TYPE_CHECKING:
    from pathlib import Path

    from sourdine.pcm import PcmFormat

STDIN: Final = 0


@dataclass(frozen=True, slots=True)
class Input:
    """One recording or standard input; a sensor of its own.

    Parameters
    ----------
    sensor_id : int
        Its number.
    path : pathlib.Path or None
        None for standard input.
    channel : int or None, default=1
        The channel that is heard; None for the mean of all.
    is_one_of_several : bool, default=False
        Whether other channels of the file are inputs too.
    """

    sensor_id: int
    path: Path | None
    channel: int | None = 1
    is_one_of_several: bool = False

    @property
    def key(self) -> str:
        """What it is known again by: its absolute path, and its channel if others are inputs too."""
        path = "" if self.path is None else os.path.abspath(self.path)
        return f"{path}#{self.channel}" if self.is_one_of_several else path

    @property
    def stamp(self) -> tuple[int, int]:
        """Size and time of change, which tell whether a file is still the same; zeros if nobody can say."""
        try:
            status = os.stat(self.path or STDIN)
        except (OSError, ValueError):
            return 0, 0
        return status.st_size, status.st_mtime_ns

    @property
    def name(self) -> str:
        """How it is shown to the person who gave it, on one line."""
        name = "standard input" if self.path is None else printable(str(self.path))
        return f"{name} channel {self.channel}" if self.is_one_of_several else name


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an input was not heard, or not to its end.

    Parameters
    ----------
    reason : str
        One of the core's reason codes.
    text : str
        What was expected and what came; ids, sizes and names only.
    """

    reason: str
    text: str


def refusal_of(error: BlockError) -> Refusal:
    """Return what the core says about an input that it refuses.

    Parameters
    ----------
    error : BlockError
        What it raised.

    Returns
    -------
    Refusal
        Reason and words.
    """
    return Refusal(reason=error.reason, text=words_of(str(error), error.reason))


def n_channels_of(path: Path) -> int:
    """Return how many channels a recording has.

    Parameters
    ----------
    path : pathlib.Path
        A file.

    Returns
    -------
    int
        1 if it cannot be opened.
    """
    try:
        return 1 if _other_than_file(path) else Source.open(path, sensor_id=0).n_channels
    except BlockError:
        return 1


def open_source(item: Input, pcm: PcmFormat | None) -> Source | Refusal:
    """Open an input.

    Parameters
    ----------
    item : Input
        What to open.
    pcm : PcmFormat or None
        Layout of standard input.

    Returns
    -------
    Source or Refusal
        The source, or why there is none.
    """
    try:
        if item.path is not None:
            return _other_than_file(item.path) or Source.open(item.path, sensor_id=item.sensor_id, channel=item.channel)
        if pcm is None:
            raise ConfigError("standard input needs --rate")
        if stat.S_ISDIR(os.fstat(STDIN).st_mode):
            return Refusal("unreadable", "expected raw PCM on standard input, got a directory")
        return Source.pcm(
            STDIN,
            sensor_id=item.sensor_id,
            sample_rate=pcm.sample_rate,
            encoding=pcm.encoding,
            n_channels=pcm.n_channels,
            channel=item.channel,
        )
    except BlockError as error:
        return refusal_of(error)


def _other_than_file(path: Path) -> Refusal | None:
    """Refuse pipes, sockets and devices that lie in a folder: opening or reading them may never end."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return None  # the core says why
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return None
    return Refusal("unreadable", "expected a regular file, got a pipe, socket or device")
