"""Records as lines in three files: whole lines only, whatever happens to the process or the disk."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from dsp_core.records import Event, LevelRecord, SensorHealth

from sourdine.errors import ConfigError, OutputError
from sourdine.files import kept_file, make_folder, new_file
from sourdine.outgoing.cloudevents import Record, encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

#: File of each record type; they are replaced when a run starts.
FILE_NAMES: Final[dict[type[Record], str]] = {
    Event: "events.jsonl",
    LevelRecord: "levels.jsonl",
    SensorHealth: "health.jsonl",
}


class JsonlSink:
    """Three files of CloudEvents, one a line, in the order in which the gates released them.

    Files of the same names in the folder are replaced at the start by new ones, never written over: what a link of such
    a name points to, or shares its content with, stays as it is. Nothing is buffered: a record that was written
    stands in the file when the call returns, and if the disk fills up, the line that did not fit is taken back.

    Parameters
    ----------
    folder : pathlib.Path
        Made if it is not there.
    sizes : dict of str to int or None, default=None
        Go on with the files that are there, cut back to these sizes.

    Raises
    ------
    ConfigError
        If a file to go on with is a link.
    OutputError
        If the folder or a file in it cannot be written.
    """

    def __init__(self, folder: Path, sizes: dict[str, int] | None = None) -> None:
        self._files: dict[str, _LineFile] = {}
        make_folder(folder)
        try:
            for name in FILE_NAMES.values():
                self._files[name] = _LineFile(folder / name, None if sizes is None else sizes.get(name, 0))
        except ConfigError:
            self.close()
            raise
        except OSError as error:
            self.close()
            raise OutputError(f"cannot write into {folder}: {error.strerror}") from None

    def write(self, records: Iterable[Record]) -> None:
        """Write records down.

        Parameters
        ----------
        records : iterable of Event, LevelRecord or SensorHealth
            What has just left the gates.

        Raises
        ------
        OutputError
            If a line does not fit; the file ends with the line before.
        TypeError
            If it is no released record.
        """
        for record in records:
            self._files[FILE_NAMES[type(record)]].append(encode(record) + b"\n")

    def append(self, lines: Mapping[str, bytes]) -> dict[str, int]:
        """Write lines down that `lines_of` gave.

        Parameters
        ----------
        lines : mapping of str to bytes
            By the name of the file.

        Returns
        -------
        dict of str to int
            Sizes of the files with these lines.

        Raises
        ------
        OutputError
            If they do not fit; the file ends with what was there before.
        """
        for name, text in lines.items():
            if text:
                self._files[name].append(text)
        return {name: file.size for name, file in self._files.items()}

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()
        self._files.clear()


def lines_of(records: Iterable[Record]) -> dict[str, bytes]:
    """Return records as lines, by the name of their file.

    Parameters
    ----------
    records : iterable of Event, LevelRecord or SensorHealth
        In the order in which they left.

    Returns
    -------
    dict of str to bytes
        Whole lines.
    """
    lines: dict[str, list[bytes]] = {name: [] for name in FILE_NAMES.values()}
    for record in records:
        lines[FILE_NAMES[type(record)]].append(encode(record) + b"\n")
    return {name: b"".join(text) for name, text in lines.items()}


class _LineFile:
    """A file to which whole lines are appended."""

    def __init__(self, path: Path, size: int | None) -> None:
        self._path = path
        if size is None:
            self._file = new_file(path)
        else:
            self._file = kept_file(path)
            self._file.truncate(size)
            self._file.seek(size)
        self._end = size or 0

    @property
    def size(self) -> int:
        return self._end

    def append(self, line: bytes) -> None:
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[os.write(self._file.fileno(), rest) :]
        except OSError as error:
            # A device has no length to cut back to.
            with suppress(OSError):
                self._file.truncate(self._end)
            raise OutputError(f"cannot write {self._path}: {error.strerror}") from None
        self._end += len(line)

    def close(self) -> None:
        self._file.close()
