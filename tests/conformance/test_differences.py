"""Clocks that are wrong: where placements differ, and where they do not. And the end of what is heard."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from dsp_core.zone import Sealer, create_key
from tests.chain import classifier
from tests.conformance.placements import Live, Local, new_flow
from tests.conformance.relay import Describers, let_pass, sound_sent
from tests.conformance.scenario import FAST, HOUR, Group, Sensor, Stretch
from tests.conformance.zone import Judges, scored, sent
from tests.sounds import RATE, eventful

from sourdine.outgoing.cloudevents import encode


def group(sensor_id: int) -> Group:
    """Let one sensor hear a horn and breaking glass, from 5 s after its process began on."""
    sensor = Sensor(sensor_id, RATE, None, (Stretch(HOUR + 5, 0, eventful(30.0), is_boot=True),))
    return Group((HOUR,), HOUR + 45, (sensor,))


def set_back(seconds: float) -> float:
    """Set a clock back by 3 s, in the middle of the sound."""
    return -3.0 if seconds >= HOUR + 18 else 0.0


@pytest.fixture(scope="module")
def told() -> list[bytes]:
    """Tell what the sensor with another clock hears, in one process that no broker's clock contradicts."""
    return sorted(Local().run(group(FAST), seed=1))


def kind_of(values: list[bytes], *, is_event: bool) -> list[bytes]:
    """Take events, or all but events."""
    return [value for value in values if (b"event.v1" in value) == is_event]


def test_a_clock_that_is_ahead_is_believed_where_there_is_no_other(told: list[bytes], tmp_path: Path) -> None:
    assert len(kind_of(told, is_event=True)) >= 2
    assert sorted(Live(tmp_path / "gateway", "gateway").run(group(FAST), seed=2)) == told


def test_behind_a_broker_its_events_are_withheld_and_its_levels_are_not(told: list[bytes], tmp_path: Path) -> None:
    live, chance = Live(tmp_path / "cluster", "cluster"), random.Random(3)
    records = sorted(live.run(group(FAST), seed=3))
    assert live.sealer is not None
    judges = Judges(live.sealer, group(FAST), chance)
    judges.judge(scored(sent(live.sealed, chance), live.sealer, chance))
    assert judges.kept.values == {}
    assert judges.gates[0].n_out_of_time > 0
    assert records == kind_of(told, is_event=False)


def test_a_clock_that_is_set_back_does_not_part_the_placements(tmp_path: Path) -> None:
    gateway = sorted(Live(tmp_path / "gateway", "gateway", set_back).run(group(1), seed=2))
    live, chance = Live(tmp_path / "cluster", "cluster", set_back), random.Random(3)
    records = live.run(group(1), seed=3)
    assert live.sealer is not None
    judges = Judges(live.sealer, group(1), chance)
    judges.judge(scored(sent(live.sealed, chance), live.sealer, chance))
    assert sorted([*records, *judges.kept.values.values()]) == gateway
    assert any(b'"clock"' in value for value in gateway), "it is told"
    assert len(kind_of(gateway, is_event=True)) >= 2


def test_a_sensor_that_only_seals_has_a_boot_instead_of_a_state_of_its_clock(tmp_path: Path) -> None:
    gateway = sorted(Live(tmp_path / "gateway", "gateway", set_back).run(group(1), seed=2))
    live, chance = Live(tmp_path / "relay", "relay", set_back), random.Random(3)
    live.run(group(1), seed=3)
    assert live.sealer is not None
    sound = sent(live.sealed, chance)
    let_pass(sound, live.sealer, HOUR + 44)
    describers = Describers(live.sealer, group(1), chance)
    describers.describe(sound)
    judges = Judges(live.sealer, group(1), chance, kept=describers.kept)
    judges.judge(scored(describers.windows, live.sealer, chance))
    relay = sorted(describers.kept.values.values())
    assert kind_of(relay, is_event=True) == kind_of(gateway, is_event=True)
    assert not any(b'"clock"' in value for value in relay)
    told = [value for value in gateway if b'"clock"' not in value]
    assert set(told) <= set(relay)


def test_sound_whose_clock_is_ahead_is_not_heard_behind_a_broker(tmp_path: Path) -> None:
    create_key(tmp_path / "zone.key")
    sealer, chance = Sealer(tmp_path / "zone.key"), random.Random(4)
    describers = Describers(sealer, group(FAST), chance)
    describers.describe(sent(sound_sent(group(FAST), sealer, chance), chance))
    assert describers.kept.values == {}
    assert not any(describers.windows.partitions)


def test_a_recording_ends_its_periods_and_a_live_stream_leaves_them_open() -> None:
    one = group(1)
    (sensor,) = one.sensors

    def heard(*, is_recording: bool) -> list[bytes]:
        flow = new_flow(one, sensor, classifier())
        records = [record for block in sensor.blocks(eventful(30.0), 1) for record in flow.push(block)]
        return [encode(record) for record in records + (flow.finish() if is_recording else flow.pause())]

    recording, live = heard(is_recording=True), heard(is_recording=False)
    assert kind_of(recording, is_event=True) == kind_of(live, is_event=True)
    assert set(live) < set(recording)
    # 30 s are three periods, whose records wait for 3 s of stream: the last is open.
    assert len(recording) - len(live) == 2
