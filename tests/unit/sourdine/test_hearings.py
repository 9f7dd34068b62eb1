"""Sealed sound of a partition to windows and records: the records of one process, whatever a network or a kill does."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import orjson
import pytest
from dsp_core.records import Event, LevelRecord, SensorHealth
from dsp_core.zone import Classify, Gate, Mark
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.relay import START, heard, logged, pieces, received_at, sent, silence, values, zone
from tests.sounds import RATE, eventful, noise

from sourdine.cut import Message
from sourdine.flow import Flow
from sourdine.hearing import SealedWindow
from sourdine.hearings import Hearings, Refusal
from sourdine.policy import load

NOISE = load("noise", today=date(2026, 1, 1)).core


def stage(full_scale_db: float | None = None) -> Hearings:
    """Make a worker's stage, under a policy with a level every 10 s."""
    return Hearings(zone(), NOISE, lambda sensor_id: full_scale_db)


@cache
def classify() -> Classify:
    """Make the classifier once."""
    return Classify(policy=NOISE)


@cache
def sound() -> np.ndarray[Any, Any]:
    """Half a minute with a horn and breaking glass."""
    return eventful(30.0)


@cache
def of_one_process(sensor_id: int = 1) -> tuple[list[Event], list[Any]]:
    """Hear it in one process: events, and what the level gate mints while the sound lasts."""
    flow = Flow(sensor_id=sensor_id, sample_rate=RATE, start_slot=START, policy=NOISE, classify=classify())
    records = [record for block in pieces(sound(), [0.5], sensor_id) for record in flow.push(block)]
    levels = [record for record in records if not isinstance(record, Event)]
    return [record for record in [*records, *flow.finish()] if isinstance(record, Event)], levels


def events(outputs: list[Any], sensor_id: int = 1) -> list[Event]:
    """Send windows on through classify and gate."""
    gate, mark, found = Gate(sensor_id=sensor_id, policy=NOISE), Mark(), list[Event]()
    for output in outputs:
        if isinstance(output, SealedWindow) and output.sensor_id == sensor_id:
            window = zone().open_window(output.sealed, sensor_id=sensor_id, received_ms=2**60)
            (candidate,) = classify().push([window])
            sealed = zone().seal_candidate(candidate)
            found += gate.receive([zone().open_candidate(sealed, sensor_id=sensor_id, mark=mark)])
    return found + gate.finish()


def records(outputs: list[Any], sensor_id: int = 1) -> list[LevelRecord | SensorHealth]:
    """Give a sensor's records."""
    return [one for one in outputs if isinstance(one, (LevelRecord, SensorHealth)) and one.sensor_id == sensor_id]


def states(outputs: list[Any], sensor_id: int = 1) -> list[tuple[int, str]]:
    """Give the states that are told of a sensor, by minutes since the start."""
    health = [one for one in outputs if isinstance(one, SensorHealth) and one.sensor_id == sensor_id]
    return [((one.slot - START) // 60, one.state) for one in health]


def facts(hearings: Hearings, sensor_id: int = 1) -> dict[str, Any]:
    """Give the counts of a sensor that are not 0."""
    found = orjson.loads(hearings.ledger(sensor_id).facts)
    return {name: count for name, count in found.items() if count and name not in ("sensor_id", "slot", "kafka_offset")}


@settings(max_examples=12, deadline=None)
@given(
    lengths=st.lists(st.sampled_from([0.01, 0.1, 0.25, 0.5, 1.0, 1.7, 5.0]), min_size=1, max_size=4),
    seed=st.integers(0, 1000),
)
def test_any_blocks_in_any_order_give_the_records_of_one_process(lengths: list[float], seed: int) -> None:
    calm, chance = sent(pieces(sound(), lengths, 1)), random.Random(seed)
    # Each comes up to 1.9 s late, and some come twice.
    shaken = [
        replace(message, received_ms=message.received_ms + chance.randint(0, 1900))
        for message in calm
        for _ in range(chance.choice([1, 1, 1, 2]))
    ]
    log = logged(shaken)
    hearings = stage()
    outputs = heard(hearings, log)
    expected_events, expected_levels = of_one_process()
    assert records(outputs) == expected_levels
    outputs += heard(hearings, [replace(sent(pieces(silence(1), [1.0], 2), START + 240)[0], kafka_offset=10**6)])
    assert len(expected_events) >= 2
    assert events(outputs) == expected_events
    counts = facts(hearings)
    assert counts["processed"] == len(calm)
    assert counts.get("duplicate", 0) == len(log) - len(calm)


@cache
def eventful_log() -> list[Message]:
    """Three sensors at two rates: gaps, reordering, duplicates, a reboot, a rogue block, a silent end."""
    rough = sent(pieces(sound(), [0.25, 1.0, 0.04], 1))
    rough = [message for n, message in enumerate(rough) if n % 17 != 5]
    rough = received_at(rough, *range(3, 60, 7), later_ms=1_300)
    rough += [replace(message, received_ms=message.received_ms + 500) for message in rough[10:30:4]]
    rough = received_at(rough, 37, later_ms=5_000)
    broken = replace(rough[20], sealed=rough[20].sealed[:-1] + bytes([rough[20].sealed[-1] ^ 1]))
    first_boot = sent(pieces(noise(9.6), [1.0], 2, 48_000))
    second_boot = sent(pieces(sound()[: 15 * RATE], [0.5], 2), START + 12.3)
    short = sent(pieces(noise(4.0), [0.5], 3))
    return logged([*rough, broken], [*first_boot[:6], *first_boot[7:], *second_boot], short)


def keyed(outputs: list[Any]) -> Counter[bytes]:
    """Give each value once: what is sent twice with the same bytes counts as once."""
    return Counter(set(values(outputs)))


@settings(max_examples=25, deadline=None)
@given(n_before=st.integers(0, len(eventful_log())), n_more=st.integers(0, 40), n_second=st.integers(0, 60))
def test_whoever_takes_over_sends_the_same_bytes(n_before: int, n_more: int, n_second: int) -> None:
    log = eventful_log()
    calm = stage()
    expected = heard(calm, log)
    told, hearings, at = [], stage(), 0
    for n_read in (n_before, n_second):
        until = min(len(log), at + n_read)
        told += heard(hearings, log[at:until])
        known = [sensor for sensor in (1, 2, 3) if hearings.knows(sensor)]
        kept = {sensor: hearings.state(sensor) for sensor in known}
        read_from = min([hearings.read_from(sensor) for sensor in (1, 2, 3)] + [10 + until])
        told += heard(hearings, log[until : until + n_more])  # and is killed
        hearings, at = stage(), read_from - 10
        for sensor, state in kept.items():
            hearings.restore(sensor, [state])
    told += heard(hearings, log[at:])
    assert keyed(told) == keyed(expected)
    assert len(keyed(expected)) > 60
    for sensor in (1, 2, 3):
        assert hearings.ledger(sensor) == calm.ledger(sensor)


def test_behind_a_gap_a_new_stretch_begins_with_the_next_whole_second() -> None:
    blocks = sent(pieces(noise(130.0), [0.3], 1))
    hearings = stage()
    # From 24.0 s to 36.0 s nothing comes: seconds 24 to 35.
    outputs = heard(hearings, logged([*blocks[:80], *blocks[120:]]))
    assert facts(hearings) == {"processed": len(blocks) - 40, "gap": 40}
    assert states(outputs) == [(0, "gaps"), (1, "uncalibrated")]
    levels = [one for one in records(outputs) if isinstance(one, LevelRecord) and one.metric == "laeq"]
    assert [(one.slot - START, one.level_db is None) for one in levels[:5]] == [
        (0, False),
        (10, False),
        (20, True),
        (30, True),
        (40, False),
    ]


def test_silence_is_told_by_the_time_of_others() -> None:
    short, long = sent(pieces(noise(90.0), [1.0], 1)), sent(pieces(silence(330.0), [1.0], 2))
    hearings = stage(94.0)
    outputs = heard(hearings, logged(short, long))
    assert states(outputs) == [(0, "ok"), (1, "gaps"), (2, "gaps")]
    assert hearings.read_from(1) > 100, "nothing of it need be read again"
    assert [state for _, state in states(outputs, 2)] == ["silent"] * 5


def test_sound_that_comes_back_goes_on_with_slots_that_were_not_used() -> None:
    blocks = sent(pieces(noise(300.0), [1.0], 1))
    others = sent(pieces(silence(300.0), [1.0], 2))
    outputs = heard(stage(94.0), logged([*blocks[:70], *blocks[250:]], others))
    assert states(outputs) == [(0, "ok"), (1, "gaps"), (2, "gaps"), (3, "gaps")]
    slots = [one.slot for one in records(outputs) if isinstance(one, LevelRecord) and one.metric == "laeq"]
    assert slots == list(range(START, START + 290, 10))


def test_seconds_that_do_not_count_are_refused() -> None:
    blocks = sent(pieces(noise(20.0), [1.0], 1))
    early = received_at(received_at(blocks[8:12], 0, 1, later_ms=-2_200), 2, 3, later_ms=-3_200)
    late = [replace(one, received_ms=one.received_ms + 130_000) for one in blocks[14:]]
    hearings = stage()
    outputs = heard(hearings, logged(blocks[:8], early, blocks[12:14], late))
    reasons = Counter(one.reason for one in outputs if isinstance(one, Refusal))
    assert reasons == {"slot_ahead": 2, "late": 6}
    assert facts(hearings) == {"processed": 12, "rejected": {"slot_ahead": 2}, "late": 6, "reordered": 2}


@pytest.mark.parametrize("ahead_s", [3, 10**9])
def test_a_clock_that_is_ahead_leaves_nothing_behind(ahead_s: int) -> None:
    hearings = stage()
    block = sent(pieces(noise(1.0), [1.0], 1), START + ahead_s)[0]
    outputs = hearings.push(replace(block, received_ms=START * 1000))
    assert [one.reason for one in outputs if isinstance(one, Refusal)] == ["clock_ahead"]
    assert not hearings.knows(1)


def test_what_does_not_open_moves_nothing() -> None:
    blocks = logged(sent(pieces(noise(5.0), [1.0], 1)))
    hearings = stage()
    forged = replace(blocks[0], sealed=blocks[3].sealed[:-1] + b"x")
    outputs = heard(hearings, [blocks[0], replace(forged, kafka_offset=11), *blocks[2:]])
    assert [one.reason for one in outputs if isinstance(one, Refusal)] == ["bad_seal"]
    assert facts(hearings) == {"processed": 1, "held": 3, "rejected": {"bad_seal": 1}}


def test_what_waits_for_its_turn_must_be_read_again() -> None:
    blocks = logged(sent(pieces(noise(6.0), [1.0], 1), first=500))
    hearings = stage()
    heard(hearings, blocks[1:2])
    assert not hearings.knows(1)
    assert hearings.read_from(1) == blocks[1].kafka_offset, "of a stream that is met midway"
    heard(hearings, blocks[2:])
    assert hearings.knows(1)
    assert hearings.read_from(1) == blocks[4].kafka_offset, "the last 2 s"
    state = hearings.state(1)
    fresh = stage()
    fresh.restore(1, [state])
    assert fresh.read_from(1) == blocks[4].kafka_offset


def test_fates_and_refusals_tell_nothing_of_the_sound() -> None:
    told = []
    for samples in (noise(20.0), eventful(20.0)):
        blocks = received_at(sent(pieces(samples, [0.5], 1)), 7, 8, 30, later_ms=1_200)
        late = [replace(one, received_ms=one.received_ms + 130_000) for one in blocks[36:]]
        hearings = stage()
        outputs = heard(hearings, logged([*blocks[:20], *blocks[21:36], blocks[5], *late]))
        refusals = [one for one in outputs if isinstance(one, Refusal)]
        assert len(refusals) == 4
        told.append((hearings.ledger(1), refusals))
    assert told[0] == told[1]


def test_a_state_of_another_zone_is_no_state() -> None:
    hearings = stage()
    heard(hearings, logged(sent(pieces(noise(5.0), [1.0], 1))))
    state = hearings.state(1)
    fresh = stage()
    fresh.restore(1, [state, b"of another zone"])
    assert fresh.knows(1)
    assert fresh.ledger(1) == hearings.ledger(1)


def test_a_sensor_that_is_first_heard_by_the_time_of_others_has_a_state() -> None:
    mine = sent(pieces(silence(6), [1.0], 1))
    silent = sent(pieces(silence(2), [1.0], 2), first=3)  # met midway, so that they wait; then it says no more
    hearings = stage()
    heard(hearings, logged(mine, silent))
    assert hearings.knows(2)
    assert facts(hearings, 2) == {"processed": 2}
    successor, before = stage(), hearings.read_from(2)
    successor.restore(2, [hearings.state(2)])
    assert successor.read_from(2) <= before
    assert heard(successor, [message for message in logged(mine, silent) if message.sensor_id == 2]) == []
    assert facts(successor, 2) == {"processed": 2}


def test_a_topic_that_was_made_anew_is_heard_from_its_beginning() -> None:
    messages = logged(sent(pieces(silence(40), [1.0], 1)))
    hearings, successor = stage(), stage()
    heard(hearings, [replace(one, kafka_offset=one.kafka_offset + 1_000) for one in messages[:20]])
    successor.restore(1, [hearings.state(1)])
    assert records(heard(successor, [replace(one, kafka_offset=n) for n, one in enumerate(messages[22:])])) != []
    assert facts(successor) == {"processed": 38, "gap": 2}
    assert successor.read_from(1) < 20


def test_a_number_that_nobody_counted_to_is_refused() -> None:
    blocks = pieces(silence(6), [1.0], 1)
    mine = sent(blocks)
    mine[2:3] = sent(blocks[2:3], first=2**64 - 1)
    hearings = stage()
    outputs = heard(hearings, logged(mine))
    assert [one.reason for one in outputs if isinstance(one, Refusal)] == ["sequence_ahead"]
    assert facts(hearings) == {"processed": 2, "rejected": {"sequence_ahead": 1}, "held": 3}
    assert hearings.state(1)
