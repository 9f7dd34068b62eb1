"""Records as lines of JSON: a file for each kind and day, and beside them what finds a record that comes again."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections import defaultdict
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from sourdine.errors import ConfigError, printable
from sourdine.files import kept_file, lock_folder
from sourdine.sinks.store import Arrived, AwayError, Identity, Outcome, Place, firsts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from io import FileIO
    from pathlib import Path

STATE_NAME: Final = "sink.state"
#: Days for which an id is remembered: longer than the broker keeps a record, so whatever is read again is found.
REMEMBERED_DAYS: Final = 8

_STEMS: Final = {"event": "events", "level": "levels", "health": "health"}
_FORMAT: Final = 1
_MS_PER_DAY: Final = 86_400_000
_TABLES: Final = """
CREATE TABLE place (topic TEXT, partition INTEGER, next_offset INTEGER, PRIMARY KEY (topic, partition));
CREATE TABLE file (name TEXT PRIMARY KEY, size INTEGER, day INTEGER);
CREATE TABLE seen (id BLOB PRIMARY KEY, content BLOB, day INTEGER) WITHOUT ROWID;
CREATE INDEX seen_by_day ON seen (day);
"""


class FileStore:
    """Files of CloudEvents, one a line, by kind and by the UTC day on which the broker took them.

    Lines are written first, and then in one transaction of the state: their ids, the sizes of the files and how far
    each partition was read. What a killed process wrote past the sizes is cut off by the next one, and read again.

    Parameters
    ----------
    folder : pathlib.Path
        Made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock: FileIO | None = None
        self._state: sqlite3.Connection | None = None
        self._sizes: dict[str, int] = {}

    async def open(self) -> None:
        """Take the folder, and cut off what was not finished.

        Raises
        ------
        ConfigError
            If another process has it, or its state is of another version.
        OutputError
            If it cannot be written into.
        """
        self._lock = lock_folder(self._folder, ())
        try:
            await asyncio.to_thread(self._make_good)
        except ConfigError:
            await self.close()
            raise
        except (OSError, sqlite3.Error) as error:
            await self.close()
            raise ConfigError(f"{printable(str(self._folder / STATE_NAME))}: {_words(error)}") from None

    async def places(self) -> dict[Place, int]:
        """Return the offset to go on from in each partition that was read before.

        Returns
        -------
        dict
            By topic and partition.
        """
        rows = self._db.execute("SELECT topic, partition, next_offset FROM place")
        return {(topic, partition): offset for topic, partition, offset in rows}

    async def keep(self, records: list[Arrived], places: Mapping[Place, int]) -> Outcome:
        """Write records down, and how far was read.

        Parameters
        ----------
        records : list of Arrived
            In the order in which they came.
        places : mapping of tuple to int
            Offset to go on from in each partition that they came from.

        Returns
        -------
        Outcome
            What became of them.

        Raises
        ------
        AwayError
            If it cannot be written for now; nothing of it was.
        """
        try:
            return await asyncio.to_thread(self._keep, records, places)
        except (OSError, sqlite3.Error) as error:
            raise AwayError(f"cannot write into {printable(str(self._folder))}: {_words(error)}", error) from None

    async def close(self) -> None:
        """Let go of the folder."""
        if self._state is not None:
            self._state.close()
        if self._lock is not None:
            self._lock.close()

    @property
    def _db(self) -> sqlite3.Connection:
        assert self._state is not None, "opened first"
        return self._state

    def _make_good(self) -> None:
        path = self._folder / STATE_NAME
        with closing(kept_file(path)) as file:  # no link, and the owner's
            os.fchmod(file.fileno(), 0o600)
        # One batch after the other, each in a thread of its own.
        self._state = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA synchronous = FULL")
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version == 0:
            self._db.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {_FORMAT}; COMMIT;")
        elif version != _FORMAT:
            words = f"version {version}, and this sourdine writes version {_FORMAT}: choose another folder"
            raise ConfigError(f"{printable(str(path))} is of {words}")
        self._sizes = dict(self._db.execute("SELECT name, size FROM file"))
        for name in self._sizes:
            self._cut(name)

    def _cut(self, name: str) -> None:
        """Cut a file back to what the state says; one that was moved away or cut by someone begins where it ends."""
        path = self._folder / name
        if not path.exists():
            self._sizes[name] = 0
            return
        with closing(kept_file(path)) as file:
            n_there = os.fstat(file.fileno()).st_size
            self._sizes[name] = min(n_there, self._sizes[name])
            file.truncate(self._sizes[name])

    def _keep(self, records: list[Arrived], places: Mapping[Place, int]) -> Outcome:
        outcome = Outcome()
        new = self._new(firsts(records, outcome), outcome)
        lines: defaultdict[tuple[str, int], bytearray] = defaultdict(bytearray)
        for record in new.values():
            day = record.received_ms // _MS_PER_DAY
            lines[_file_name(record.kind, day), day] += record.value + b"\n"
        sizes = {name: self._append(name, day, text) for (name, day), text in lines.items()}
        with _transaction(self._db):
            rows = [(_id(identity), _content(one), one.received_ms // _MS_PER_DAY) for identity, one in new.items()]
            self._db.executemany("INSERT INTO seen VALUES (?, ?, ?)", rows)
            self._db.executemany("REPLACE INTO file VALUES (?, ?, ?)", [(n, sizes[n], day) for n, day in lines])
            self._db.executemany("REPLACE INTO place VALUES (?, ?, ?)", [(*place, at) for place, at in places.items()])
            self._forget(max((day for _, day in lines), default=0) - REMEMBERED_DAYS)
        self._sizes |= sizes
        outcome.n_kept = len(new)
        return outcome

    def _new(self, found: Mapping[Identity, Arrived], outcome: Outcome) -> dict[Identity, Arrived]:
        new = {}
        for identity, record in found.items():
            row = self._db.execute("SELECT content FROM seen WHERE id = ?", (_id(identity),)).fetchone()
            if row is None:
                new[identity] = record
            else:
                outcome.note(identity, is_same=row[0] == _content(record))
        return new

    def _append(self, name: str, day: int, text: bytearray) -> int:
        """Write lines behind what the state knows of a file, and give its new size."""
        with closing(kept_file(self._folder / name)) as file:
            if name not in self._sizes:  # known before it grows, so that what is not finished can be cut off
                size = os.fstat(file.fileno()).st_size
                _sync_folder(self._folder)
                self._db.execute("INSERT INTO file VALUES (?, ?, ?)", (name, size, day))
                self._sizes[name] = size
            begin = self._sizes[name]
            file.truncate(begin)
            file.seek(begin)
            rest = memoryview(text)
            while rest:
                rest = rest[file.write(rest) :]
            os.fsync(file.fileno())
        return begin + len(text)

    def _forget(self, oldest: int) -> None:
        """Forget what came before a day: the broker cannot send it again."""
        for table in ("seen", "file"):
            self._db.execute(f"DELETE FROM {table} WHERE day < ?", (oldest,))


@contextmanager
def _transaction(state: sqlite3.Connection) -> Iterator[None]:
    """All of what is done within, or nothing."""
    state.execute("BEGIN IMMEDIATE")
    try:
        yield
        state.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            state.execute("ROLLBACK")
        raise


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _file_name(kind: str, day: int) -> str:
    return f"{_STEMS[kind]}-{datetime.fromtimestamp(day * _MS_PER_DAY / 1000, UTC):%Y-%m-%d}.jsonl"


def _id(identity: Identity) -> bytes:
    return blake2b("/".join(map(str, identity)).encode(), digest_size=16).digest()


def _content(record: Arrived) -> bytes:
    return blake2b(record.value, digest_size=8).digest()


def _words(error: OSError | sqlite3.Error) -> str:
    """Say what went wrong; the names of sqlite's errors say it, and its texts are not ours to print."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return getattr(error, "sqlite_errorname", type(error).__name__)
