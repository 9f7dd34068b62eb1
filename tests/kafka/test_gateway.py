"""Gateways at the real broker: records alone, an outage, and a process that is killed."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import orjson
import pytest
from dsp_core.zone import create_key
from tests.chain import SOURDINE, call, one_line
from tests.gateways import Town, file_stream
from tests.kafka.broker.server import Broker
from tests.kafka.city import EVENTS, WINDOWS, City, by_key, events_of
from tests.kafka.processes import wait_until
from tests.sounds import eventful, noise, write_wav

from sourdine.gateway.sender import MAX_IN_FLIGHT
from sourdine.policy import load

LEVELS, HEALTH = "sourdine.levels.v1", "sourdine.health.v1"


@pytest.fixture
def town(city: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[City]:
    """Make a key, put sensors where gateways put them, and end the workers that are left."""
    monkeypatch.setattr("tests.kafka.city.partition_of", by_key)
    create_key(tmp_path / "zone.key")
    made = City(city, tmp_path, tmp_path / "zone.key")
    yield made
    made.end()


def test_an_outage_loses_no_record_and_doubles_none(town: City, city: Broker, tmp_path: Path) -> None:
    policy = load("noise", today=date(2026, 1, 1))
    path = write_wav(tmp_path / "street.wav", np.concatenate([eventful(30.0), noise(62.0)]))
    streams = [file_stream(sensor, path) for sensor in range(620, 632)]
    start = int(time.time()) - 100
    (tmp_path / "calm").mkdir()
    calm = Town(tmp_path / "calm", *streams, placement="cluster", policy=policy)
    calm.run(float(start), 90.0)
    back = threading.Thread(target=city.start)

    def each_look(passed: float) -> None:
        if passed == 10.0:
            city.kill()
        if passed == 40.0:
            back.start()
        time.sleep(0.02)

    broken = Town(
        tmp_path, *streams, placement="cluster", policy=policy, broker=city.settings("gateway"), max_windows=10
    )
    try:
        broken.run(float(start), 90.0, each_look=each_look)
    finally:
        back.join()
    n_lost, n_offered = broken.n_windows_lost, len(broken.windows)
    assert 0 < n_lost < n_offered
    # What was on its way to the killed broker when the process ended in order waits for the next one.
    broken.run(float(start + 100), 1.0, each_look=lambda _: time.sleep(0.5))
    sent = [value for topic in (LEVELS, HEALTH) for value in town.wait_for(topic, len(calm.values(topic)))]
    calm_values = calm.values()
    assert len(calm_values) >= 12 * 8
    missing = set(calm_values) - set(sent)
    assert not missing, broken.notes.notes
    twice = [value for value, n in Counter(sent).items() if n > 1]
    assert twice == [], broken.notes.notes
    # What was on its way when the process ended counts as lost, though the broker may have it.
    windows = set(town.wait_for(WINDOWS, n_offered - n_lost))
    assert windows <= set(broken.windows)
    assert n_offered - n_lost <= len(windows) <= n_offered - n_lost + MAX_IN_FLIGHT


def test_placement_gateway_sends_records_alone(town: City, city: Broker, tmp_path: Path) -> None:
    path = write_wav(tmp_path / "street.wav", eventful(30.0))
    streams = [file_stream(sensor, path) for sensor in (640, 641)]
    start = int(time.time()) - 60
    gateway = Town(tmp_path, *streams, broker=city.settings("gateway"))
    gateway.run(start - 7200.0, 62.0)  # a state, so that no event is withheld
    gateway.run(start + 0.5, 34.0)
    expected = [event for stream in streams for event in events_of(stream.sensor_id, eventful(30.0), start + 1)]
    assert sorted(town.wait_for(EVENTS, len(expected))) == sorted(expected)
    assert gateway.windows == []


def has_said(log: Path, words: str, n: int) -> bool:
    """Look whether a log holds some words so often."""
    return log.read_text("utf-8").count(words) >= n


def has_states(path: Path, n: int) -> bool:
    """Look whether a gateway has written the states of so many sensors."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as file:
        return bool(file.execute("SELECT count(*) FROM states").fetchone()[0] >= n)


def test_a_killed_gateway_goes_on_where_it_was(town: City, city: Broker, tmp_path: Path) -> None:
    write_wav(tmp_path / "street.wav", noise(60.0))
    streams = "".join(
        f'[[streams]]\nsensor = {sensor}\nkind = "file"\npath = "street.wav"\n' for sensor in range(660, 664)
    )
    (tmp_path / "gateway.toml").write_text(
        f'placement = "gateway"\npolicy = "noise"\nkafka = "{city.file_of("gateway")}"\nkey = "zone.key"\n'
        f'state = "state"\n{streams}',
        "utf-8",
    )
    log, process = tmp_path / "gateway.log", None
    for n_heard, how in enumerate((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM)):
        with log.open("ab") as file:
            process = subprocess.Popen([*SOURDINE, "gateway", "gateway.toml"], cwd=tmp_path, stderr=file)
        wait_until(partial(has_said, log, '"event":"hearing"', 4 * n_heard + 4), "four streams")
        wait_until(partial(has_states, tmp_path / "state" / "gateway.db", 4), "four states")
        time.sleep(2.0)
        process.send_signal(how)
        assert process.wait(timeout=30) == (0 if how is signal.SIGTERM else -signal.SIGKILL)
    said = log.read_text("utf-8")
    assert said.count('"event":"begun_anew"') == 4, said
    settings = (tmp_path / "gateway.toml").read_text("utf-8")
    (tmp_path / "gateway.toml").write_text(settings.replace("gateway.toml", "sink.toml"), "utf-8")
    refused = call("gateway", "gateway.toml", "--quiet", cwd=tmp_path)
    assert refused.returncode == 7
    assert "user sink" in one_line(refused)
    by_id = defaultdict(set)
    for value in town.wait_for(LEVELS, 4):
        by_id[orjson.loads(value)["id"]].add(value)
    assert max(len(values) for values in by_id.values()) == 1
