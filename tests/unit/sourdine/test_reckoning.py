"""The reckoning names each thing that does not add up, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from sourdine.reckoning import differences, totals

SENT = {"offered": 100, "sent": 90, "dropped": 8}
#: 8 were dropped, of which 3 at the end; one of two that nobody knows of came; one was late, one did not open.
COUNTED: dict[str, Any] = {
    "processed": 88,
    "rejected": {"bad_seal": 1, "slot_ahead": 1},
    "late": 1,
    "duplicate": 0,
    "gap": 6,
    "held": 0,
}


def test_what_adds_up_is_no_difference() -> None:
    assert differences({1: SENT}, {1: COUNTED}) == []
    assert differences({1: SENT | {"sent": 0}}, {1: COUNTED}) == []
    assert differences({1: {"offered": 5, "sent": 0, "dropped": 5}}, {}) == []
    counts = {"processed": 88, "late": 1, "held": 0, "duplicate": 0, "gap": 6, "rejected": 2}
    assert totals({1: COUNTED, 2: COUNTED}) == {name: 2 * count for name, count in counts.items()}


@pytest.mark.parametrize(
    ("sent", "counted", "words"),
    [
        (SENT, COUNTED | {"processed": 86}, "1 of the 90 blocks that it sent have no fate"),
        (SENT, COUNTED | {"processed": 98}, "1 more blocks came than it had"),
        (SENT, COUNTED | {"duplicate": 2}, "2 blocks came again"),
        (SENT, COUNTED | {"gap": 12}, "12 blocks count as missing, more than can be"),
        (SENT, None, "sent 90 blocks, and the workers counted none"),
        (None, COUNTED, "no sensor says that it sent"),
    ],
)
def test_each_difference_has_a_name(sent: Any, counted: Any, words: str) -> None:
    found = differences({} if sent is None else {7: sent}, {} if counted is None else {7: counted})
    assert [line.startswith("sensor 7: ") for line in found if words in line] == [True]
