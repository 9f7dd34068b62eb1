"""A gateway by a clock that the test holds: records of one process, streams that do not disturb each other, crashes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from dsp_core.records import Event
from numpy.typing import NDArray
from tests.chain import blocks_of, classifier, street
from tests.gateways import Player, Town, file_stream, pipe_stream, tcp_stream
from tests.sounds import RATE, eventful, noise, pcm16, write_wav

from sourdine.flow import Flow
from sourdine.gateway.shown import ShownGateway
from sourdine.local.scene import street_scene
from sourdine.outgoing.cloudevents import encode
from sourdine.policy import load

#: Some whole hour.
HOUR = 500_000 * 3600


def flow_records(samples: NDArray[Any], start_slot: int, sensor_id: int, policy: Any = None) -> list[bytes]:
    """Records that one process gives, as they leave; without those at the end, whose period is not over."""
    core = (policy or street()).core
    flow = Flow(sensor_id=sensor_id, sample_rate=RATE, start_slot=start_slot, policy=core, classify=classifier())
    records = [record for block in blocks_of(samples, sensor_id=sensor_id) for record in flow.push(block)]
    return [encode(one) for one in [*records, *(one for one in flow.finish() if isinstance(one, Event))]]


def facts(values: list[bytes]) -> list[dict[str, Any]]:
    """Data of CloudEvents."""
    return [orjson.loads(value)["data"] for value in values]


def test_placement_gateway_gives_the_records_of_one_process(tmp_path: Path) -> None:
    sound = np.concatenate([eventful(30.0), noise(32.0, level=0.01)])
    path = write_wav(tmp_path / "street.wav", sound)
    town = Town(tmp_path, file_stream(17, path), file_stream(18, path))
    Town(tmp_path, *town.settings.streams).run(HOUR - 3600.0, 1.0)  # a state, so that no event is withheld
    town.run(HOUR - 60.0, 58.0)
    n_before = len(town.waiting())
    town.run(HOUR + 0.4, 75.0)
    found = set(town.values()[n_before:])
    for sensor_id in (17, 18):
        expected = flow_records(sound, HOUR + 1, sensor_id)
        events = [value for value in expected if b"event.v1" in value]
        assert len(events) >= 2
        assert set(events) <= found
        n_events = sum(one["sensor_id"] == sensor_id and "sound_class" in one for one in facts([*found]))
        assert n_events == len(events)


def test_all_kinds_of_sources_are_heard_alike(tmp_path: Path) -> None:
    policy = load("noise", today=date(2026, 1, 1))
    sound = noise(32.0)
    pipe, tcp = pipe_stream(2, tmp_path / "2.pcm"), tcp_stream(3)
    town = Town(tmp_path, file_stream(1, write_wav(tmp_path / "1.wav", sound)), pipe, tcp, policy=policy)
    town.run(float(HOUR), 34.0, Player(pipe, sound, 1.0), Player(tcp, sound, 1.0))
    levels = {(one["sensor_id"], one["slot"] - HOUR): one["level_db"] for one in facts(town.values("levels"))}
    for slot in (10, 20):
        assert len({levels[sensor, slot] for sensor in (1, 2, 3)}) == 1, (levels, town.notes.notes)
        assert levels[1, slot] is not None


def test_records_wait_in_canonical_order_within_a_second(tmp_path: Path) -> None:
    town = Town(tmp_path, *(file_stream(n, write_wav(tmp_path / f"{n}.wav", noise(63.0))) for n in (9, 3, 300)))
    town.run(float(HOUR), 64.0)
    assert [(one.topic, one.sensor_id) for one in town.waiting()] == [
        (f"sourdine.{kind}.v1", sensor) for kind in ("levels", "health") for sensor in (3, 9, 300)
    ]


def test_a_stream_that_fails_disturbs_no_other(tmp_path: Path) -> None:
    policy = load("noise", today=date(2026, 1, 1))
    good, gone, broken, fast = (pipe_stream(n, tmp_path / f"{n}.pcm") for n in (1, 2, 3, 4))
    assert broken.path is not None
    floats = np.where(np.arange(40 * RATE) % RATE == 9, np.nan, 0.1).astype("<f4").tobytes()
    broken = replace(broken, pcm=replace(broken.pcm, encoding="f32le"))
    absent = file_stream(5, tmp_path / "nowhere.wav")
    town = Town(tmp_path, good, gone, broken, fast, absent, policy=policy)
    sound = noise(40.0)
    (tmp_path / "alone").mkdir()
    alone = Town(tmp_path / "alone", good, policy=policy)
    alone.run(float(HOUR), 42.0, Player(good, sound))
    town.run(
        float(HOUR),
        42.0,
        Player(good, sound),
        Player(gone, sound[: 5 * RATE]),
        Player(broken, floats),
        *(Player(fast, pcm16(sound)) for _ in range(3)),
    )
    assert [v for v in town.values() if orjson.loads(v)["data"]["sensor_id"] == 1] == alone.values()
    said = "\n".join(town.notes.notes)
    assert "sensor 2: the source has ended" in said
    assert "sensor 3: refused: not_finite" in said
    assert "sensor 4: the sound is ahead of the clock" in said
    assert "sensor 5: no source: " in said
    states = {(one["sensor_id"], one["slot"] - HOUR): one["state"] for one in facts(town.values("health"))}
    assert len(town.notes.notes) < 60, states


def test_a_crash_gives_no_new_budget_and_no_id_other_bytes(tmp_path: Path) -> None:
    glass = street_scene()[41 * RATE : 47 * RATE]
    pipe = pipe_stream(17, tmp_path / "17.pcm")
    town = Town(tmp_path, pipe)
    town.run(HOUR - 4000.0, 62.0)
    for turn in range(10):
        town.run(HOUR + 12.0 * turn, 10.0, Player(pipe, glass), is_crash=turn % 2 == 0)
    values = town.values()
    ids = Counter(orjson.loads(value)["id"] for value in values)
    assert max(ids.values()) == 1
    per_minute = Counter(one["slot"] // 60 for one in facts(town.values("events")))
    assert per_minute == {HOUR // 60: 3, HOUR // 60 + 1: 3}
    assert not any("new beginning" in note for note in town.notes.notes)


def test_without_a_state_no_event_leaves_before_the_hour_is_over(tmp_path: Path) -> None:
    sound = eventful(20.0)
    pipe = pipe_stream(17, tmp_path / "17.pcm")
    town = Town(tmp_path, pipe)
    town.run(HOUR - 20.0, 44.0, Player(pipe, np.concatenate([sound, sound])))
    slots = [one["slot"] for one in facts(town.values("events"))]
    assert slots
    assert min(slots) >= HOUR


@pytest.mark.parametrize("placement", ["cluster", "gateway"])
def test_nothing_of_the_sound_lies_on_the_disk(placement: str, tmp_path: Path) -> None:
    sound = eventful(30.0)
    pipe = pipe_stream(17, tmp_path / "17.pcm")
    town = Town(tmp_path, pipe, placement=placement, max_windows=4)
    town.run(float(HOUR), 64.0, Player(pipe, sound))
    assert town.waiting()
    raw = pcm16(sound)
    pieces = {raw[at : at + 16] for at in range(0, len(raw) - 16, 16)}
    if placement == "cluster":
        assert len(town.windows) > 10
        assert town.n_windows_lost == len(town.windows)
        pieces |= {sealed[at : at + 16] for sealed in town.windows for at in range(0, len(sealed) - 16, 16)}
    for file in (tmp_path / "state").iterdir():
        content = file.read_bytes()
        assert not [True for at in range(max(0, len(content) - 16)) if content[at : at + 16] in pieces]


@pytest.mark.parametrize("placement", ["gateway", "cluster", "relay"])
def test_a_sensor_that_was_never_heard_is_told_of_once(placement: str, tmp_path: Path) -> None:
    heard, silent = pipe_stream(17, tmp_path / "17.pcm"), pipe_stream(18, tmp_path / "18.pcm")
    town = Town(tmp_path, heard, silent, placement=placement)
    seen: list[tuple[float, float]] = []

    def look(_: float) -> None:
        assert town.gateway is not None
        up = {one.labels: one.value for one in ShownGateway(town.gateway, lambda: False).samples() if "_up" in one.name}
        seen.append((up["17",], up["18",]))

    town.run(HOUR + 0.5, 150.0, Player(heard, noise(5.0), start=20.0), each_look=look)
    told = [line for line in town.notes.lines if b"not_heard" in line]
    assert [(b'"sensor":18' in line, b'"seconds":60' in line) for line in told] == [(True, True)]
    assert {up for _, up in seen} == {0.0}
    assert {up for up, _ in seen} == {0.0, 1.0}
