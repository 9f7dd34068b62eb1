"""Cut at sealed bytes, the chain gives the records of one process, though workers are replaced and messages doubled."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from dsp_core.records import Event, LevelRecord
from dsp_core.zone import BlockError, Checkpoint, Gate, Mark, Sealer, create_key
from tests.chain import blocks_of, hear, street
from tests.sounds import RATE, eventful
from tests.zone import SENSOR, Hearing, Message, classify_all, hear_all, judge, sound_log

#: Blocks of half a second; a refill takes 2 s.
N_REFILL = 4


@cache
def sealer() -> Sealer:
    """Make a key and throw its file away."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "zone.key"
        create_key(path)
        return Sealer(path)


@cache
def log() -> list[Message]:
    """Send half a minute with a horn and breaking glass."""
    return sound_log(blocks_of(eventful(30.0)), sealer())


@cache
def windows() -> tuple[bytes, ...]:
    """Hear it, undisturbed."""
    return tuple(hear_all(log(), sealer())[0])


@cache
def candidates() -> tuple[bytes, ...]:
    """Score it."""
    return tuple(classify_all(windows(), sealer()))


@cache
def expected() -> tuple[Event, ...]:
    """Hear it in one process."""
    return tuple(record for record in hear(eventful(30.0)) if isinstance(record, Event))


def test_the_cut_chain_gives_the_events_of_one_process() -> None:
    gate, mark = Gate(sensor_id=SENSOR, policy=street().core), Mark()
    events = [event for sealed in candidates() for event in judge(sealed, gate, mark, sealer())]
    assert len(events) >= 2
    assert events == list(expected())
    assert gate.finish() == []


def test_the_cut_chain_gives_the_levels_of_one_process() -> None:
    levels = [record for record in hear_all(log(), sealer())[1].levels if isinstance(record, LevelRecord)]
    assert levels == [record for record in hear(eventful(30.0)) if isinstance(record, LevelRecord)]


def test_an_event_leaves_within_two_seconds_of_its_own() -> None:
    gate, mark, hearing = Gate(sensor_id=SENSOR, policy=street().core), Mark(), Hearing.new(sealer())
    delays = []
    for message in log():
        for sealed in classify_all(hearing.push(message), sealer()):
            delays += [message.received_ms / 1000 - event.slot for event in judge(sealed, gate, mark, sealer())]
    assert delays
    assert max(delays) < 3.0, "its second, what is still heard of it, and the block that it ends in"


@pytest.mark.parametrize("n_before", [1, 4, 23, 47])
def test_whoever_takes_over_sends_the_same_bytes(n_before: int) -> None:
    first = Hearing.new(sealer())
    sent = [sealed for message in log()[:n_before] for sealed in first.push(message)]
    state = first.state(kafka_offset=max(0, n_before - N_REFILL))
    for message in log()[n_before : n_before + 3]:
        first.push(message)  # and is killed
    kafka_offset = sealer().unseal(sensor_id=SENSOR, sealed=state).kafka_offset
    second = Hearing.restored(sealer(), state, log()[kafka_offset:n_before])
    with pytest.raises(BlockError, match="duplicate"):
        second.push(log()[n_before - 1])
    sent += [sealed for message in log()[n_before:] for sealed in second.push(message)]
    sent += second.finish(log()[-1].received_ms)
    assert tuple(sent) == windows()


@pytest.mark.parametrize("n_before", [1, 7, 19])
def test_a_gate_goes_on_where_another_one_stood(n_before: int) -> None:
    core = street().core
    gate, mark = Gate(sensor_id=SENSOR, policy=core), Mark()
    events = [event for sealed in candidates()[:n_before] for event in judge(sealed, gate, mark, sealer())]
    state = sealer().seal(Checkpoint.take_gate(gate, mark=mark, kafka_offset=n_before))
    kept = sealer().unseal(sensor_id=SENSOR, sealed=state)
    assert kept.kafka_offset == n_before
    gate, mark = kept.restore_gate(core)
    for sealed in candidates()[:n_before]:
        with pytest.raises(BlockError, match="duplicate"):
            judge(sealed, gate, mark, sealer())
    events += [event for sealed in candidates()[n_before:] for event in judge(sealed, gate, mark, sealer())]
    assert events == list(expected())


def test_a_state_is_restored_as_what_it_is_of() -> None:
    core = street().core
    gate = Checkpoint.take_gate(Gate(sensor_id=SENSOR, policy=core), mark=Mark(), kafka_offset=3)
    for restore in (gate.restore, gate.restore_hearing):
        with pytest.raises(BlockError, match="bad_checkpoint"):
            restore(core)
    hearing = Hearing.new(sealer())
    hearing.push(log()[0])
    kept = sealer().unseal(sensor_id=SENSOR, sealed=hearing.state(kafka_offset=0))
    with pytest.raises(BlockError, match="bad_checkpoint"):
        kept.restore_gate(core)
    describe, _, level_gate, mark = kept.resume_hearing(core, sample_rate=RATE, start_slot=90)
    assert (describe.position, level_gate.next_slot, mark.last) == (0, 0, (0, 0))
