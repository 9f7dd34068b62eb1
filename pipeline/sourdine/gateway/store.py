"""What a gateway keeps on disk: sealed states of its sensors, and open records that the broker does not have yet.

Both change together, once a second and in one transaction: whatever ends the process, what was decided to leave is
sent, and nothing is decided a second time. Sound and windows are never here.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dsp_core.records import Event, LevelRecord, SensorHealth

from sourdine.errors import ConfigError, OutputError, printable
from sourdine.files import PRIVATE, lock_folder
from sourdine.outgoing.cloudevents import Record, encode
from sourdine.outgoing.continued import Kept

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

STORE_NAME: Final = "gateway.db"
#: Open records that waited for so long are given up.
KEPT_S: Final = 24 * 3600
TOPICS: Final[dict[type[Record], str]] = {
    Event: "sourdine.events.v1",
    LevelRecord: "sourdine.levels.v1",
    SensorHealth: "sourdine.health.v1",
}

_FORMAT: Final = 1
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS states (
    sensor_id INTEGER PRIMARY KEY, sealed BLOB NOT NULL, next_slot INTEGER NOT NULL, full_scale_db REAL
);
CREATE TABLE IF NOT EXISTS waiting (
    number INTEGER PRIMARY KEY AUTOINCREMENT, since INTEGER NOT NULL, topic TEXT NOT NULL, sensor_id INTEGER NOT NULL,
    value BLOB NOT NULL
);
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An open record that waits for the broker.

    Parameters
    ----------
    number : int
        In the order in which records are sent.
    topic : str
        Where to.
    sensor_id : int
        Its sensor.
    value : bytes
        The record as it leaves.
    """

    number: int
    topic: str
    sensor_id: int
    value: bytes


class Store:
    """States and waiting records of all sensors of a gateway.

    Parameters
    ----------
    folder : pathlib.Path
        Made if it is not there.

    Raises
    ------
    ConfigError
        If another process has it, or the file there is not ours.
    OutputError
        If it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / STORE_NAME
        self._records: list[Record] = []
        self._states: dict[int, tuple[bytes, int, float | None]] = {}
        with ExitStack() as stack:
            stack.enter_context(lock_folder(folder, ()))
            try:
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, PRIVATE))
                self._connection = stack.enter_context(closing(sqlite3.connect(self._path)))
                self._prepare()
            except OSError as error:
                raise OutputError(f"cannot write {printable(str(self._path))}: {error.strerror}") from None
            except sqlite3.DatabaseError as error:
                raise ConfigError(f"{printable(str(self._path))}: {error}: move it away to begin anew") from None
            self._open = stack.pop_all()

    def of(self, sensor_id: int, full_scale_db: float | None) -> SensorStore:
        """Return the part of one sensor.

        Parameters
        ----------
        sensor_id : int
            Number of the sensor.
        full_scale_db : float or None
            Calibration that it works with.
        """
        query = "SELECT sealed, next_slot, full_scale_db FROM states WHERE sensor_id = ?"
        row = self._connection.execute(query, (sensor_id,)).fetchone()
        return SensorStore(self, sensor_id, full_scale_db, None if row is None else Kept(*row))

    def take(
        self, sensor_id: int, sealed: bytes, next_slot: int, full_scale_db: float | None, records: Iterable[Record]
    ) -> None:
        """Take a sensor's records and the state after them, for the next `flush`.

        Parameters
        ----------
        sensor_id : int
            Number of the sensor.
        sealed : bytes
            Its state.
        next_slot : int
            First second that was not used yet.
        full_scale_db : float or None
            Calibration that it works with.
        records : iterable of Event, LevelRecord or SensorHealth
            What has just left the gates.
        """
        self._states[sensor_id] = sealed, next_slot, full_scale_db
        self._records += records

    def flush(self, now: float) -> tuple[int, int]:
        """Write down what was taken, in canonical order, and give up what is older than a day.

        Parameters
        ----------
        now : float
            Seconds since 1970-01-01T00:00:00Z.

        Returns
        -------
        tuple of int
            How many records were written down, and how many given up.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        states = [(sensor_id, *state) for sensor_id, state in self._states.items()]
        # The canonical bytes begin with kind, sensor and second.
        records = sorted(self._records, key=bytes)
        rows = [(int(now), TOPICS[type(record)], record.sensor_id, encode(record)) for record in records]
        try:
            with self._connection as transaction:
                transaction.executemany("REPLACE INTO states VALUES (?, ?, ?, ?)", states)
                transaction.executemany("INSERT INTO waiting VALUES (NULL, ?, ?, ?, ?)", rows)
                old = transaction.execute("DELETE FROM waiting WHERE since < ?", (int(now) - KEPT_S,))
        except sqlite3.Error as error:
            raise self._fault(error) from None
        self._states.clear()
        self._records.clear()
        return len(rows), old.rowcount

    def next(self, n_most: int) -> list[Waiting]:
        """Return the records that wait longest.

        Parameters
        ----------
        n_most : int
            How many at most.
        """
        rows = self._connection.execute(
            "SELECT number, topic, sensor_id, value FROM waiting ORDER BY number LIMIT ?", (n_most,)
        )
        return [Waiting(*row) for row in rows]

    @property
    def n_waiting(self) -> int:
        """How many records wait."""
        (n_rows,) = self._connection.execute("SELECT count(*) FROM waiting").fetchone()
        return int(n_rows)

    @property
    def oldest_s(self) -> int | None:
        """When the record that waits longest was written down; None if none waits."""
        row = self._connection.execute("SELECT since FROM waiting ORDER BY number LIMIT 1").fetchone()
        return None if row is None else int(row[0])

    def sent(self, numbers: Iterable[int]) -> None:
        """Let go of records that the broker has.

        Parameters
        ----------
        numbers : iterable of int
            Theirs.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        try:
            with self._connection as transaction:
                transaction.executemany("DELETE FROM waiting WHERE number = ?", [(number,) for number in numbers])
        except sqlite3.Error as error:
            raise self._fault(error) from None

    def close(self) -> None:
        """Close the file."""
        self._open.close()

    def _prepare(self) -> None:
        for setting in ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"):
            self._connection.execute(f"PRAGMA {setting}")
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version not in (0, _FORMAT):
            raise ConfigError(f"{printable(str(self._path))}: of another version: move it away to begin anew")
        self._connection.executescript(_TABLES)
        self._connection.execute(f"PRAGMA user_version = {_FORMAT}")

    def _fault(self, error: sqlite3.Error) -> OutputError:
        return OutputError(f"cannot write {printable(str(self._path))}: {error}")


class SensorStore:
    """What a listener keeps of its sensor.

    Parameters
    ----------
    store : Store
        Of the gateway.
    sensor_id : int
        Number of the sensor.
    full_scale_db : float or None
        Calibration that it works with.
    kept : Kept or None
        What an earlier process left.
    """

    def __init__(self, store: Store, sensor_id: int, full_scale_db: float | None, kept: Kept | None) -> None:
        self._store, self._sensor_id, self._full_scale_db = store, sensor_id, full_scale_db
        self.kept = kept

    def commit(self, sealed: bytes, next_slot: int, records: Iterable[Record]) -> None:
        """Write records down together with the state after them, with those of the other sensors.

        Parameters
        ----------
        sealed : bytes
            State of the stages, sealed.
        next_slot : int
            First second that was not used yet.
        records : iterable of Event, LevelRecord or SensorHealth
            What has just left the gates.
        """
        self._store.take(self._sensor_id, sealed, next_slot, self._full_scale_db, records)
