"""What a sink says of a broker that goes away and comes back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import sourdine.sinks.drain
from sourdine.operations.lines import line_of
from sourdine.operations.told import Told
from sourdine.sinks.counts import Counts
from sourdine.sinks.drain import _watch


class Reader:
    """Answers or not, as it is told; each question takes two seconds of the test's clock."""

    def __init__(self, answers: list[bool]) -> None:
        self._answers = answers
        self.seconds = 100.0

    def clock(self) -> float:
        """Give the time."""
        return self.seconds

    async def answers(self) -> bool:
        """Answer, or end the test."""
        self.seconds += 2.0
        if not self._answers:
            raise asyncio.CancelledError
        return self._answers.pop(0)


def test_how_long_a_broker_was_away_is_told_once_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[Told, dict[str, Any]]] = []
    counts = Counts(lambda told, **facts: said.append((told, facts)))
    reader: Any = Reader([True, False, False, True, True, False, True])
    monkeypatch.setattr(sourdine.sinks.drain, "_LOOK_S", 0.0)
    monkeypatch.setattr(sourdine.sinks.drain, "monotonic", reader.clock)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(_watch(reader, counts))
    assert said == [
        (Told.BROKER_AWAY, {}),
        (Told.BROKER_BACK, {"seconds": 6, "n": 0}),
        (Told.BROKER_AWAY, {}),
        (Told.BROKER_BACK, {"seconds": 4, "n": 0}),
    ]
    assert b'"seconds":6,"n":0' in line_of(said[1][0], 0.0, **said[1][1])
