"""Where a sink goes on: behind what its store has, whatever the broker has meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka import TopicPartition

from sourdine.broker import BrokerSettings
from sourdine.operations.lines import Fact
from sourdine.operations.told import Told
from sourdine.sinks.counts import Counts
from sourdine.sinks.reader import TOPICS, Reader
from sourdine.sinks.store import AwayError, Outcome, Place

AT = TopicPartition("sourdine.events.v1", 3)


class Consumer:
    """Stands for the broker's partition, which holds some offsets."""

    def __init__(self, held: range) -> None:
        self.held, self.at = held, -1

    async def beginning_offsets(self, places: list[Any]) -> dict[Any, int]:
        return dict.fromkeys(places, self.held.start)

    async def end_offsets(self, places: list[Any]) -> dict[Any, int]:
        return dict.fromkeys(places, self.held.stop)

    def seek(self, place: Any, offset: int) -> None:
        assert place == AT
        self.at = offset


class Store:
    """Knows a place, or is away."""

    def __init__(self, place: int | None, *, is_away: bool = False) -> None:
        self.place, self.is_away = place, is_away

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def keep(self, records: Any, places: Any) -> Outcome:
        return Outcome()

    async def places(self) -> dict[Place, int]:
        if self.is_away:
            raise AwayError("away")
        return {} if self.place is None else {(AT.topic, AT.partition): self.place}


class Said(list[str]):
    """Keeps what is told."""

    def __call__(self, told: Told, **facts: Fact) -> None:
        self.append(" ".join([told, *(f"{name}={fact}" for name, fact in facts.items())]))


def go_on(store: Store, held: range, known: int | None = None) -> tuple[int, Counts, list[str]]:
    """Give the partition to a reader; where it goes on, and what it says."""
    said = Said()
    counts = Counts(said)
    reader, consumer = Reader(BrokerSettings("127.0.0.1:1"), "x", store, counts), Consumer(held)
    reader._consumer = consumer
    reader.places = {} if known is None else {(AT.topic, AT.partition): known}
    asyncio.run(reader.go_on([AT]))
    return consumer.at, counts, said


def test_reads_the_three_topics_of_open_records() -> None:
    found = {kind: name for name, kind in TOPICS.items()}
    assert found == {"event": AT.topic, "level": "sourdine.levels.v1", "health": "sourdine.health.v1"}


@pytest.mark.parametrize(
    ("place", "held", "at", "n_gone", "words"),
    [
        (None, range(5, 9), 5, 0, ""),
        (7, range(5, 9), 7, 0, ""),
        (9, range(5, 9), 9, 0, ""),
        (2, range(5, 9), 5, 3, "gone topic=sourdine.events.v1 partition=3 n=3"),
        (10, range(9), 0, 0, "made_anew"),
    ],
)
def test_goes_on_where_the_store_is(place: int | None, held: range, at: int, n_gone: int, words: str) -> None:
    found, counts, said = go_on(Store(place), held)
    assert (found, counts.n_gone) == (at, n_gone)
    assert len(said) == bool(words)
    assert words in "".join(said)


def test_what_is_known_must_do_while_the_store_is_away() -> None:
    assert go_on(Store(8, is_away=True), range(9), known=4)[0] == 4


def test_lines_are_few_and_hold_nothing_of_a_message() -> None:
    said = Said()
    counts = Counts(said)
    for n in range(1000):
        counts.add(Outcome(n_conflicts=1, conflict=("event", n, 60, "horn")), _refused(n))
    assert len(said) == 2
    counts.tell(at_once=True)
    assert said[2:] == [
        "refused reason=not_json n=499",
        "refused reason=other_key n=500",
        "conflict n=999 sensor=999 slot=60 what=horn",
    ]
    assert counts.facts()["n_refused"] == 1000


def _refused(n: int) -> Any:
    from collections import Counter

    return Counter({"other_key" if n % 2 else "not_json": 1})
