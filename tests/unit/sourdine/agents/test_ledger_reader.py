from __future__ import annotations

from typing import Any

import orjson
import pytest

from sourdine.agents.ledger_reader import is_newer, line_of
from sourdine.fates import Fates

LINE: dict[str, Any] = {"sensor_id": 17, "slot": 1_777_900_020, "kafka_offset": 4} | Fates().facts()


def test_what_a_worker_writes_is_read() -> None:
    line = LINE | {"rejected": {"empty": 2}}
    assert line_of(orjson.dumps(line)) == line


NOT_A_LINE = {
    "no JSON": b"x",
    "no UTF-8": b"\xff",
    "a number": b"3",
    "a list": b"[]",
    "a count is missing": orjson.dumps({name: value for name, value in LINE.items() if name != "held"}),
    "a time is a word": orjson.dumps(LINE | {"slot": "3"}),
    "a count is true": orjson.dumps(LINE | {"gap": True}),
    "a count is a word": orjson.dumps(LINE | {"late": "3"}),
    "rejected is one number": orjson.dumps(LINE | {"rejected": 3}),
    "a reason's count is a word": orjson.dumps(LINE | {"rejected": {"empty": "2"}}),
    "too deep": b"[" * 100_000,
}


@pytest.mark.parametrize("value", NOT_A_LINE.values(), ids=NOT_A_LINE.keys())
def test_anything_else_is_not_taken_for_counts(value: bytes) -> None:
    assert line_of(value) is None


def test_a_line_of_an_earlier_version_is_read_and_is_older_than_any_other() -> None:
    old = line_of(orjson.dumps({name: value for name, value in LINE.items() if name != "slot"}))
    assert old is not None
    assert is_newer(LINE, old)
    assert not is_newer(old, LINE)


def test_a_topic_that_was_made_anew_begins_again_and_a_sleeper_does_not_go_before_its_successor() -> None:
    later = LINE | {"slot": LINE["slot"] + 60, "kafka_offset": 0}
    assert is_newer(LINE, None)
    assert is_newer(later, LINE), "its topic was made anew"
    assert not is_newer(LINE, later)
    assert is_newer(LINE | {"kafka_offset": 5}, LINE), "in the same second"
    assert not is_newer(LINE, LINE | {"kafka_offset": 5}), "it was frozen and woke up late"
