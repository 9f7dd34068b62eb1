"""Which of a sensor's states a worker goes on from, and what its gates take for the time."""

from __future__ import annotations

from pathlib import Path

import pytest
from dsp_core.records import Event
from dsp_core.zone import AudioBlock, BlockError, Checkpoint, Describe, Gate, Mark, Sealer, Trigger, create_key
from tests.chain import blocks_of, classifier, hear, street
from tests.sounds import RATE, eventful
from tests.zone import SENSOR, classify_all, hear_all, sound_log

from sourdine.cut import Gates, Message

HOUR = 500_000 * 3600


def sealer(path: Path) -> Sealer:
    """Make a key."""
    create_key(path)
    return Sealer(path)


def state(sealer: Sealer, kafka_offset: int, sensor_id: int = 7) -> bytes:
    """Seal the state of a gate that has heard nothing."""
    gate = Gate(sensor_id=sensor_id, policy=street().core)
    return sealer.seal(Checkpoint.take_gate(gate, mark=Mark(), kafka_offset=kafka_offset))


def test_the_newest_state_that_opens_is_taken(tmp_path: Path) -> None:
    ours, foreign = sealer(tmp_path / "ours.key"), sealer(tmp_path / "foreign.key")
    gates = Gates(ours, street().core, lambda sensor_id: None)
    gates.restore(7, [state(ours, 5), state(foreign, 99), state(ours, 12), state(ours, 3), b"rubbish"])
    kept = ours.unseal(sensor_id=7, sealed=gates.state(7))
    assert kept.kafka_offset == 12


def test_states_of_which_none_opens_are_refused(tmp_path: Path) -> None:
    ours, foreign = sealer(tmp_path / "ours.key"), sealer(tmp_path / "foreign.key")
    gates = Gates(ours, street().core, lambda sensor_id: None)
    with pytest.raises(BlockError, match="wrong_key"):
        gates.restore(7, [state(foreign, 99)])
    assert not gates.knows(7)


@pytest.mark.parametrize("late_s", [0, 90, 300])
def test_events_do_not_depend_on_how_late_the_classifiers_are(late_s: int, tmp_path: Path) -> None:
    zone, sound = sealer(tmp_path / "zone.key"), eventful(30.0)
    windows, _ = hear_all(sound_log(blocks_of(sound), zone), zone)
    gates = Gates(zone, street().core, lambda sensor_id: None)
    gates.restore(SENSOR, [state(zone, 0, SENSOR)])
    events = []
    for number, sealed in enumerate(classify_all(windows, zone)):
        sent_ms = 500 * number + 1000 * late_s
        events += gates.push(Message(SENSOR, sealed, sent_ms, number))
    assert events == [record for record in hear(sound) if isinstance(record, Event)]


@pytest.mark.parametrize("n_ahead", [5, 20, 40])
def test_one_window_that_is_stamped_ahead_ends_nobodys_seconds(n_ahead: int, tmp_path: Path) -> None:
    zone, sound = sealer(tmp_path / "zone.key"), eventful(30.0)
    windows = {sensor: sealed_windows(zone, sensor, blocks_of(sound, sensor_id=sensor)) for sensor in (1, 2)}
    told: list[list[Event]] = []
    for lead_ms in (0, 3_600_000):
        gates = Gates(zone, street().core, lambda sensor_id: None)
        events, number = list[Event](), 0
        for sensor in windows:
            gates.restore(sensor, [state(zone, 0, sensor)])
        for n, pair in enumerate(zip(*windows.values(), strict=True)):
            for sensor, (sealed, sent_ms) in zip(windows, pair, strict=True):
                is_ahead = (sensor, n) == (2, n_ahead)
                window = zone.open_window(sealed, sensor_id=sensor, received_ms=sent_ms + is_ahead * lead_ms)
                (candidate,) = classifier().push([window])
                number += 1
                events += gates.push(Message(sensor, zone.seal_candidate(candidate), sent_ms, number))
        told.append([event for event in events if event.sensor_id == 1])
    assert told[0] == told[1]
    assert len(told[0]) == 2


def sealed_windows(zone: Sealer, sensor_id: int, blocks: list[AudioBlock]) -> list[tuple[bytes, int]]:
    """Hear a sound as a gateway does: its sealed windows, and when the broker takes them."""
    core = street().core
    describe = Describe(sensor_id=sensor_id, sample_rate=RATE, start_slot=HOUR, policy=core)
    trigger = Trigger(sensor_id=sensor_id, alarms_per_day=core.alarms_per_day)
    found = []
    for block in blocks:
        for window in (*trigger.push(describe.push(block)), trigger.lull()):
            if window is not None:
                end_s = HOUR + (block.start_sample + block.n_samples) / RATE
                found.append((zone.seal_window(window), round(1000 * end_s) + 100))
    return found
