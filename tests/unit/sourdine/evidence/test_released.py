from __future__ import annotations

from pathlib import Path

import pytest
from dsp_core.records import Event, LevelRecord, SensorHealth
from tests.chain import demo_records, street

from sourdine.evidence.released import EventMark, LevelStep, StateSpan, read_released
from sourdine.ledger import Ledger
from sourdine.outgoing.jsonl import JsonlSink


def test_what_was_written_is_read_back_once_each_with_the_same_bits(tmp_path: Path) -> None:
    sink, ledger = JsonlSink(tmp_path), Ledger()
    sink.write(demo_records())
    sink.close()
    for record in demo_records():
        ledger.count_record(record)
    released = read_released(tmp_path, street().core)
    assert released.events == [
        EventMark(1, event.slot, event.sound_class, event.level_db, event.scale, event.confidence)
        for event in demo_records()
        if isinstance(event, Event)
    ]
    assert released.levels == [
        LevelStep(1, level.slot, 60, level.metric, level.level_db, level.scale)
        for level in demo_records()
        if isinstance(level, LevelRecord)
    ]
    assert released.states == [
        StateSpan(1, state.slot, 60, state.state) for state in demo_records() if isinstance(state, SensorHealth)
    ]
    assert released.bits == pytest.approx(ledger.bits_out)
