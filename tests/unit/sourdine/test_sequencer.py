"""Order and fates: by hand where one rule is meant, by an independent checker for all of them together."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from hypothesis import given
from hypothesis import strategies as st
from tests.kafka.checker import faults

from sourdine.fates import Fates
from sourdine.sequencer import HOLD_MS, LATE_MS, MAX_HELD, Sequencer
from sourdine.sequencer_stream import MAX_GAPS

BOOT_NS = 1_777_900_000_000_000_000
NOW_MS = BOOT_NS // 1_000_000 + 60_000


@dataclass(frozen=True)
class Block:
    """A message of the tests, which is its own header."""

    sequence: int
    boot_ns: int = BOOT_NS
    sensor_id: int = 1


def push(sequencer: Sequencer[Block], *sequences: int, at_ms: int = NOW_MS, boot_ns: int = BOOT_NS) -> list[int]:
    """Send blocks of sensor 1; the sequences that come out."""
    blocks = [Block(sequence, boot_ns) for sequence in sequences]
    return [out.sequence for block in blocks for out in sequencer.push(block, at_ms, block)]


def fates(sequencer: Sequencer[Block], sensor_id: int = 1) -> Fates:
    """Counts of a sensor."""
    return sequencer.fates()[sensor_id]


def test_in_order_goes_through_at_once() -> None:
    sequencer = Sequencer[Block]()
    assert push(sequencer, 0, 1, 2) == [0, 1, 2]
    assert fates(sequencer).facts()["processed"] == 3


def test_too_early_waits_for_its_turn() -> None:
    sequencer = Sequencer[Block]()
    assert push(sequencer, 0, 2, 3) == [0]
    assert push(sequencer, 1, at_ms=NOW_MS + HOLD_MS) == [1, 2, 3]
    assert (fates(sequencer).n_reordered, fates(sequencer).n_gap) == (1, 0)


def test_what_is_missing_for_over_2_s_is_a_gap_and_late_if_it_comes() -> None:
    sequencer = Sequencer[Block]()
    assert push(sequencer, 0, 3) == [0]
    assert push(sequencer, 4, at_ms=NOW_MS + HOLD_MS + 1) == [3, 4]
    assert fates(sequencer).n_gap == 2
    assert push(sequencer, 1, 1, at_ms=NOW_MS + HOLD_MS + 2) == []
    assert (fates(sequencer).n_gap, fates(sequencer).n_late, fates(sequencer).n_duplicate) == (1, 1, 1)


def test_a_silent_sensor_is_released_by_the_time_of_others() -> None:
    sequencer = Sequencer[Block]()
    push(sequencer, 0, 2)
    assert sequencer.advance(NOW_MS + HOLD_MS) == []
    assert [one.sequence for one in sequencer.advance(NOW_MS + HOLD_MS + 1)] == [2]


def test_what_comes_twice_is_a_duplicate() -> None:
    sequencer = Sequencer[Block]()
    assert push(sequencer, 0, 0, 2, 2, 1, 1) == [0, 1, 2]
    assert fates(sequencer).n_duplicate == 3


def test_a_message_over_120_s_old_is_late_and_keeps_the_place() -> None:
    sequencer = Sequencer[Block]()
    out = []
    for sequence, at_ms, passed_ms in ((0, 0, 0), (1, 0, LATE_MS), (2, 0, LATE_MS + 1), (3, 1, LATE_MS + 1)):
        sequencer.advance(NOW_MS + passed_ms)
        out += sequencer.push(Block(sequence), NOW_MS + at_ms, Block(sequence))
    assert [one.sequence for one in out] == [0, 1, 3]
    assert (fates(sequencer).n_late, fates(sequencer).n_gap) == (1, 0)


def test_a_reboot_gives_up_what_was_held_and_begins_at_0() -> None:
    sequencer, later = Sequencer[Block](), BOOT_NS + 10**9
    push(sequencer, 0, 2)
    assert push(sequencer, 1, boot_ns=later) == [2]
    assert push(sequencer, 0, boot_ns=later) == [0, 1]
    assert (fates(sequencer).n_reboots, fates(sequencer).n_gap) == (1, 1)
    assert push(sequencer, 1, 2, 4, boot_ns=BOOT_NS) == []
    facts = fates(sequencer).facts()
    assert (facts["late"], facts["duplicate"], facts["gap"]) == (2, 1, 1)


def test_a_clock_that_jumps_is_turned_away() -> None:
    sequencer = Sequencer[Block]()
    push(sequencer, 0, boot_ns=BOOT_NS)
    assert push(sequencer, 0, boot_ns=(NOW_MS + 2_001) * 1_000_000) == []
    assert push(sequencer, 0, boot_ns=BOOT_NS - 1) == []
    assert fates(sequencer).turned_away == {"clock_ahead": 1, "clock_back": 1}
    assert push(sequencer, 1, at_ms=NOW_MS - 5) == [1]
    assert fates(sequencer).n_clock_back == 1


def test_a_stream_that_is_met_midway_begins_where_it_is() -> None:
    sequencer = Sequencer[Block]()
    assert push(sequencer, 501, 500) == []
    assert push(sequencer, 502, at_ms=NOW_MS + HOLD_MS + 1) == [500, 501, 502]
    assert fates(sequencer).n_gap == 0
    assert push(sequencer, 499) == []
    assert fates(sequencer).n_late == 1


def test_what_was_kept_goes_on_as_if_nothing_had_happened() -> None:
    sequencer = Sequencer[Block]()
    push(sequencer, 0, 3, 2)
    kept = orjson.loads(orjson.dumps(sequencer.kept(1, lambda block: 70 + block.sequence)))
    restored, stand_ins = Sequencer[Block](), dict[int, Block]()

    def stand_in(at: int) -> Block:
        return stand_ins.setdefault(at, Block(-at))

    restored.restore(1, kept, stand_in)
    assert sorted(stand_ins) == [72, 73]
    for at, block in stand_ins.items():
        restored.give_back(1, Block(at - 70), block)
    for one in (sequencer, restored):
        assert push(one, 1, 1, 6, 4) == [1, 2, 3, 4]
        assert push(one, 7, at_ms=NOW_MS + HOLD_MS + 1) == [6, 7]
    assert restored.fates() == sequencer.fates()


def test_what_the_stage_refuses_is_rejected_and_not_processed() -> None:
    sequencer = Sequencer[Block]()
    push(sequencer, 0, 1)
    sequencer.reject(1, "wrong_key")
    assert fates(sequencer).facts() | {"processed": 1, "rejected": {"wrong_key": 1}} == fates(sequencer).facts()


def test_no_sensor_fills_the_memory() -> None:
    sequencer = Sequencer[Block](max_sensors=2)
    push(sequencer, 0)
    out = push(sequencer, *range(2, 3 * MAX_HELD, 2))
    sensor = sequencer._sensors[1]
    assert sensor.stream is not None
    assert (len(sensor.stream.held), len(sensor.stream.gaps)) == (MAX_HELD, MAX_GAPS)
    assert out == sorted(out)
    for number in (2, 3):
        sequencer.push(Block(0, sensor_id=number), NOW_MS, Block(0, sensor_id=number))
    assert sequencer.others.turned_away == {"too_many_sensors": 1}


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, Block]]:
    """Blocks of a few sensors and boots as a network delivers them: lost, doubled, out of order, after pauses."""
    sent = []
    for sensor in range(1, draw(st.integers(1, 3)) + 1):
        for boot in range(draw(st.integers(1, 2))):
            begin = draw(st.sampled_from([0, 7])) if boot == 0 else 0
            for sequence in range(begin, begin + draw(st.integers(0, 12))):
                sent += [Block(sequence, BOOT_NS + boot * 10**9, sensor)] * draw(st.sampled_from([0, 1, 1, 1, 1, 2]))
    rank = [draw(st.integers(0, 6)) + n for n in range(len(sent))]
    order = [block for _, block in sorted(zip(rank, sent, strict=True), key=lambda pair: pair[0])]
    now_ms, history = NOW_MS, []
    for block in order:
        now_ms += draw(st.sampled_from([0, 1, 250, 1_000, HOLD_MS + 1]))
        history.append((now_ms, block))
    return history


@given(history=histories(), n_refused=st.integers(0, 3))
def test_every_block_has_one_fate_and_leaves_in_order(history: list[tuple[int, Block]], n_refused: int) -> None:
    sequencer, out = Sequencer[Block](), list[Block]()
    for n, (received_ms, block) in enumerate(history, 1):
        out += sequencer.push(block, received_ms, block)
        assert sum(one.n_messages for one in sequencer.fates().values()) == n, "at every moment"
    out += sequencer.finish()
    for block in out[:n_refused]:
        sequencer.reject(block.sensor_id, "corrupt")
    counted = {sensor: one.facts() for sensor, one in sequencer.fates().items()}
    assert all(one["held"] == 0 for one in counted.values())
    arrived = [(block.sensor_id, block.boot_ns, block.sequence) for _, block in history]
    assert faults(arrived, [(one.sensor_id, one.boot_ns, one.sequence) for one in out], counted) == []
    total = Fates()
    for one in sequencer.fates().values():
        total.add(one)
    assert total.n_messages == len(history)
    assert total.n_blocks >= len(out)


@given(history=histories())
def test_equal_histories_give_equal_answers_whoever_else_sends(history: list[tuple[int, Block]]) -> None:
    together, alone = Sequencer[Block](), Sequencer[Block]()
    of_one = [(at, block) for at, block in history if block.sensor_id == 1]
    mixed = [out for at, block in history for out in together.push(block, at, block) if out.sensor_id == 1]
    assert mixed == [out for at, block in of_one for out in alone.push(block, at, block)]


def test_the_checker_finds_what_is_wrong() -> None:
    arrived = [(1, 5, 0), (1, 5, 1), (1, 5, 3), (1, 5, 3)]
    given = [(1, 5, 0), (1, 5, 1), (1, 5, 3)]
    good = {"processed": 3, "rejected": {}, "late": 0, "duplicate": 1, "gap": 1}
    assert faults(arrived, given, {1: good}) == []
    assert len(faults(arrived, given, {1: good | {"gap": 0}})) == 3
    assert faults(arrived, given, {1: good | {"duplicate": 0}}) == ["sensor 1: 4 messages arrived, and 3 have a fate"]
    assert faults(arrived, given, {1: good, 2: good}) == ["sensor 2: counted, but nothing arrived"]
    assert faults(arrived, given[::-1], {1: good}) != []
    assert faults(arrived, [*given, (1, 5, 2)], {1: good}) != []
    assert faults(arrived, given[:2], {1: good}) != []
