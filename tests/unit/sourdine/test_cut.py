"""Which of a sensor's states a worker goes on from, and what its gates take for the time."""

from __future__ import annotations

from pathlib import Path

import pytest
from dsp_core.records import Event
from dsp_core.zone import BlockError, Checkpoint, Gate, Mark, Sealer, create_key
from tests.chain import blocks_of, hear, street
from tests.sounds import eventful
from tests.zone import SENSOR, classify_all, hear_all, sound_log

from sourdine.cut import Gates, Message


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
