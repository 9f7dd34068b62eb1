"""What sinks write into, as the tests read it back: tables of a database, or files of a folder."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Protocol

from tests.kafka.processes import wait_until
from tests.kafka.sinks import SinkProcess
from tests.postgres import Database

from sourdine.outgoing.cloudevents import Data, canonical


class Place(Protocol):
    """What a sink writes into."""

    to: str

    def records(self, sensors: range) -> list[tuple[str, Data]]:
        """Read what stands there of some sensors."""


class Tables:
    """A database of its own."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.name = "city_" + secrets.token_hex(4)
        self.server, self.folder, self.password = database, folder, secrets.token_urlsafe(12)
        database.ask("postgres", f"CREATE ROLE {self.name} LOGIN PASSWORD '{self.password}'")
        database.ask("postgres", f"CREATE DATABASE {self.name}")
        database.ask("postgres", f"GRANT CREATE ON DATABASE {self.name} TO {self.name}")
        self.to = f"postgres:{database.settings_file(folder, self.name, self.name, self.password)}"

    def records(self, sensors: range) -> list[tuple[str, Data]]:
        found: list[tuple[str, Data]] = []
        slot, where = "extract(epoch FROM time)::bigint AS slot", "WHERE sensor_id BETWEEN $1 AND $2"
        members = {
            "event": f"sensor_id, {slot}, sound_class, level_db, scale, confidence",
            "level": f"sensor_id, {slot}, metric, level_db, scale",
            "health": f"sensor_id, {slot}, state",
        }
        for kind, names in members.items():
            words = f"SELECT {names} FROM sourdine.{kind} {where}"
            rows = self.server.ask(self.name, words, sensors.start, sensors.stop - 1)
            found += [(kind, dict(row)) for row in rows]
        return found


class Files:
    """A folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "out"
        self.to = f"file:{self.folder}"

    def records(self, sensors: range) -> list[tuple[str, Data]]:
        found = []
        for file in self.folder.glob("*.jsonl"):
            for line in file.read_bytes().splitlines():
                one = json.loads(line)
                if one["data"]["sensor_id"] in sensors:
                    found.append((one["type"].split(".")[2], one["data"]))
        return found


def in_order(records: list[tuple[str, Data]]) -> list[str]:
    """Sort records, each once for each time that it stands there."""
    return sorted(f"{kind} {canonical(kind, data).decode()}" for kind, data in records)


def wait_for(place: Place, sensors: range, n: int, sink: SinkProcess) -> list[tuple[str, Data]]:
    """Wait until so many records stand there."""
    found: list[tuple[str, Data]] = []

    def are_there() -> bool:
        nonlocal found
        try:
            found = place.records(sensors)
        except Exception:  # noqa: BLE001  tables that are not made yet, a server that is down
            return False
        return len(found) >= n

    try:
        wait_until(lambda: are_there() or not sink.runs, f"{n} records", 90.0)
        assert len(found) >= n, f"{n} records before it ended"
    except AssertionError as late:
        raise AssertionError(f"{late}, but {len(found)}\n{sink.log.read_text('utf-8')[-2000:]}") from None
    return found
