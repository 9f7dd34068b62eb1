"""What goes wrong in a datacentre, on the real broker: no event changes, and no input is committed too early.

`./run bench kafka` does the same and more, as often as it takes.
"""

from __future__ import annotations

import socket
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from tests.chain import SOURDINE
from tests.kafka.broker.server import Broker
from tests.kafka.chaos import mischief
from tests.kafka.chaos.history import Commit, History, Seen, faults, too_late
from tests.kafka.chaos.proxy import Proxy
from tests.kafka.chaos.town import Chaos
from tests.kafka.processes import Worker

SENSORS = range(10_000, 10_300)
LOADED = range(10_300, 10_324)
LOAD_S = 20


@contextmanager
def loaded(town: Chaos, city: Broker, key: Path, folder: Path) -> Iterator[None]:
    """Let `sourdine load` be some sensors more; what it says that it sent and expects goes into the history."""
    words = ["--sensors", str(len(LOADED)), "--first-sensor", str(LOADED.start), "--alarms-per-minute", "6"]
    words += ["--for", f"{LOAD_S}s", "--kafka", str(city.file_of("gateway")), "--key", str(key)]
    command = [*SOURDINE, "load", *words, "--ledger", "ledger", "--expect", "expected", "--quiet"]
    with subprocess.Popen(command, cwd=folder) as process:
        yield
        assert process.wait(120) == 0
    town.history.expected += (folder / "expected").read_bytes().splitlines()
    for line in (folder / "ledger").read_bytes().splitlines():
        span = orjson.loads(line)
        places = range(span["first"], span["last"] + 1)
        town.history.sent |= {(span["sensor_id"], span["boot_ns"], sequence) for sequence in places}
    assert {file.name for file in folder.iterdir()} == {"expected", "ledger"}


def test_kills_a_freeze_and_a_dead_broker_change_nothing(city: Broker, zone_key: Path, tmp_path: Path) -> None:
    (tmp_path / "load").mkdir()
    town = Chaos(city, tmp_path, zone_key, SENSORS)
    town.enrol(LOADED)
    with town:
        with loaded(town, city, zone_key, tmp_path / "load"):
            for name in ("classify-1", "gate-2"):
                killed = town.kill(town.workers[name])
                town.start_again(town.workers[name])
                town.wait_until_back(killed)
            mischief.freeze(town, 0.0)
        mischief.kill(town)
        mischief.kill_broker(town)
        assert town.faults() == []
        assert len(town.history.expected) > 100
        with ThreadPoolExecutor() as pool:
            assert list(pool.map(Worker.end, town.workers.values())) == [0, 0, 0, 0]


def seen(topic: str, offset: int, at_ms: int, sequence: int = 0, value: bytes = b"", reaches: int = -1) -> Seen:
    """Make a message of sensor 7."""
    return Seen(topic, 0, offset, at_ms, (7, 1, sequence), value, reaches)


def told(slot: int, confidence: int = 1) -> bytes:
    """Make an event."""
    data = {"sensor_id": 7, "confidence": confidence}
    return orjson.dumps(
        {"id": f"7/{slot}/horn", "time": f"2026-05-04T10:{slot // 60:02}:{slot % 60:02}Z", "data": data}
    )


@pytest.fixture
def calm() -> History:
    """Two windows, their candidates, a state that holds both, an event; committed when they stood."""
    return History(
        sent={(7, 1, 0), (7, 1, 1)},
        expected=[told(1)],
        windows=[seen("windows", 10, 1000, 0), seen("windows", 11, 1000, 1)],
        candidates=[seen("candidates", 5, 1100, 0), seen("candidates", 6, 1200, 1)],
        states=[seen("states", 1, 1300, reaches=6)],
        events=[seen("events", 1, 1250, value=told(1))],
        commits=[Commit(1150, "classify", 0, 11), Commit(1250, "classify", 0, 12), Commit(1350, "gate", 0, 7)],
    )


def test_the_checker_finds_nothing_where_all_is_well(calm: History) -> None:
    assert faults(calm) == []
    calm.events.append(replace(calm.events[0], kafka_offset=2))  # sent again, to the byte
    assert faults(calm) == []
    assert calm.n_twice == (0, 1)


def test_the_checker_asks_nothing_of_a_sensor_whose_windows_came_too_late(calm: History) -> None:
    calm.events.clear()
    assert faults(calm) == ["lost 7/1/horn"]
    calm.windows[1] = replace(calm.windows[1], appended_ms=120_001)
    assert too_late(calm) == {7}
    assert not [fault for fault in faults(calm) if fault.startswith("lost")]


def test_the_checker_finds_each_fault(calm: History) -> None:
    def found(change: str, **members: object) -> None:
        (fault,) = faults(replace(calm, **members))  # type: ignore[arg-type]
        assert fault.startswith(change), fault

    found("lost 7/1/horn", events=[])
    found("2 contents under 7/1/horn", events=[*calm.events, seen("events", 2, 1260, value=told(1, 2))])
    found("told, and not in the calm run: 7/2/horn", events=[*calm.events, seen("events", 2, 1260, value=told(2))])
    found("not as in the calm run: 7/1/horn", events=[seen("events", 1, 1250, value=told(1, 2))])
    found("1 windows never came", sent={*calm.sent, (7, 1, 2)})
    found("classify committed past an unsent output", commits=[Commit(1150, "classify", 0, 12)])
    found("classify committed past an unsent output", candidates=calm.candidates[:1])
    found("gate committed past an unsent output", commits=[Commit(1250, "gate", 0, 6)])
    found("gate committed past an unsent output", states=[seen("states", 1, 1300, reaches=5)])
    four = [told(slot) for slot in range(4)]
    found("sensor 7 told 4 times in minute", expected=four, events=[seen("events", 1, 1, value=one) for one in four])


@pytest.fixture
def echo() -> Iterator[int]:
    """Something that answers with what it is told."""

    class Answer(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while heard := self.request.recv(100):
                self.request.sendall(heard)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answer) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def is_broken(line: socket.socket) -> bool:
    """Whether the other end is gone."""
    try:
        return line.recv(100) == b""
    except ConnectionResetError:
        return True


def test_a_silent_cut_holds_back_and_a_hard_one_breaks(echo: int) -> None:
    proxy = Proxy()
    proxy.to_port = echo
    with socket.create_connection(("127.0.0.1", proxy.port), 10.0) as line:
        line.sendall(b"before")
        assert line.recv(100) == b"before"
        proxy.cut(is_hard=False)
        line.sendall(b"during")
        line.settimeout(0.3)
        with pytest.raises(TimeoutError):
            line.recv(100)
        proxy.mend()
        line.settimeout(10.0)
        assert line.recv(100) == b"during"
        proxy.cut(is_hard=True)
        assert is_broken(line)
    with socket.create_connection(("127.0.0.1", proxy.port), 10.0) as refused:
        assert is_broken(refused)
    proxy.mend()
    with socket.create_connection(("127.0.0.1", proxy.port), 10.0) as line:
        line.sendall(b"after")
        assert line.recv(100) == b"after"
    proxy.close()
