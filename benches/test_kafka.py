"""What a worker costs: windows through classify and candidates through gate, on the real broker of the tests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from dsp_core.zone import create_key
from tests.chain import blocks_of, street
from tests.kafka.broker.libraries import AbsentError
from tests.kafka.broker.server import Broker
from tests.kafka.city import CANDIDATES, EVENTS, WINDOWS, City, events_of, recently, windows_of
from tests.kafka.processes import Worker, wait_until
from tests.sounds import eventful, noise

from sourdine.agents.admin import Admin
from sourdine.agents.topics import apply
from sourdine.cut import Gates, Message, Scoring
from sourdine.hearings import Hearings
from sourdine.topics import layout

SENSORS = range(1000, 1100)
#: Sensors that only seal, and how many blocks a second must go through one worker.
SEALING = range(1200, 1300)
N_PER_S = 500
SOUND, LEVELS = "sourdine.sound.v1", "sourdine.levels.v1"
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
    wait_until(lambda: worker.said('"event":"assigned"') > 0, "the worker is ready")
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


def test_cost_of_a_second_of_sound(town: City) -> None:
    sound, start = noise(66.0), last_full_minute()
    messages = []
    for sensor in SEALING:
        for n, block in enumerate(blocks_of(sound, 1.0, sensor_id=sensor)):
            sealed = town.sealer.seal_block(block, encoding="s16le", boot_ns=start * 10**9, sequence=n)
            town.send(SOUND, sensor, sealed)
            messages.append(Message(sensor, sealed, 1000 * (start + n + 1), len(messages)))
    town.flush()
    hearings = Hearings(town.sealer, street().core, lambda _: None)
    alone_s = per_message_s(hearings.push, messages)
    state_kb, sealed_kb = len(hearings.state(SEALING[0])) / 1000, len(messages[0].sealed) / 1000
    worker = town.start("describe", "1")
    is_done = lambda: len(set(town.wait_for(LEVELS, len(SEALING), SEALING, HANG_S))) == len(SEALING)  # noqa: E731
    wall_s, cpu_s = drained(worker, is_done, len(messages))
    print(
        f"\ndescribe: {len(messages)} blocks of {sealed_kb:.0f} kB at {1 / wall_s:,.0f} a second; {1e6 * cpu_s:.0f} µs "
        f"of processor for each, {1e6 * alone_s:.0f} in the stage and {1e6 * (cpu_s - alone_s):.0f} around it; "
        f"{worker.rss_mb():.0f} MB; a state of {state_kb:.0f} kB"
    )
    assert cpu_s - alone_s <= MAX_FAUST_S
    assert 1 / wall_s >= N_PER_S


def last_full_minute() -> int:
    """Wait for a time at which the whole minute before is over by some seconds, and every second of it still counts."""
    while not 6 <= time.time() % 60 <= 30:
        time.sleep(0.5)
    return int(time.time()) // 60 * 60 - 60
