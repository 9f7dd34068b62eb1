"""Record files that go on over restarts: what was decided to leave is written once, whatever happens in between."""

from __future__ import annotations

import base64
import os
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from sourdine.errors import OutputError
from sourdine.files import PRIVATE, kept_file, lock_folder, refuse_other_than_file, replace_file
from sourdine.outgoing.cloudevents import Record, encode
from sourdine.outgoing.jsonl import FILE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from io import FileIO
    from pathlib import Path

STATE_NAME: Final = "listen.state"
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Kept:
    """What an earlier process left.

    Parameters
    ----------
    sealed : bytes
        State of the stages, sealed.
    next_slot : int
        First second that was not used yet, since 1970-01-01T00:00:00Z.
    full_scale_db : float or None
        Calibration that it worked with.
    """

    sealed: bytes
    next_slot: int
    full_scale_db: float | None


class ContinuedFiles:
    """Three files of CloudEvents that are appended to, and beside them the state that goes with their last line.

    The state is written first and holds the lines that follow it, so that a process that ends in between, however it
    ends, is made good by the next one: every line stands there once.

    Parameters
    ----------
    folder : pathlib.Path
        Made if it is not there.
    full_scale_db : float or None, default=None
        Calibration of the levels.

    Raises
    ------
    ConfigError
        If another process writes there, or what is there is no file of an earlier one.
    OutputError
        If it cannot be written.
    """

    def __init__(self, folder: Path, full_scale_db: float | None = None) -> None:
        self._folder, self._full_scale_db = folder, full_scale_db
        self._files: dict[str, FileIO] = {}
        with ExitStack() as stack:
            stack.enter_context(lock_folder(folder, (*FILE_NAMES.values(), STATE_NAME)))
            try:
                for name in FILE_NAMES.values():
                    self._files[name] = stack.enter_context(kept_file(folder / name))
            except OSError as error:
                raise OutputError(f"cannot write into {folder}: {error.strerror}") from None
            self.kept = self._make_good()
            self._open = stack.pop_all()

    def commit(self, sealed: bytes, next_slot: int, records: Iterable[Record]) -> None:
        """Write records down together with the state after them.

        Parameters
        ----------
        sealed : bytes
            State of the stages, sealed.
        next_slot : int
            First second that was not used yet.
        records : iterable of Event, LevelRecord or SensorHealth
            What has just left the gates.

        Raises
        ------
        OutputError
            If it cannot be written; the next process makes it good.
        """
        lines = dict.fromkeys(self._files, b"")
        for record in records:
            lines[FILE_NAMES[type(record)]] += encode(record) + b"\n"
        document = {
            "format": _FORMAT,
            "sealed": base64.b64encode(sealed).decode(),
            "next_slot": next_slot,
            "full_scale_db": self._full_scale_db,
            "sizes": {name: _size(file) for name, file in self._files.items()},
            "lines": {name: text.decode() for name, text in lines.items()},
        }
        try:
            replace_file(self._folder / STATE_NAME, orjson.dumps(document), PRIVATE)
            for name, text in lines.items():
                self._append(name, text)
        except OSError as error:
            raise OutputError(f"cannot write into {self._folder}: {error.strerror}") from None

    def close(self) -> None:
        """Close the files."""
        self._open.close()

    def _append(self, name: str, text: bytes) -> None:
        if text:
            file = self._files[name]
            file.seek(0, os.SEEK_END)
            _write_all(file, text)
            os.fsync(file.fileno())

    def _make_good(self) -> Kept | None:
        """Read the state, and write what it says of the files where it is not written yet."""
        state = self._folder / STATE_NAME
        refuse_other_than_file(state)
        try:
            document = orjson.loads(state.read_bytes())
            if document["format"] != _FORMAT:
                return None
            sealed = base64.b64decode(document["sealed"])
            kept = Kept(sealed, int(document["next_slot"]), document["full_scale_db"])
            sizes, lines = document["sizes"], document["lines"]
        except FileNotFoundError:
            return None
        except (KeyError, TypeError, ValueError):
            return None  # the caller begins anew, and says so
        with suppress(KeyError):
            for name in self._files:
                self._make_file_good(name, int(sizes[name]), lines[name].encode())
        return kept

    def _make_file_good(self, name: str, size: int, text: bytes) -> None:
        n_there = _size(self._files[name])
        # A file that was moved away, or that someone wrote into, is not ours to cut.
        if size <= n_there < size + len(text):
            self._files[name].truncate(size)
            self._append(name, text)


def _size(file: FileIO) -> int:
    return os.fstat(file.fileno()).st_size


def _write_all(file: FileIO, text: bytes) -> None:
    rest = memoryview(text)
    while rest:
        rest = rest[file.write(rest) :]
