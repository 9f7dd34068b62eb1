from __future__ import annotations

import pytest
from dsp_core.records import Event, LevelRecord, SensorHealth, bits_per_record
from tests.chain import demo_records

from sourdine.ledger import Ledger


def test_every_record_is_counted_once_by_kind() -> None:
    ledger = Ledger()
    for record in demo_records():
        ledger.count_record(record)
    for kind, counted in ((Event, ledger.n_events), (LevelRecord, ledger.n_levels), (SensorHealth, ledger.n_health)):
        assert counted == sum(isinstance(record, kind) for record in demo_records())
    event, level, health = bits_per_record()
    bits = ledger.n_events * event + ledger.n_levels * level + ledger.n_health * health
    assert ledger.bits_out == pytest.approx(bits)


def test_bits_in_are_samples_times_their_size() -> None:
    ledger = Ledger()
    ledger.count_block(8000, 16)
    ledger.count_block(10, 16)
    assert (ledger.n_blocks, ledger.n_samples, ledger.bits_in) == (2, 8010, 128_160)


def test_refused_inputs_are_counted_by_reason() -> None:
    ledger = Ledger()
    ledger.refused["empty"] += 2
    ledger.refused["not_audio"] += 1
    assert ledger.n_refused == 3
