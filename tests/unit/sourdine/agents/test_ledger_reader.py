from __future__ import annotations

from typing import Any

import orjson
import pytest

from sourdine.agents.lines import line_of
from sourdine.fates import Fates

LINE: dict[str, Any] = {"sensor_id": 17, "kafka_offset": 4} | Fates().facts()


def test_what_a_worker_writes_is_read() -> None:
    line = LINE | {"rejected": {"empty": 2}}
    assert line_of(orjson.dumps(line)) == line


NOT_A_LINE = {
    "no JSON": b"x",
    "no UTF-8": b"\xff",
    "a number": b"3",
    "a list": b"[]",
    "a count is missing": orjson.dumps({name: value for name, value in LINE.items() if name != "held"}),
    "a count is true": orjson.dumps(LINE | {"gap": True}),
    "a count is a word": orjson.dumps(LINE | {"late": "3"}),
    "rejected is one number": orjson.dumps(LINE | {"rejected": 3}),
    "a reason's count is a word": orjson.dumps(LINE | {"rejected": {"empty": "2"}}),
    "too deep": b"[" * 100_000,
}


@pytest.mark.parametrize("value", NOT_A_LINE.values(), ids=NOT_A_LINE.keys())
def test_anything_else_is_not_taken_for_counts(value: bytes) -> None:
    assert line_of(value) is None
