"""At the real broker: the same recordings by two placements, read by a foreign client, and by `sourdine run`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import orjson
import pytest
from dsp_core.zone import create_key
from tests.chain import call, classifier, lines_in, street
from tests.conformance.sounds import Library
from tests.gateways import Town
from tests.kafka.broker.server import Broker
from tests.kafka.city import CANDIDATES, EVENTS, WINDOWS, City, by_key
from tests.kafka.processes import HANG_S, wait_until
from tests.sounds import RATE, write_wav

from sourdine.flow import Flow
from sourdine.gateway.settings import StreamSettings
from sourdine.gateway.store import Store
from sourdine.outgoing.cloudevents import canonical, slot_time
from sourdine.pcm import PcmFormat

#: Of the sensors that hear the recordings in placement `cluster`, and in placement `gateway`.
CLUSTER, GATEWAY = 3400, 3500
N_RECORDINGS = 12
RATES = (RATE, 3 * RATE)


@pytest.fixture
def town(city: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[City]:
    """Make a key, put sensors where gateways put them, and end the workers that are left."""
    monkeypatch.setattr("tests.kafka.city.partition_of", by_key)
    # What a gateway heard in half a minute it sends here in a moment.
    monkeypatch.setattr("sourdine.gateway.gateway.DRAIN_S", HANG_S)
    create_key(tmp_path / "zone.key")
    made = City(city, tmp_path, tmp_path / "zone.key")
    yield made
    made.end()


def recorded(library: Library, folder: Path) -> list[Path]:
    """Write half a minute of city for each sensor, at two rates."""
    found = []
    for number in range(N_RECORDINGS):
        sample_rate = RATES[number % 2]
        samples = library.tape(np.random.default_rng([7, number]), 30.0, sample_rate, pause_s=6.0)
        found.append(write_wav(folder / f"{number:02}.wav", samples, sample_rate=sample_rate))
    return found


def streams(paths: list[Path], first: int) -> list[StreamSettings]:
    """Hear each recording as a sensor's, as if it happened now."""
    return [
        StreamSettings(first + n, "file", PcmFormat(RATES[n % 2], "s16le", 1), path) for n, path in enumerate(paths)
    ]


def enrol(town: Town, slot: int) -> None:
    """Give a gateway states from which nothing has left yet, so that no sensor waits for the next hour."""
    with closing(Store(town.settings.state)) as store:
        for one in town.settings.streams:
            flow = Flow(
                sensor_id=one.sensor_id,
                sample_rate=one.pcm.sample_rate,
                start_slot=slot,
                policy=street().core,
                classify=classifier(),
            )
            store.of(one.sensor_id, None).commit(town.settings.sealer.seal(flow.snapshot()), slot, [])
        store.flush(slot)


def told_by_run(folder: Path, start: int, first: int) -> list[bytes]:
    """Run the command over the recordings; its events, as those of sensors of other numbers."""
    out = folder / f"out-{first}"
    done = call("run", folder / "recordings", "--out", out, "--start", slot_time(start), cwd=folder)
    assert done.returncode == 0, done.stderr
    data = [orjson.loads(line)["data"] for line in lines_in(out)["events.jsonl"]]
    return sorted(canonical("event", one | {"sensor_id": first + one["sensor_id"] - 1}) for one in data)


def test_a_foreign_consumer_reads_the_events_of_sourdine_run(
    town: City, city: Broker, city_sounds: Path, tmp_path: Path
) -> None:
    paths = recorded(Library.read(city_sounds), tmp_path / "recordings")
    town.enrol(range(CLUSTER, CLUSTER + N_RECORDINGS))
    workers = [town.start("classify", "1"), town.start("gate", "1")]
    start = int(time.time()) - 60
    for placement, first in (("cluster", CLUSTER), ("gateway", GATEWAY)):
        folder = tmp_path / placement
        folder.mkdir()
        (folder / "zone.key").write_bytes((tmp_path / "zone.key").read_bytes())
        (folder / "zone.key").chmod(0o600)
        settings = city.settings("gateway")
        gateway = Town(folder, *streams(paths, first), placement=placement, broker=settings, max_windows=10_000)
        if placement == "gateway":
            enrol(gateway, start)
        gateway.run(start + 0.5, 34.0)
        assert gateway.n_windows_lost == 0
        assert gateway.waiting() == []
        assert bool(gateway.windows) == (placement == "cluster")
    for first in (CLUSTER, GATEWAY):
        expected = told_by_run(tmp_path, start + 1, first)
        assert len(expected) >= 2 * N_RECORDINGS
        sensors = range(first, first + N_RECORDINGS)
        assert sorted(town.wait_for(EVENTS, len(expected), sensors)) == expected
    wait_until(lambda: town.lag("sourdine-classify", WINDOWS) == 0, "what came after the last event is scored, too")
    # What the gates have read is acknowledged once it is written down, and at the latest at their end.
    assert [worker.end() for worker in workers] == [0, 0]
    assert town.lag("sourdine-gate", CANDIDATES) == 0
    for worker in workers:
        assert "Traceback" not in worker.log.read_text("utf-8")
