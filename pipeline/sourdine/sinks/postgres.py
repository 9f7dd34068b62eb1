"""Records as rows of PostgreSQL, and how far was read in the same transaction."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import asyncpg

from sourdine.errors import AccessError, ConfigError, SourdineError, TransportError
from sourdine.sinks.store import Arrived, AwayError, Outcome, Place, firsts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sourdine.sinks.database import DatabaseSettings

SCHEMA: Final = Path(__file__).with_name("schema.sql")
_VERSION: Final = 1

#: Longest that a server which runs takes to answer.
_CONNECT_S: Final = 5.0
_ANSWER_S: Final = 20.0
#: … and to say goodbye.
_CLOSE_S: Final = 0.5
#: Sinks that start at the same time make the tables one after the other.
_LOCK: Final = 0x736F7572_64696E65

#: Columns of each table, and the first of them that make the id.
_COLUMNS: Final[dict[str, dict[str, str]]] = {
    "event": {"sensor_id": "bigint", "slot": "bigint", "sound_class": "text",
              "level_db": "smallint", "scale": "text", "confidence": "smallint"},
    "level": {"sensor_id": "bigint", "slot": "bigint", "metric": "text", "level_db": "smallint", "scale": "text"},
    "health": {"sensor_id": "bigint", "slot": "bigint", "state": "text"},
}  # fmt: skip
_N_ID: Final = {"event": 3, "level": 3, "health": 2}

#: Classes of SQLSTATE that pass: connection, transaction rolled back, resources, operator's work, system, read-only.
_PASSING: Final = ("08", "40", "53", "55", "57", "58", "25006")


class PostgresStore:
    """The tables of `schema.sql`.

    Parameters
    ----------
    settings : DatabaseSettings
        Where they are.
    sink : str
        Name of this sink: each goes on from a place of its own.
    """

    def __init__(self, settings: DatabaseSettings, sink: str) -> None:
        self._settings, self._sink = settings, sink
        self._connection: Any = None

    async def open(self) -> None:
        """Connect, and make the tables if they are not there.

        Raises
        ------
        TransportError
            If the server cannot be reached.
        AccessError
            If it refuses.
        ConfigError
            If its tables are of another version.
        """
        try:
            await self._connected()
        except AwayError as away:
            raise TransportError("unreachable", f"{away}: check host and port, and that it runs") from None

    async def places(self) -> dict[Place, int]:
        """Return the offset to go on from in each partition that was read before.

        Returns
        -------
        dict
            By topic and partition.

        Raises
        ------
        AwayError
            If the server does not answer for now.
        """
        try:
            connection = await self._connected()
            words = "SELECT topic, partition, next_offset FROM sourdine.place WHERE sink = $1"
            return {(row[0], row[1]): row[2] for row in await connection.fetch(words, self._sink)}
        except _FAULTS as error:
            self._refuse(error)

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
            If the server does not take it for now; nothing of it is written.
        SourdineError
            If it never will.
        """
        outcome = Outcome()
        new = firsts(records, outcome)
        try:
            connection = await self._connected()
            async with connection.transaction():
                for kind in _COLUMNS:
                    # In one order everywhere, so that two sinks never wait for each other.
                    of_kind = [new[identity] for identity in sorted(new) if identity[0] == kind]
                    if of_kind:
                        outcome.add(await _insert(connection, kind, of_kind))
                rows = [(self._sink, *place, offset) for place, offset in sorted(places.items())]
                await connection.executemany(_PLACE, rows)
        except _FAULTS as error:
            self._refuse(error)
        return outcome

    async def close(self) -> None:
        """Disconnect."""
        try:
            if self._connection is not None:
                with suppress(*_FAULTS):
                    await self._connection.close(timeout=_CLOSE_S)
        finally:
            self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def _connected(self) -> Any:
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        try:
            connection = await asyncpg.connect(
                **self._settings.for_asyncpg(),
                timeout=_CONNECT_S,
                command_timeout=_ANSWER_S,
                server_settings={"application_name": "sourdine sink", "timezone": "UTC"},
            )
        except _FAULTS as error:
            self._refuse(error)
        try:
            await self._migrate(connection)
        except _FAULTS as error:
            connection.terminate()
            self._refuse(error)
        except SourdineError:
            connection.terminate()
            raise
        self._connection = connection
        return connection

    async def _migrate(self, connection: Any) -> None:
        """Make the tables where there are none, and leave those of another version alone."""
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            there = await connection.fetchval("SELECT to_regclass('sourdine.version') IS NOT NULL")
            if not there:
                await connection.execute(SCHEMA.read_text("utf-8"))
                return
            version = await connection.fetchval("SELECT max(version) FROM sourdine.version")
        if version != _VERSION:
            words = f"of version {version}, and this sourdine writes version {_VERSION}: update sourdine"
            raise ConfigError(f"{self._where()} has tables {words}, or choose another database")

    def _refuse(self, error: BaseException) -> NoReturn:
        """Say what stands in the way; the server's own texts may hold what belongs into its log alone."""
        where, user = self._where(), self._settings.user
        if isinstance(error, ssl.SSLError):
            words = "has no certificate for this host by ca_file: check host and ca_file"
            raise AccessError("certificate", f"{where} {words}") from None
        if not isinstance(error, asyncpg.PostgresError):
            self._drop()
            raise AwayError(f"{where} gives no answer ({type(error).__name__})", error) from None
        state = error.sqlstate or ""
        if state.startswith("28"):
            raise AccessError("password", f"{where} refuses user {user}: check user and password_file") from None
        if state == "3D000":
            raise AccessError("database", f"{where} is not there: make it with createdb, or check database") from None
        if state == "42501":
            words = f"let its owner grant CREATE on the database to {user}, or run {SCHEMA} and grant what it says"
            raise AccessError("right", f"{where}: user {user} may not write there: {words}") from None
        if state.startswith(_PASSING):
            raise AwayError(f"{where} takes nothing ({type(error).__name__})", error) from None
        words = f"refuses what is written ({type(error).__name__}); its log says more"
        raise AccessError("refused", f"{where} {words}") from None

    def _where(self) -> str:
        settings = self._settings
        return f"database {settings.database} at {settings.host}:{settings.port}"


#: What asyncpg raises when something is not as it should be.
_FAULTS: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, asyncio.TimeoutError)

_PLACE: Final = (
    "INSERT INTO sourdine.place VALUES ($1, $2, $3, $4) "
    "ON CONFLICT (sink, topic, partition) DO UPDATE SET next_offset = excluded.next_offset"
)


async def _insert(connection: Any, kind: str, records: list[Arrived]) -> Outcome:
    """Write down what is not there, and compare what is."""
    columns, outcome = _COLUMNS[kind], Outcome()
    names = tuple(columns)
    values = [[record.data[name] for record in records] for name in names]
    asked = ", ".join(f"${number}::{type_}[]" for number, type_ in enumerate(columns.values(), 1))
    fields = ", ".join(names)
    written = ", ".join(_AT if name == "slot" else name for name in names)
    back = ", ".join(_SLOT if name == "slot" else name for name in names[: _N_ID[kind]])
    words = (
        f"INSERT INTO sourdine.{kind} SELECT {written} FROM unnest({asked}) AS new ({fields}) "
        f"ON CONFLICT DO NOTHING RETURNING {back}"
    )
    made = {tuple(row) for row in await connection.fetch(words, *values)}
    outcome.n_kept = len(made)
    old = {key: record for record in records if (key := _key(record, names[: _N_ID[kind]])) not in made}
    if old:
        there = await _there(connection, kind, list(old))
        for key, record in old.items():
            row = tuple(record.data[name] for name in names)
            outcome.note(record.identity, is_same=there.get(key, row) == row)
    return outcome


async def _there(connection: Any, kind: str, keys: list[tuple[Any, ...]]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Read rows by their ids."""
    names = list(_COLUMNS[kind].items())[: _N_ID[kind]]
    asked = ", ".join(f"${number}::{type_}[]" for number, (_, type_) in enumerate(names, 1))
    match = " AND ".join(
        f"there.time = to_timestamp(asked.{name})" if name == "slot" else f"there.{name} = asked.{name}"
        for name, _ in names
    )
    back = ", ".join(f"there.{name}" if name != "slot" else _SLOT for name in _COLUMNS[kind])
    fields = ", ".join(name for name, _ in names)
    words = f"SELECT {back} FROM unnest({asked}) AS asked ({fields}) JOIN sourdine.{kind} AS there ON {match}"
    rows = await connection.fetch(words, *(list(column) for column in zip(*keys, strict=True)))
    return {tuple(row)[: len(names)]: tuple(row) for row in rows}


def _key(record: Arrived, names: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(record.data[name] for name in names)


_AT: Final = "to_timestamp(slot)"
_SLOT: Final = "extract(epoch FROM time)::bigint"
