"""What a worker costs: windows through classify and candidates through gate, on the real broker of the tests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from dsp_core.zone import create_key
from tests.chain import street
from tests.kafka.broker.libraries import AbsentError
from tests.kafka.broker.server import Broker
from tests.kafka.city import CANDIDATES, EVENTS, WINDOWS, City, events_of, recently, windows_of
from tests.kafka.processes import Worker, wait_until
from tests.sounds import eventful

from sourdine.agents.admin import Admin
from sourdine.agents.topics import apply
from sourdine.cut import Gates, Message, Scoring
from sourdine.topics import layout

SENSORS = range(1000, 1100)
MAX_FAUST_S = 300e-6
HANG_S = 600.0


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("kafka")
    try:
        broker = Broker(folder / "broker")
    except AbsentError as lack:
        pytest.skip(str(lack))
    broker.start()
    for principal in layout().principals:
        broker.add_user(principal)
    assert apply(Admin(broker.settings()), layout(), lambda one: None) == []
    create_key(folder / "zone.key")
    city = City(broker, folder, folder / "zone.key")
    yield city
    city.end()
    broker.stop()


def drained(worker: Worker, is_done: Callable[[], bool], n: int) -> tuple[float, float]:
    """Wait until a worker has nothing left to read; seconds of wall and of processor for each message."""
    wait_until(lambda: worker.said("Worker ready") > 0, "the worker is ready")
    began, cpu_s = time.perf_counter(), worker.cpu_s()
    wait_until(is_done, "all is read", HANG_S)
    return (time.perf_counter() - began) / n, (worker.cpu_s() - cpu_s) / n


def per_message_s(push: Callable[[Message], object], messages: list[Message]) -> float:
    """Seconds of processor for each message in the stage alone."""
    began = time.process_time()
    for message in messages:
        push(message)
    return (time.process_time() - began) / len(messages)


def test_cost_of_a_message(town: City) -> None:
    sound, start = eventful(30.0), recently()
    town.enrol(SENSORS)
    sealed = {sensor: windows_of(sensor, sound, start, town.sealer) for sensor in SENSORS}
    for sensor, windows in sealed.items():
        for window in windows:
            town.send(WINDOWS, sensor, window)
    town.flush()
    received_ms = int(time.time() * 1000)
    messages = [Message(s, w, received_ms, i) for s, ws in list(sealed.items())[:40] for i, w in enumerate(ws)]
    n = sum(map(len, sealed.values()))
    scoring = Scoring(town.sealer, street().core)
    candidates = [Message(m.sensor_id, c, received_ms, m.kafka_offset) for m in messages for c in scoring.push(m)]
    alone = {
        "classify": per_message_s(scoring.push, messages),
        "gate": per_message_s(Gates(town.sealer, street().core, lambda _: None).push, candidates),
    }
    for stage, group, topic in (("classify", "sourdine-classify", WINDOWS), ("gate", "sourdine-gate", CANDIDATES)):
        worker = town.start(stage, "1")
        n_events = len(SENSORS) * len(events_of(SENSORS[0], sound, start))
        wall_s, cpu_s = drained(worker, lambda g=group, t=topic: town.lag(g, t) == 0, n)  # type: ignore[misc]
        faust_s = cpu_s - alone[stage]
        print(
            f"\n{stage}: {n} messages at {1 / wall_s:,.0f} a second; {1e6 * cpu_s:.0f} µs of processor for each, "
            f"{1e6 * alone[stage]:.0f} in the stage and {1e6 * faust_s:.0f} around it; {worker.rss_mb():.0f} MB"
        )
        if stage == "gate":
            assert len(set(town.wait_for(EVENTS, n_events, SENSORS))) == n_events
        assert faust_s <= MAX_FAUST_S
