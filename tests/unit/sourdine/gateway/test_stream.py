"""Streams that are heard in one call: each gets what it would get alone, and a fault of one stays with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pytest
from dsp_core.records import LevelRecord, SensorHealth
from dsp_core.zone import AudioBlock, Describe, DescribeMany, LevelGate, Trigger
from numpy.typing import NDArray
from tests.chain import Record, blocks_of, classifier, new_flow, street
from tests.sounds import RATE, eventful

from sourdine.errors import OutputError
from sourdine.flow import Flow
from sourdine.gateway.stream import Stream, hear_together

N_STREAMS = 12


@dataclass
class Listening:
    """A listener that is given blocks."""

    chain: Any
    blocks: list[AudioBlock]
    records: list[Record] = field(default_factory=list)
    take_fails: Callable[[], None] = lambda: None

    def look(self) -> AudioBlock | None:
        """Give the next block."""
        return self.blocks.pop(0) if self.blocks else None

    def take(self, records: list[Record]) -> None:
        """Keep what left."""
        self.take_fails()
        self.records += records


class Source:
    """A source that can rest and be closed."""

    def __init__(self) -> None:
        self.rested, self.is_closed = 0.0, False

    def rest(self, seconds: float) -> None:
        """Rest."""
        self.rested += seconds

    def close(self) -> None:
        """Close."""
        self.is_closed = True


class Ear:
    """Hears nothing of the sound."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, told: object, text: str, **facts: object) -> None:
        """Keep a note."""
        del told, facts
        self.notes.append(text)


class Sealing:
    """A chain that describes nothing."""

    hearing = None

    def __init__(self) -> None:
        self.n_blocks = 0

    def push(self, block: AudioBlock) -> list[Record]:
        """Count a block."""
        del block
        self.n_blocks += 1
        return []


@cache
def sound() -> NDArray[np.float64]:
    """Make a sound with events, once."""
    return eventful(12.0)


def flow_of(sensor_id: int) -> Flow:
    """Make the whole chain of a sensor."""
    return Flow(sensor_id=sensor_id, sample_rate=RATE, start_slot=0, policy=street().core, classify=classifier())


def blocks(sensor_id: int) -> list[AudioBlock]:
    """Cut a sound with events into blocks, each sensor its own way."""
    return blocks_of(sound(), 0.25 if sensor_id % 2 else 0.1, sensor_id=sensor_id)


def stream_of(listening: Listening) -> tuple[Stream, Source, Ear]:
    """Make a stream around it."""
    source, ear = Source(), Ear()
    stream: Any = Stream(source, listening, ear)  # type: ignore[arg-type]  # what it asks of them
    return stream, source, ear


def alone(sensor_id: int) -> list[bytes]:
    """Hear a stream by itself."""
    flow = flow_of(sensor_id)
    return [bytes(record) for block in blocks(sensor_id) for record in flow.push(block)]


def test_each_stream_gets_what_it_gets_alone() -> None:
    listening = [Listening(flow_of(one), blocks(one)) for one in range(N_STREAMS)]
    sealing = Listening(Sealing(), blocks(99))
    streams = [stream_of(one)[0] for one in [*listening[:5], sealing, *listening[5:]]]
    many = DescribeMany(n_threads=2)
    n_sealed = len(sealing.blocks)
    while any(one.blocks for one in listening):
        hear_together(streams, many)
    assert sealing.chain.n_blocks == n_sealed
    for sensor_id, one in enumerate(listening):
        assert [bytes(record) for record in one.records] == alone(sensor_id)
    assert any(not isinstance(record, LevelRecord | SensorHealth) for record in listening[0].records)


def test_a_fault_stays_with_its_stream() -> None:
    def no_disk() -> None:
        raise OutputError("no disk")

    good, bad, full = (Listening(flow_of(one), blocks(one)) for one in (1, 2, 3))
    bad.blocks.pop(0)  # its first block is not the one that its chain waits for
    full.take_fails = no_disk
    streams = [stream_of(one) for one in (bad, good, full)]
    hear_together([stream for stream, *_ in streams], DescribeMany())
    (_, bad_source, bad_ear), (_, good_source, good_ear), (_, full_source, full_ear) = streams
    assert (bad_source.is_closed, bad_ear.notes) == (True, ["unexpected BlockError: out until the next start"])
    assert (full_source.rested, full_ear.notes) == (60.0, ["no disk; left alone for 60 s"])
    assert not good_ear.notes
    assert not good_source.is_closed
    hear_together([stream for stream, *_ in streams], DescribeMany())
    describe: Describe = good.chain.hearing[0]
    assert describe.position == 2 * RATE // 4
    assert [type(stage) for stage in good.chain.hearing] == [Describe, Trigger, LevelGate]
    assert len(bad.blocks) == len(blocks(2)) - 2, "the one that is out is not looked at again"


def test_a_flow_says_by_which_stages_it_hears() -> None:
    flow = new_flow()
    first = blocks_of(sound(), 1.0)[0]
    (made,) = DescribeMany().push([flow.hearing], [first])
    assert not isinstance(made, Exception)
    assert flow.pass_on(*made) == new_flow().push(first)
    with pytest.raises(TypeError):
        DescribeMany().push([flow], [first])  # type: ignore[list-item]
