"""What goes wrong in a datacentre, on the real broker: workers that freeze, a broker that dies. No event changes."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.kafka.broker.server import Broker
from tests.kafka.city import EVENTS, WINDOWS, City, events_of, recently, windows_of
from tests.kafka.processes import Worker, wait_until
from tests.sounds import eventful


@pytest.fixture
def town(city: Broker, zone_key: Path, tmp_path: Path) -> Iterator[City]:
    """End the workers that are left."""
    made = City(city, tmp_path, zone_key)
    yield made
    made.end()


@contextmanager
def supervised(workers: list[Worker]) -> Iterator[None]:
    """Start workers again when they end, as a service manager does."""
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(0.5):
            for worker in workers:
                if worker.has_ended():
                    worker.start()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        is_over.set()
        watcher.join()


class Scene:
    """The same sound at some sensors, sent in parts; and what must come of it."""

    def __init__(self, town: City, sensors: range) -> None:
        self.town, self.sensors = town, sensors
        sound, start = eventful(30.0), recently()
        town.enrol(sensors)
        self.expected = [event for sensor in sensors for event in events_of(sensor, sound, start)]
        self._sealed = {sensor: windows_of(sensor, sound, start, town.sealer) for sensor in sensors}

    def send(self, begin: float, end: float) -> None:
        """Send a part of the windows."""
        for sensor, windows in self._sealed.items():
            for sealed in windows[round(begin * len(windows)) : round(end * len(windows))]:
                self.town.send(WINDOWS, sensor, sealed)
        self.town.flush()

    def check(self) -> None:
        """Hold what a foreign reader finds against what one process gives: nothing lost, nothing under one id twice."""
        found = self.town.wait_for(EVENTS, len(self.expected), self.sensors)
        assert sorted(set(found)) == sorted(self.expected)
        assert len({orjson.loads(event)["id"] for event in found}) == len(self.expected)


def gate_owners(town: City) -> dict[str, int]:
    """Count the partitions of each gate."""
    group: Any = town.members("sourdine-gate")
    return {member.group_instance_id: len(member.assignment.topic_partitions) for member in group}


def test_a_gate_that_was_frozen_wakes_up_and_changes_nothing(town: City) -> None:
    scene = Scene(town, range(400, 406))
    town.start("classify", "1")
    gates = [town.start("gate", name) for name in ("1", "2")]
    wait_until(lambda: sorted(gate_owners(town).values()) == [6, 6], "both gates have their share")
    scene.send(0.0, 0.5)
    wait_until(lambda: town.lag("sourdine-classify", WINDOWS) == 0, "the first half is scored")
    gates[0].freeze()
    wait_until(lambda: gate_owners(town).get("gate-2") == 12, "the other gate has taken over")
    scene.send(0.5, 0.8)
    wait_until(lambda: town.lag("sourdine-classify", WINDOWS) == 0, "the next part is scored")
    gates[0].thaw()
    wait_until(lambda: sorted(gate_owners(town).values()) == [6, 6], "the frozen one is back")
    scene.send(0.8, 1.0)
    scene.check()


def test_a_broker_that_dies_costs_no_event(town: City, city: Broker) -> None:
    scene = Scene(town, range(500, 506))
    workers = [town.start("classify", "1"), town.start("gate", "1")]
    with supervised(workers):
        scene.send(0.0, 0.5)
        time.sleep(2.0)
        city.kill()
        city.start()
        scene.send(0.5, 1.0)
        scene.check()
    assert [worker.end(signal.SIGTERM) for worker in workers] == [0, 0]
