"""What was given on the command line, searched through and numbered."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sourdine.errors import ConfigError, printable
from sourdine.files import LOCK_NAME
from sourdine.local.inputs import Input, n_channels_of
from sourdine.outgoing.jsonl import FILE_NAMES
from sourdine.pcm import channel_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

#: What folders are searched for: the kinds that the core reads. A file that is named itself may be called anything.
SUFFIXES: Final = frozenset(
    {".wav", ".wave", ".rf64", ".bw64", ".flac", ".ogg", ".oga", ".mp3", ".m4a", ".mp4", ".aac"}
)
#: Everything that a run writes into its output folder.
WRITTEN: Final = (*FILE_NAMES.values(), "journal.jsonl", "report.json", "report.md", "picture.png")

#: Kinds of what was left aside that are named; a folder may hold files of a thousand suffixes.
_N_KINDS: Final = 5


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came back with.

    Parameters
    ----------
    files : tuple of pathlib.Path
        In the sorted order of their absolute paths, each file once, by whatever names it was given.
    aside : Counter of str
        What folders hold besides, by its kind: it was not heard.
    """

    files: tuple[Path, ...]
    aside: Counter[str]

    @property
    def aside_words(self) -> str:
        """What was left aside, such as ``12 .txt files, 1 linked folder``; empty if nothing was."""
        named = self.aside.most_common(_N_KINDS)
        n_more = self.aside.total() - sum(n for _, n in named)
        counts = [*named, ("other file", n_more)] if n_more else named
        return ", ".join(f"{n:,} {kind}{'s' * (n != 1)}" for kind, n in counts)


def search(paths: Sequence[Path], out: Path) -> Found:
    """Find the recordings that were named, and those in folders.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Files and folders; folders are searched through, but for hidden ones and links.
    out : pathlib.Path
        Folder of the output; the files that a run writes there are no inputs.

    Returns
    -------
    Found
        At least one file.

    Raises
    ------
    ConfigError
        If a path is not there, is a file that the run would replace, or there is no recording at all.
    """
    gone = [printable(str(path)) for path in paths if not os.path.exists(path)]
    if gone:
        raise ConfigError(f"no such file or folder: {', '.join(gone)}")
    real_out = os.path.realpath(out)
    found: dict[bytes, Path] = {}
    aside: dict[str, str] = {}
    for path in paths:
        if not path.is_dir() and path.name in WRITTEN and os.path.realpath(path.parent) == real_out:
            raise ConfigError(f"{printable(str(path))} would be replaced by the run: choose another --out")
        for file in _recordings(path, real_out, aside) if path.is_dir() else (path,):
            found.setdefault(os.fsencode(os.path.abspath(file)), file)
    once: dict[str, Path] = {}
    for key in sorted(found):
        once.setdefault(os.path.realpath(found[key]), found[key])
    result = Found(tuple(once.values()), Counter(aside.values()))
    if not once:
        besides = f", left aside: {result.aside_words}" if aside else ""
        raise ConfigError(f"no recordings in {', '.join(printable(str(path)) for path in paths)}{besides}")
    return result


def number(files: Iterable[Path], known: Mapping[str, int], channel: str = "1") -> tuple[Input, ...]:
    """Give files, or each of their channels, numbers.

    Parameters
    ----------
    files : iterable of pathlib.Path
        From a search, in its order.
    known : mapping of str to int
        Numbers that inputs of an earlier run have kept, by their keys.
    channel : str, default="1"
        Number of the channel, ``mix`` for the mean of all, ``each`` for one input a channel.

    Returns
    -------
    tuple of Input
        Numbered from 1; those that an earlier run has not done yet, if there were others than now, from its largest
        number on.
    """
    heard = [one for path in files for one in _channels(path, channel)]
    inputs = [Input(place, *one) for place, one in enumerate(heard, start=1)]
    if all(known.get(item.key, item.sensor_id) == item.sensor_id for item in inputs):
        return tuple(inputs)
    n_taken = max(known.values())
    news = iter(range(n_taken + 1, n_taken + 1 + len(inputs)))
    return tuple(replace(item, sensor_id=known[item.key] if item.key in known else next(news)) for item in inputs)


def _channels(path: Path, channel: str) -> Iterator[tuple[Path, int | None, bool]]:
    """Give the channels of a file that are inputs; what cannot be opened is one input, and refused as such."""
    if channel != "each":
        yield path, channel_of(channel), False
        return
    n_channels = n_channels_of(path)
    yield from ((path, place, n_channels > 1) for place in range(1, n_channels + 1))


def _recordings(top: Path, real_out: str, aside: dict[str, str]) -> Iterator[Path]:
    """Give what a folder holds of sound, and note the kind of what else is in it."""
    unreadable: list[OSError] = []
    for folder, folders, names in os.walk(top, onerror=unreadable.append):
        is_out = os.path.realpath(folder) == real_out
        kinds = {name: _kind(name) for name in names if not (is_out and name in {*WRITTEN, LOCK_NAME})}
        yield from (Path(folder, name) for name, kind in kinds.items() if kind is None)
        kinds |= {name: _folder_kind(folder, name) for name in folders}
        aside.update((os.path.abspath(os.path.join(folder, name)), kind) for name, kind in kinds.items() if kind)
        folders[:] = [name for name in folders if kinds[name] is None]
    # A folder that cannot be listed is an input that cannot be read: it is counted like one.
    yield from (Path(os.fsdecode(error.filename)) for error in unreadable)


def _kind(name: str) -> str | None:
    """Return what kind of file a name is of; None for a recording."""
    suffix = Path(name).suffix.lower()
    if name.startswith("."):
        return "hidden file"
    if suffix in SUFFIXES:
        return None
    return f"{printable(suffix)} file" if suffix else "file without a suffix"


def _folder_kind(folder: str, name: str) -> str | None:
    """Return why a folder is not searched; None for one that is."""
    if name.startswith("."):
        return "hidden folder"
    return "linked folder" if os.path.islink(os.path.join(folder, name)) else None
