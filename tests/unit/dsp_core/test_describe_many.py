"""Many sensors in one call: each as if it were alone, however many threads share the work."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import pytest
from dsp_core.records import LevelRecord, SensorHealth
from dsp_core.zone import (
    AudioBlock,
    BlockError,
    Checkpoint,
    Describe,
    DescribeMany,
    FeatureWindow,
    LevelGate,
    ParameterError,
    Trigger,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.chain import blocks_of, street
from tests.relay import zone
from tests.sounds import noise

RATES = (8_000, 16_000, 44_100, 48_000)
#: A hang would be for ever; a busy machine is not.
HANG_S = 60


@dataclass
class Sensor:
    """One sensor's stages, and what came of it, sealed."""

    sensor_id: int
    sample_rate: int
    came: list[bytes] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        core = street().core
        self.stages = (
            Describe(sensor_id=self.sensor_id, sample_rate=self.sample_rate, start_slot=0, policy=core),
            Trigger(sensor_id=self.sensor_id, alarms_per_day=float("inf")),
            LevelGate(sensor_id=self.sensor_id, policy=core, start_slot=0),
        )

    def take(self, windows: Sequence[FeatureWindow], records: Sequence[LevelRecord | SensorHealth]) -> None:
        self.came += [zone().seal_window(window) for window in windows] + [bytes(record) for record in records]

    def push(self, block: AudioBlock) -> None:
        """Hear a block alone."""
        describe, trigger, level_gate = self.stages
        try:
            description = describe.push(block)
        except BlockError as error:
            self.reasons.append(error.reason)
        else:
            self.take(trigger.push(description), level_gate.push(description))

    def state(self) -> bytes:
        """Everything that its stages know; what is sealed is the same where the content is."""
        return zone().seal(Checkpoint.take_hearing(*self.stages))


def push_all(many: DescribeMany, sensors: Sequence[Sensor], blocks: Sequence[AudioBlock]) -> None:
    """Hear a block of each sensor in one call."""
    for sensor, came in zip(sensors, many.push([one.stages for one in sensors], blocks), strict=True):
        if isinstance(came, BlockError):
            sensor.reasons.append(came.reason)
        else:
            sensor.take(*came[1:])


@cache
def sound(sensor_id: int, sample_rate: int, block_s: float) -> list[AudioBlock]:
    """Make 2 s of noise, of its own for each sensor."""
    samples = noise(2.0, sample_rate=sample_rate, level=0.02 * (1 + sensor_id % 7), seed=sensor_id)
    return blocks_of(samples, block_s, sample_rate, sensor_id)


@settings(max_examples=12, deadline=None)
@given(
    streams=st.lists(
        st.tuples(st.sampled_from(RATES), st.sampled_from((0.0613, 0.1, 0.25, 1.0))), min_size=1, max_size=20
    ),
    n_threads=st.integers(1, 3),
)
def test_each_sensor_is_heard_as_if_alone(streams: list[tuple[int, float]], n_threads: int) -> None:
    alone = [Sensor(number, rate) for number, (rate, _) in enumerate(streams)]
    together = [Sensor(number, rate) for number, (rate, _) in enumerate(streams)]
    sounds = [sound(number, rate, block_s) for number, (rate, block_s) in enumerate(streams)]
    many = DescribeMany(n_threads=n_threads)
    assert many.n_threads == n_threads
    for turn in range(max(map(len, sounds))):
        heard = [(number, blocks[turn]) for number, blocks in enumerate(sounds) if turn < len(blocks)]
        push_all(many, [together[number] for number, _ in heard], [block for _, block in heard])
        for number, block in heard:
            alone[number].push(block)
    assert [one.came for one in together] == [one.came for one in alone]
    assert any(one.came for one in together if one.sample_rate >= 16_000) == any(rate >= 16_000 for rate, _ in streams)
    assert [one.state() for one in together] == [one.state() for one in alone]


def test_a_refused_block_is_its_sensors_alone() -> None:
    sensors, alone = ([Sensor(number, 16_000) for number in range(12)] for _ in range(2))
    blocks = [sound(number, 16_000, 0.1) for number in range(12)]
    turn = [one[0] for one in blocks]
    turn[3], turn[7] = blocks[3][1], sound(7, 48_000, 0.1)[0]
    before = sensors[3].state(), sensors[7].state()
    many = DescribeMany(n_threads=2)
    push_all(many, sensors, turn)
    assert {one.sensor_id: one.reasons for one in sensors if one.reasons} == {3: ["out_of_order"], 7: ["mismatch"]}
    assert (sensors[3].state(), sensors[7].state()) == before
    push_all(many, [sensors[3], sensors[7]], [blocks[3][0], blocks[7][0]])
    for one, its in zip(alone, blocks, strict=True):
        one.push(its[0])
    assert [one.state() for one in sensors] == [one.state() for one in alone]


def test_a_call_that_makes_no_sense_hears_nothing() -> None:
    many, one, other = DescribeMany(), Sensor(1, 16_000), Sensor(2, 16_000)
    first, second = sound(1, 16_000, 0.1)[0], sound(2, 16_000, 0.1)[0]
    with pytest.raises(ParameterError, match=r"^blocks: expected one for each of 2 sensors, got 1$"):
        many.push([one.stages, other.stages], [first])
    mixed = (other.stages[0], one.stages[1], other.stages[2])
    for twice in ([one.stages, one.stages], [one.stages, mixed]):
        with pytest.raises(ParameterError, match=r"^sensors: expected each stage once, got one that stands twice$"):
            many.push(twice, [first, second])
    assert one.stages[0].position == other.stages[0].position == 0
    assert many.push([], []) == []
    for n_threads in (0, 65):
        with pytest.raises(ParameterError, match=rf"^n_threads: expected 1 to 64, got {n_threads}$"):
            DescribeMany(n_threads=n_threads)


def test_two_callers_with_the_same_sensors_do_not_wait_for_each_other_for_ever() -> None:
    sensors = [Sensor(number, 16_000) for number in range(16)]
    blocks = [sound(number, 16_000, 0.1) for number in range(16)]
    n_heard = [0, 0]

    def hear(caller: int, order: slice) -> None:
        many = DescribeMany(n_threads=2)
        for turn in range(20):
            came = many.push([one.stages for one in sensors[order]], [its[turn] for its in blocks[order]])
            n_heard[caller] += sum(not isinstance(one, BlockError) for one in came)

    callers = [
        threading.Thread(target=hear, args=one, daemon=True) for one in ((0, slice(None)), (1, slice(None, None, -1)))
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(HANG_S)
    assert not any(caller.is_alive() for caller in callers)
    assert 1 <= sum(n_heard) <= 2 * 16 * 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_after_a_fork_the_callers_thread_does_all() -> None:
    sensors = [Sensor(number, 16_000) for number in range(40)]
    blocks = [sound(number, 16_000, 0.1) for number in range(40)]
    many = DescribeMany(n_threads=2)
    push_all(many, sensors, [its[0] for its in blocks])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of any fork beside threads
        child = os.fork()
    if child == 0:
        came = many.push([one.stages for one in sensors], [its[1] for its in blocks])
        os._exit(0 if len(came) == 40 and not any(isinstance(one, BlockError) for one in came) else 1)
    assert os.waitpid(child, 0)[1] == 0
