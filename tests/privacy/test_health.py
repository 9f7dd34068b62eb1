"""A sensor's state and its levels do not depend on what was classified."""

from __future__ import annotations

from datetime import date
from importlib.resources import files
from pathlib import Path

from dsp_core.records import Event
from dsp_core.zone import Classify
from tests.chain import Record, blocks_of
from tests.sounds import RATE, eventful

from sourdine.flow import Flow
from sourdine.policy import load


def heard(path: Path, changes: dict[str, str]) -> list[Record]:
    """Hear a horn and breaking glass under the default policy with some changes, by a sensor that is calibrated."""
    text = (files("sourdine") / "policies" / "street.toml").read_text("utf-8").replace("period_s = 60", "period_s = 10")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text.replace("max_bit_per_s = 0.30", "max_bit_per_s = 2.0"), "utf-8")
    core = load(str(path), today=date(2026, 1, 1)).core
    classify = Classify(policy=core)
    flow = Flow(sensor_id=1, sample_rate=RATE, start_slot=0, policy=core, classify=classify, full_scale_db=110.0)
    return [record for block in blocks_of(eventful(30.0)) for record in flow.push(block)] + flow.finish()


def test_states_are_the_same_whether_events_are_told_withheld_or_unknown(tmp_path: Path) -> None:
    told = heard(tmp_path / "told.toml", {})
    withheld = heard(
        tmp_path / "withheld.toml",
        {
            "max_per_minute = 3": "max_per_minute = 1",
            "max_per_hour = 20": "max_per_hour = 1",
            "reserved_per_minute = 1": "reserved_per_minute = 0",
            "reserved_per_hour = 8": "reserved_per_hour = 0",
        },
    )
    unknown = heard(
        tmp_path / "unknown.toml",
        {'["glass_break", "fireworks", "horn", "siren"]': '["fireworks"]', '["horn", "siren"]': "[]"}
        | {'["glass_break", "siren"]': "[]", "reserved_per_minute = 1": "reserved_per_minute = 0"}
        | {"reserved_per_hour = 8": "reserved_per_hour = 0"},
    )
    events = [sum(isinstance(record, Event) for record in records) for records in (told, withheld, unknown)]
    assert events[0] > events[1] == 1
    assert events[2] == 0
    states = [[record for record in records if not isinstance(record, Event)] for records in (told, withheld, unknown)]
    assert states[0] == states[1] == states[2]
    assert any(getattr(state, "state", "") == "ok" for state in states[0]), "the state that the budget would take"
