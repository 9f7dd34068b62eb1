"""Workers as an operator sees them, on the real broker: pages, log, how they end."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from tests.kafka.broker.server import Broker
from tests.kafka.city import CANDIDATES, EVENTS, REJECTS, WINDOWS, City, events_of, recently, windows_of
from tests.kafka.pages import free_port, read
from tests.kafka.processes import Worker, wait_until
from tests.sounds import eventful

from sourdine.operations.ending import END_S
from sourdine.operations.metrics import METRICS

SENTINEL = b"heard-two-people-talk"
NO_LAG = "sourdine_worker_lag_seconds 0.0"
READY = '{"ready": true}'


@dataclass(frozen=True)
class Watched:
    """A worker, and the port of its pages."""

    worker: Worker
    port: int

    @property
    def facts(self) -> tuple[Any, ...]:
        """What someone who watches it sees."""
        return read(self.port, "metrics"), read(self.port, "ready"), len(lines(self.worker))


@pytest.fixture(scope="module")
def town(city: Broker, zone_key: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """End the workers that are left."""
    made = City(city, tmp_path_factory.mktemp("watched"), zone_key)
    yield made
    made.end()


@pytest.fixture(scope="module")
def watched(town: City) -> list[Watched]:
    """Start a worker of each stage with pages, once for all tests here, and wait until they say that they are ready."""
    made = []
    town.enrol(range(3200, 3300))  # before the gate reads states
    for stage in ("classify", "gate"):
        port = free_port()
        made.append(Watched(town.start(stage, "1", SOURDINE_METRICS=str(port)), port))
    for one in made:
        wait_until(lambda one=one: read(one.port, "ready") == (200, READY), "it is ready")  # type: ignore[misc]
    return made


def lines(worker: Worker) -> list[dict[str, Any]]:
    """Read a log; each line of it is an object."""
    return [json.loads(line) for line in worker.log.read_text("utf-8").splitlines()]


def told(worker: Worker, event: str) -> int:
    """Count how often a log tells of an event."""
    return sum(line["event"] == event for line in lines(worker))


def voices(folder: Path, n_samples: int) -> Any:
    """Let real people talk, one after the other."""
    files = sorted((folder / "many_speakers").glob("*.flac"))
    samples = np.concatenate([soundfile.read(file)[0] for file in files[:12]])
    return np.resize(samples / np.abs(samples).max(), n_samples)


def test_what_is_said_in_the_street_changes_no_page_and_no_log(
    town: City, watched: list[Watched], speech: Path
) -> None:
    quiet, loud = range(3200, 3212), range(3220, 3232)
    sound, start, seen = eventful(30.0), recently(), []
    talk = np.clip(sound + 0.3 * voices(speech, len(sound)), -1.0, 1.0)
    before = [one.facts for one in watched]
    n_windows = []
    for sensors, scene in ((quiet, sound), (loud, talk)):
        sealed = {sensor: windows_of(sensor, scene, start, town.sealer) for sensor in sensors}
        n_windows.append(sum(map(len, sealed.values())))
        for sensor, windows in sealed.items():
            for window in windows:
                town.send(WINDOWS, sensor, window)
        town.flush()
        town.wait_for(CANDIDATES, n_windows[-1], sensors)
        wait_until(lambda: town.lag("sourdine-classify", WINDOWS) == 0, "all is scored")
        expected = [event for sensor in sensors for event in events_of(sensor, scene, start)]
        assert sorted(set(town.wait_for(EVENTS, len(expected), sensors))) == sorted(expected)
        for one in watched:  # on a busy machine it may have been behind
            wait_until(lambda one=one: NO_LAG in read(one.port, "metrics")[1], "no lag")  # type: ignore[misc]
        seen.append([one.facts for one in watched])
    assert n_windows[0] != n_windows[1], "the scenes differ in what is sent"
    assert before == seen[0] == seen[1]
    assert town.wait_for(REJECTS, 0, [*quiet, *loud]) == []
    for one in watched:
        shown = set(re.findall(r"^# TYPE (\w+)", read(one.port, "metrics")[1], re.MULTILINE))
        assert shown == {name for name, metric in METRICS.items() if metric.is_of("worker")}


def test_refusals_are_shown_without_what_was_refused(town: City, watched: list[Watched]) -> None:
    worker, port = watched[0].worker, watched[0].port
    good = windows_of(3240, eventful(4.0), recently(), town.sealer)[0]
    for value in (SENTINEL * 20, SENTINEL * 5_000, good[:1] + b"\x09" + good[2:], good[:-1] + SENTINEL):
        town.send(WINDOWS, 3240, value)
        town.send(WINDOWS, 3240, value, SENTINEL)
    for number in range(3_000):  # a rogue sensor that invents numbers
        town.send(WINDOWS, 4_000_000_000 + number, SENTINEL)
    town.flush()
    wait_until(lambda: 'refuses{reason="bad_key"} 1.0' in read(port, "metrics")[1], "it is shown")
    wait_until(lambda: town.lag("sourdine-classify", WINDOWS) == 0, "all of it is refused")
    page, log = read(port, "metrics")[1], worker.log.read_text("utf-8")
    assert SENTINEL.decode() not in page + log
    assert len(page.splitlines()) < 60
    assert "sensor" not in re.sub(r"# HELP .*", "", page)
    assert "_total{" not in page, "nothing of the hour that is not over"
    assert {line["event"] for line in lines(worker)} == {"started", "assigned"}


def n_in(town: City, topic: str) -> int:
    """Count the messages of a topic."""
    return sum(end for (name, _), end in town._ends().items() if name == topic)


def test_told_to_end_under_load_nothing_is_lost_and_nothing_comes_twice(town: City, watched: list[Watched]) -> None:
    sensors, sound = range(3260, 3296), eventful(30.0)
    start = (
        int(time.time()) - 28
    )  # on a busy machine it takes long until all is sent, and what is 120 s old does not count
    sealed = {sensor: windows_of(sensor, sound, start, town.sealer) for sensor in sensors}
    n_windows = sum(map(len, sealed.values()))
    for sensor, windows in sealed.items():
        for window in windows:
            town.send(WINDOWS, sensor, window)
    before = n_in(town, CANDIDATES)
    town.flush()
    wait_until(lambda: n_in(town, CANDIDATES) > before, "it has begun")
    for worker in (one.worker for one in watched):
        begin = time.monotonic()
        assert worker.end() == 0
        assert time.monotonic() - begin < END_S + 3.0
        assert [line["event"] for line in lines(worker)][-2:] == ["stopping", "stopped"]
    assert town.lag("sourdine-classify", WINDOWS) > 0, "it ended in the middle of it"
    for one in watched:
        one.worker.start()
    expected = [event for sensor in sensors for event in events_of(sensor, sound, start)]
    assert sorted(town.wait_for(EVENTS, len(expected), sensors)) == sorted(expected)
    candidates = town.wait_for(CANDIDATES, n_windows, sensors)
    assert len(candidates) == len(set(candidates)) == n_windows


def test_of_two_workers_of_one_name_one_gives_in(town: City, watched: list[Watched]) -> None:
    first = watched[0].worker
    again = Worker("sourdine.agents.app", town._folder, "again", **first.settings | {"SOURDINE_METRICS": ""})
    again.start()
    try:
        wait_until(lambda: again.has_ended() or first.has_ended(), "one gives in", 90.0)
        ended = again if again.has_ended() else first
        assert ended.end() == 12
        assert told(ended, "name_taken") == 1
    finally:
        again.end(signal.SIGKILL)


def test_a_broker_that_is_away_cannot_hold_a_worker_that_is_told_to_end(
    town: City, watched: list[Watched], city: Broker
) -> None:
    gate = watched[1].worker
    city.kill()
    try:
        begin = time.monotonic()
        assert gate.end() in {0, 13}
        assert time.monotonic() - begin < END_S + 3.0
        assert all(isinstance(line, dict) for line in lines(gate))
    finally:
        city.start()
