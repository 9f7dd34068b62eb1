"""What was given on the command line, as numbered inputs, and how each is opened."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dsp_core.zone import BlockError, Source

from sourdine.errors import ConfigError, printable
from sourdine.files import LOCK_NAME
from sourdine.outgoing.jsonl import FILE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sourdine.config import PcmFormat

STDIN: Final = 0

#: Everything that a run writes into its output folder.
WRITTEN: Final = (*FILE_NAMES.values(), "journal.jsonl", "report.json", "report.md", "picture.png", LOCK_NAME)


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
    return Refusal(reason=error.reason, text=printable(str(error)).removeprefix(f"{error.reason}: "))


def find_inputs(paths: Iterable[Path], out: Path, known: Mapping[str, int], channel: str = "1") -> tuple[Input, ...]:
    """Number everything that was given, files in folders included.

    Parameters
    ----------
    paths : iterable of pathlib.Path
        Files and folders; folders are searched through.
    out : pathlib.Path
        Folder of the output; the files that a run writes there are no inputs.
    known : mapping of str to int
        Numbers that inputs of an earlier run have kept, by their keys.
    channel : str, default="1"
        Number of the channel, ``mix`` for the mean of all, ``each`` for one input a channel.

    Returns
    -------
    tuple of Input
        Numbered from 1 in the sorted order of their absolute paths, each file once, by whatever names it was given;
        those that an earlier run has not done yet, if there were others than now, from its largest number on.

    Raises
    ------
    ConfigError
        If there is no file at all.
    """
    written = {os.path.abspath(out / name) for name in WRITTEN}
    found: dict[bytes, Path] = {}
    for path in paths:
        for file in _files(path):
            absolute = os.path.abspath(file)
            if absolute not in written:
                found.setdefault(os.fsencode(absolute), file)
    if not found:
        given = ", ".join(printable(str(path)) for path in paths)
        raise ConfigError(f"no files in {given}")
    once: dict[str, Path] = {}
    for key in sorted(found):
        once.setdefault(os.path.realpath(found[key]), found[key])
    heard = [one for path in once.values() for one in _channels(path, channel)]
    inputs = [Input(number, *one) for number, one in enumerate(heard, start=1)]
    if all(known.get(item.key, item.sensor_id) == item.sensor_id for item in inputs):
        return tuple(inputs)
    n_taken = max(known.values())
    news = iter(range(n_taken + 1, n_taken + 1 + len(inputs)))
    return tuple(replace(item, sensor_id=known[item.key] if item.key in known else next(news)) for item in inputs)


def channel_of(channel: str) -> int | None:
    """Return a channel as the core takes it.

    Parameters
    ----------
    channel : str
        A number, or ``mix``.

    Returns
    -------
    int or None
        None for the mean of all.
    """
    return None if channel == "mix" else int(channel)


def _channels(path: Path, channel: str) -> Iterator[tuple[Path, int | None, bool]]:
    """Give the channels of a file that are inputs; what cannot be opened is one input, and refused as such."""
    if channel != "each":
        yield path, channel_of(channel), False
        return
    try:
        n_channels = 1 if _other_than_file(path) else Source.open(path, sensor_id=0).n_channels
    except BlockError:
        n_channels = 1
    yield from ((path, number, n_channels > 1) for number in range(1, n_channels + 1))


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    unreadable: list[OSError] = []
    for folder, _, names in os.walk(path, onerror=unreadable.append):
        for name in names:
            yield Path(folder, name)
    # A folder that cannot be listed is an input that cannot be read: it is counted like one.
    yield from (Path(os.fsdecode(error.filename)) for error in unreadable)


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
