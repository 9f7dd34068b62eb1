"""What a worker that describes holds of sensors is bounded, whoever sends, and the same for whoever takes over."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import orjson
import pytest
from dsp_core.records import LevelRecord
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.relay import START, heard, logged, pieces, received_at, sent, silence, values, zone

from sourdine.cut import Message
from sourdine.hearing import MAX_AGE_S
from sourdine.hearings import FORGET_S, Hearings, Refusal
from sourdine.policy import load
from sourdine.sequencer import TOO_MANY_SENSORS

NOISE = load("noise", today=date(2026, 1, 1)).core


def stage(max_sensors: int = 1_000) -> Hearings:
    """Make a worker's stage, under a policy with a level every 10 s."""
    return Hearings(zone(), NOISE, lambda sensor_id: 94.0, max_sensors)


def quiet(sensor_id: int, seconds: float, start: float = START, first: int = 0) -> list[Message]:
    """Let a sensor hear nothing."""
    return sent(pieces(silence(seconds), [1.0], sensor_id), start, first)


def reasons(outputs: list[Any]) -> Counter[tuple[int, str]]:
    """Count refusals, by sensor and reason."""
    return Counter((one.sensor_id, one.reason) for one in outputs if isinstance(one, Refusal))


def facts(hearings: Hearings, sensor_id: int) -> dict[str, Any]:
    """Give the counts of a sensor that are not 0."""
    found = orjson.loads(hearings.ledger(sensor_id).facts)
    return {name: count for name, count in found.items() if count and name not in ("sensor_id", "slot", "kafka_offset")}


def test_one_sensor_too_many_is_refused_by_name_and_disturbs_no_other() -> None:
    log = logged(quiet(1, 20), quiet(2, 20), quiet(3, 20, START + 0.4))
    hearings = stage(2)
    outputs = heard(hearings, log)
    assert reasons(outputs) == {(3, TOO_MANY_SENSORS): 20}
    assert (hearings.knows(1), hearings.knows(2), hearings.knows(3)) == (True, True, False)
    others = [message for message in log if message.sensor_id != 3]
    assert values(outputs) == values(heard(stage(2), others)) != []


def test_a_flood_of_invented_sensors_leaves_few_places_behind() -> None:
    hearings = stage(2)
    flood = [message for n in range(40) for message in quiet(100 + n, 1, START + n / 100)]
    outputs = heard(hearings, logged(flood))
    assert len(hearings._sequencer.fates()) == 8
    assert reasons(outputs).total() == 38
    heard(hearings, [replace(one, kafka_offset=1_000) for one in quiet(100, 1, START + 200, first=1)])
    assert len(hearings._sequencer.fates()) == 2, "of those that were not heard nothing is remembered for long"


def test_a_sensor_that_was_silent_for_days_is_forgotten_and_makes_room() -> None:
    later = START + FORGET_S + 100
    early, late = quiet(1, 10), quiet(2, 5, later - 200) + quiet(3, 20, later)
    hearings = stage(2)
    outputs = heard(hearings, logged(early, late))
    assert reasons(outputs) == {}
    assert not hearings.knows(1)
    assert (hearings.knows(2), hearings.knows(3)) == (True, True)
    assert facts(hearings, 3) == {"processed": 20}
    heard(hearings, [replace(one, kafka_offset=1_000 + n) for n, one in enumerate(quiet(1, 10, later + 30))])
    assert not hearings.knows(1), "there is no room"


def test_a_sensor_that_comes_back_in_time_is_known() -> None:
    hearings = stage()
    heard(hearings, logged(quiet(1, 10), quiet(1, 10, START + FORGET_S - 100)))
    assert facts(hearings, 1) == {"processed": 20, "reboots": 1}


#: Of `crowded_log`, under a limit of two: 2 waits for its turn so long that 3 is heard first.
TURNED_AWAY = {2, 3, 4}


@cache
def crowded_log() -> list[Message]:
    """Let five sensors have two places: some wait for their turn, some are silent for a week, two stamps are ahead."""
    week = START + FORGET_S + 60
    log = logged(
        quiet(1, 12),
        received_at(quiet(2, 12, START + 0.2, first=7), 1, 4, later_ms=1_300),
        quiet(3, 12, START + 0.4),
        quiet(4, 9, START + 3.7),
        quiet(2, 3, week - 200),
        quiet(5, 14, week),
        quiet(1, 14, week + 0.3),
        quiet(3, 14, week + 2.2),
    )
    for n in (9, 20):
        log[n] = replace(log[n], received_ms=log[n].received_ms + 400_000)
    return log


@settings(max_examples=40, deadline=None)
@given(n_before=st.integers(0, len(crowded_log())), n_more=st.integers(0, 40))
def test_whoever_takes_over_hears_and_forgets_the_same(n_before: int, n_more: int) -> None:
    log = crowded_log()
    calm = stage(2)
    expected = heard(calm, log)
    hearings = stage(2)
    told = heard(hearings, log[:n_before])
    sensors = range(1, 6)
    kept = {sensor: hearings.state(sensor) for sensor in sensors if hearings.knows(sensor)}
    read_from = min([hearings.read_from(sensor) for sensor in sensors] + [10 + n_before])
    told += heard(hearings, log[n_before : n_before + n_more])  # and is killed
    successor = stage(2)
    for sensor, state in kept.items():
        successor.restore(sensor, [state])
    told += heard(successor, log[read_from - 10 :])
    assert set(values(told)) == set(values(expected))
    assert {sensor for sensor, reason in reasons(expected) if reason == TOO_MANY_SENSORS} == TURNED_AWAY
    assert set(reasons(told)) == set(reasons(expected))
    for sensor in sensors:
        assert successor.knows(sensor) == calm.knows(sensor)
        if calm.knows(sensor):
            assert successor.ledger(sensor) == calm.ledger(sensor)


def test_who_reads_again_does_not_count_a_sensor_that_is_still_to_come() -> None:
    turn = START + FORGET_S  # five seconds later sensor 1 is forgotten, and makes room for sensor 3
    log = logged(quiet(1, 5), quiet(2, 30, turn - 3), quiet(3, 10, turn + 10))
    hearings, successor = stage(2), stage(2)
    heard(hearings, log[:5])
    kept = {1: hearings.state(1)}
    assert reasons(heard(hearings, log[5:])) == {}
    kept[3] = hearings.state(3)
    for sensor, state in kept.items():  # and the state of sensor 2 was not written any more
        successor.restore(sensor, [state])
    assert reasons(heard(successor, log[5:])) == {}
    assert successor.ledger(2) == hearings.ledger(2)


def test_of_two_states_the_later_one_counts_where_the_topic_was_made_anew() -> None:
    hearings, successor = stage(), stage()
    heard(hearings, [replace(one, kafka_offset=1_000 + n) for n, one in enumerate(quiet(1, 20))])
    before = hearings.state(1)
    anew = [replace(one, kafka_offset=n) for n, one in enumerate(quiet(1, 20, START + 60))]
    heard(hearings, anew)
    successor.restore(1, [hearings.state(1), before])
    assert facts(successor, 1) == {"processed": 40, "reboots": 1}


@pytest.mark.parametrize("lead_s", [300, 3_600, 10 * 86_400])
def test_one_message_that_is_stamped_ahead_disturbs_no_sensor(lead_s: int) -> None:
    first, second = quiet(1, 200), quiet(2, 200, START + 0.3)
    log = sorted([*first, *second], key=lambda message: message.received_ms)
    calm = stage()
    expected = values(heard(calm, numbered(log)))
    log[120] = replace(log[120], received_ms=log[120].received_ms + 1000 * lead_s)
    hearings = stage()
    outputs = heard(hearings, numbered(log))
    own, other = log[120].sensor_id, 3 - log[120].sensor_id
    assert reasons(outputs) == {(own, "late"): 1}
    assert of_sensor(values(outputs), other) == of_sensor(expected, other) != []
    assert facts(hearings, other) == {"processed": 200}
    assert facts(hearings, own) == {"processed": 199, "late": 1}


def test_many_messages_stamped_ahead_cost_their_partition_so_much_time() -> None:
    """What is in time by two clocks that are wrong cannot be told from what is right: brokers must keep time."""
    lead_s, at_s, end_s = 300, 60, 480
    first = quiet(1, end_s)
    ahead = quiet(2, 5, START + at_s + lead_s)
    hearings = stage()
    outputs = heard(hearings, numbered([*first[:at_s], *ahead, *first[at_s:]]))
    counts, n_lost = facts(hearings, 1), lead_s + 5 - MAX_AGE_S
    assert counts["processed"] + counts["late"] == end_s
    assert abs(counts["late"] - n_lost) <= 1
    told = [one for one in outputs if isinstance(one, LevelRecord) and (one.sensor_id, one.metric) == (1, "laeq")]
    missing = [one.slot - START for one in told if one.level_db is None]
    assert missing == list(range(at_s, at_s + n_lost, 10)), "and from then on all is as before"


def numbered(log: list[Message]) -> list[Message]:
    """Give messages their places."""
    return [replace(message, kafka_offset=10 + n) for n, message in enumerate(log)]


def of_sensor(told: list[bytes], sensor_id: int) -> list[bytes]:
    """Take the records of a sensor."""
    return [value for value in told if b'"sensor_id":%d,' % sensor_id in value]
