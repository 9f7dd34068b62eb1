"""Sinks on the real broker and a real database: every record once, whatever ends in between."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from tests.kafka.broker.server import Broker
from tests.kafka.places import Files, Place, Tables, in_order, wait_for
from tests.kafka.processes import wait_until
from tests.kafka.sinks import START, Sender, SinkProcess, event, health, level
from tests.postgres import Database

from sourdine.outgoing.cloudevents import Data, canonical
from sourdine.sinks.counts import Counts
from sourdine.sinks.database import load
from sourdine.sinks.drain import drain
from sourdine.sinks.postgres import PostgresStore

N_MANY = 6_000
#: Ends in order within this; a busy machine gets something on top.
END_S = 5.0 + 3.0
LOUD: Data = {"sound_class": "glass_break", "level_db": 90, "scale": "db"}
READS, WAITS, WRITES_AGAIN = '"event":"reads"', '"event":"store_away"', '"event":"store_back"'
SECRET = "heard two people talk"


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    """Start a server for all tests of this file."""
    made = Database()
    try:
        made.start()
        yield made
    finally:
        made.remove()


@pytest.fixture(params=["file", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Make an empty folder or database."""
    if request.param == "file":
        return Files(tmp_path)
    return Tables(request.getfixturevalue("database"), tmp_path)


@pytest.fixture
def tables(database: Database, tmp_path: Path) -> Tables:
    """Make an empty database."""
    return Tables(database, tmp_path)


@pytest.fixture
def sensors(request: pytest.FixtureRequest) -> range:
    """Give sensors that no other test sends for."""
    first = 1_000_000 + 100 * (crc32(request.node.nodeid.encode()) % 1_000_000)
    return range(first, first + 40)


@pytest.fixture
def start(city: Broker, tmp_path: Path) -> Iterator[Callable[[str], SinkProcess]]:
    """Start sinks as their user, and kill those that are left."""
    made: list[SinkProcess] = []

    def start(to: str, user: str = "sink") -> SinkProcess:
        made.append(SinkProcess(city.file_of(user), tmp_path, to, tmp_path.name[-50:]))
        return made[-1].start()

    yield start
    for one in made:
        one.kill()


def rubbish(sensor_id: int) -> list[tuple[str, bytes | None, bytes | None, str]]:
    """Give messages that are no records, each with the reason."""
    good = canonical("event", event(sensor_id, 999))
    key, data = b"%d" % sensor_id, json.loads(good)["data"]
    secret = SECRET.encode()
    return [
        ("event", key, None, "not_json"),
        ("event", key, secret, "not_json"),
        ("event", key, good[:-1], "not_json"),
        ("event", key, b"\xff" + good, "not_json"),
        ("event", key, b"[" * 900, "not_json"),
        ("event", key, good + b" " * 2000, "too_long"),
        ("event", key, b"null", "not_a_record"),
        ("event", key, canonical("event", data | {"sound_class": SECRET}), "not_a_record"),
        ("event", key, canonical("event", data | {"confidence": 4}), "not_a_record"),
        ("event", key, canonical("event", data | {"level_db": -30}), "not_a_record"),
        ("event", key, canonical("event", data | {"comment": SECRET}), "not_a_record"),
        ("level", key, good, "not_a_record"),
        ("event", key, good + b" ", "not_canonical"),
        ("event", key, good.replace(b"horn/", b"siren/").replace(b'Z/horn"', b'Z/siren"'), "not_canonical"),
        ("event", key, good.replace(b'"1.0"', b'"%s"' % secret), "not_canonical"),
        ("event", b"1", good, "other_key"),
        ("event", None, good, "other_key"),
    ]


def test_each_record_stands_once_and_rubbish_never(
    place: Place, sensors: range, city: Broker, start: Callable[[str], SinkProcess]
) -> None:
    sender, one = Sender(city), sensors[0]
    sent = [("event", event(sensor, n)) for sensor in sensors for n in range(5)]
    sent += [("level", level(sensor, n)) for sensor in sensors for n in range(5)]
    sent += [("health", health(sensor, n)) for sensor in sensors for n in range(5)]
    sent += [("event", event(one, n) | LOUD) for n in range(5, 8)]
    for _ in range(2):
        for kind, data in sent:
            sender.send(kind, [data])
    sender.send("event", [event(one, 2, confidence=0)])
    refused = rubbish(one)
    for kind, key, value, _ in refused:
        sender.send_raw(kind, key, value)
    sender.send("event", [event(one, 100)])
    sender.flush()
    sink = start(place.to)
    expected = in_order([*sent, ("event", event(one, 100))])
    assert in_order(wait_for(place, sensors, len(expected), sink)) == expected
    code, took_s, counts = sink.end()
    assert (code, took_s < END_S) == (0, True)
    assert counts["n_duplicates"] >= len(sent)
    assert counts["n_conflicts"] >= 1
    assert sink.said('"event":"conflict"') >= 1
    for reason in {reason for *_, reason in refused}:
        assert counts["refused"][reason] >= sum(why == reason for *_, why in refused)
    assert sink.said('"event":"refused"') <= 2 * len({reason for *_, reason in refused}), (
        "with the first and at the end"
    )
    assert sink.said(SECRET) == 0


def test_kills_lose_nothing_and_double_nothing(
    place: Place, sensors: range, city: Broker, start: Callable[[str], SinkProcess]
) -> None:
    sender, sink = Sender(city), start(place.to)
    others = range(sensors.start + 50, sensors.start + 90)
    for other in others:
        sender.send("event", [event(other, 0)])
        sender.send("level", [level(other, 0)])
        sender.send("health", [health(other, 0)])
    sender.flush()
    wait_for(place, others, 3 * len(others), sink)  # whatever other tests have sent is read by now
    sent = [event(sensor, n) for n in range(N_MANY // len(sensors)) for sensor in sensors]
    seen = 0
    for n in range(4):
        sender.send("event", sent[n::4])  # and does not wait until it is sent
        seen = len(wait_for(place, sensors, seen + 1, sink))
        sink.kill()
        n_read = sink.said(READS)
        sink.start()
    sender.flush()
    wait_until(lambda: sink.said(READS) > n_read, "it reads")
    found = wait_for(place, sensors, len(sent), sink)
    assert in_order(found) == in_order([("event", data) for data in sent])
    code, _, counts = sink.end()
    assert (code, counts["n_duplicates"], counts["n_conflicts"]) == (0, 0, 0), "how far was read goes with the records"


def test_a_database_that_is_away_is_waited_for(
    tables: Tables, sensors: range, city: Broker, start: Callable[[str], SinkProcess]
) -> None:
    sender, one, database = Sender(city), sensors[0], tables.server
    sender.send("event", [event(one, 0)])
    sender.flush()
    sink = start(tables.to)
    wait_for(tables, sensors, 1, sink)
    database.stop()
    try:
        sender.send("event", [event(one, n) for n in range(1, 200)])
        sender.flush()
        wait_until(lambda: sink.said(WAITS) == 1, "it says that it waits")
        database.start()
        wait_for(tables, sensors, 200, sink)
        assert (sink.said(WAITS), sink.said(WRITES_AGAIN)) == (1, 1)
    finally:
        database.stop()
        database.start()
    sender.send("event", [event(one, 200)])
    sender.flush()
    wait_for(tables, sensors, 201, sink)
    database.freeze()
    try:
        sender.send("event", [event(one, n) for n in range(201, 300)])
        sender.flush()
        time.sleep(1.0)  # until it waits for an answer
        code, took_s, _ = sink.end()
        assert (code, took_s < END_S) == (0, True)
    finally:
        database.thaw()
    sink.start()
    found = wait_for(tables, sensors, 300, sink)
    assert in_order(found) == in_order([("event", event(one, n)) for n in range(300)])


def test_a_broker_that_is_away_is_waited_for(
    tmp_path: Path, sensors: range, city: Broker, start: Callable[[str], SinkProcess]
) -> None:
    place, one = Files(tmp_path), sensors[0]
    sink = start(place.to)
    Sender(city).send_and_flush("event", [event(one, n) for n in range(10)])
    wait_for(place, sensors, 10, sink)
    city.kill()
    city.start()
    Sender(city).send_and_flush("event", [event(one, n) for n in range(10, 20)])
    assert in_order(wait_for(place, sensors, 20, sink)) == in_order([("event", event(one, n)) for n in range(20)])
    assert sink.end()[0] == 0


def test_two_machines_share_the_work_and_one_takes_over(
    tables: Tables, sensors: range, city: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("aiokafka"), "handlers", [])
    settings, said = load(Path(tables.to.partition(":")[2])), list[str]()
    counts = [Counts(lambda told, **_: said.append(told)) for _ in range(2)]

    async def wait_for_rows(n: int) -> None:
        for _ in range(300):
            if len(await asyncio.to_thread(tables.records, sensors)) >= n:
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"{n} records did not come: {said}")

    async def both() -> None:
        ends, tasks = [asyncio.Event(), asyncio.Event()], []
        for number, (end, count) in enumerate(zip(ends, counts, strict=True)):
            monkeypatch.setattr("sourdine.sinks.reader.socket.gethostname", lambda number=number: f"machine-{number}")
            store = PostgresStore(settings, "shared")
            tasks.append(asyncio.create_task(drain(city.settings("sink"), "shared", store, count, end)))
            while len(said) <= number:
                await asyncio.sleep(0.1)
        await asyncio.sleep(4.0)  # until both have their share
        begin = [count.n_kept for count in counts]
        Sender(city).send_and_flush("event", [event(sensor, n) for sensor in sensors for n in range(10)])
        await wait_for_rows(10 * len(sensors))
        assert all(count.n_kept > before for count, before in zip(counts, begin, strict=True)), "each had its share"
        ends[0].set()
        await tasks[0]
        Sender(city).send_and_flush("event", [event(sensor, n) for sensor in sensors for n in range(10, 20)])
        await wait_for_rows(20 * len(sensors))
        ends[1].set()
        await tasks[1]

    asyncio.run(both())
    sent = [("event", event(sensor, n)) for sensor in sensors for n in range(20)]
    assert in_order(tables.records(sensors)) == in_order(sent)


def free_port() -> int:
    """Give a port on which nobody answers."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_what_a_database_refuses_is_said_in_one_line(
    tables: Tables, database: Database, tmp_path: Path, start: Callable[[str], SinkProcess]
) -> None:
    def refusal(user: str, password: str, **changes: str) -> tuple[int, str]:
        """Start a sink that cannot; its code and its line."""
        sink = start(f"postgres:{database.settings_file(tmp_path, tables.name, user, password, **changes)}")
        return sink.wait(), sink.log.read_text("utf-8")

    database.ask("postgres", f"CREATE ROLE {tables.name}_2 LOGIN PASSWORD 'has no rights'")
    cases: dict[str, tuple[int, dict[str, Any]]] = {
        "refuses user": (7, {"password": "a wrong one"}),
        "is not there": (7, {"database": "nowhere"}),
        "may not write there": (7, {"user": f"{tables.name}_2", "password": "has no rights"}),
        "gives no answer": (6, {"port": str(free_port())}),
        "PLAINTEXT is for": (2, {"host": "db.example.org", "security": "PLAINTEXT"}),
    }
    for words, (code, changes) in cases.items():
        user, password = changes.pop("user", tables.name), changes.pop("password", tables.password)
        found, line = refusal(user, password, **changes)
        assert (found, line.count("\n")) == (code, 1), line
        assert words in line
        assert password not in line
    sink = start(tables.to)
    wait_until(lambda: sink.said(READS) == 1, "it reads")
    sink.end()
    database.ask(tables.name, "UPDATE sourdine.version SET version = 2")
    found, line = refusal(tables.name, tables.password)
    assert (found, "of version 2" in line, line.count("\n")) == (2, True, 1)


def test_what_the_broker_refuses_is_said_in_one_line(
    city: Broker, tmp_path: Path, start: Callable[..., SinkProcess]
) -> None:
    city.add_user("stranger")
    (password := tmp_path / "wrong").touch(mode=0o600)
    password.write_text("a wrong password", "ascii")
    good = city.file_of("sink").read_text("utf-8")
    for name, old, new in (
        ("wrong-password", str(city.file_of("sink").with_suffix(".password")), str(password)),
        ("unreachable", city.bootstrap, f"127.0.0.1:{free_port()}"),
    ):
        assert old in good
        city.file_of(name).write_text(good.replace(old, new), "utf-8")
    cases = {
        "wrong-password": (7, "refuses user sink"),
        "unreachable": (6, "gives no answer"),
        "stranger": (7, "or user stranger may not read it"),
        "console": (7, "not read in group"),
    }
    for user, (code, words) in cases.items():
        folder = tmp_path / user
        sink = start(f"file:{folder}", user)
        found = sink.wait()
        lines = [line for line in sink.log.read_text("utf-8").splitlines() if line.startswith("sourdine: ")]
        assert (found, len(lines)) == (code, 1), lines
        assert words in lines[0]
        assert not list(folder.glob("*.jsonl")), "nothing was begun"


def test_two_sinks_in_one_folder_are_one_too_many(tmp_path: Path, start: Callable[[str], SinkProcess]) -> None:
    first = start(f"file:{tmp_path / 'out'}")
    wait_until(lambda: first.said(READS) == 1, "it reads")
    assert start(f"file:{tmp_path / 'out'}").wait() == 2
    assert first.end()[0] == 0


def test_interrupted_by_hand_ends_in_order_too(tmp_path: Path, start: Callable[[str], SinkProcess]) -> None:
    sink = start(f"file:{tmp_path / 'out'}")
    wait_until(lambda: sink.said(READS) == 1, "it reads")
    assert sink.end(signal.SIGINT)[0] == 0


def test_start_is_a_minute_of_the_clock() -> None:
    assert START % 60 == 0
