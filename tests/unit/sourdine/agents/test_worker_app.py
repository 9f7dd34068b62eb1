"""What is acknowledged at the end is committed, whatever Faust commits at that moment; holes are not stepped over."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("faust")

from faust.transport.consumer import Consumer as FaustConsumer

from sourdine.agents import worker_app
from sourdine.agents.worker_app import WorkerApp, pass_over
from sourdine.broker import BrokerSettings


class Consumer:
    """Faust's own rule of who commits when, around a commit that takes its time."""

    commit = FaustConsumer.commit
    maybe_wait_for_commit_to_finish = FaustConsumer.maybe_wait_for_commit_to_finish

    def __init__(self) -> None:
        self.app, self.loop = SimpleNamespace(client_only=False), asyncio.get_running_loop()
        self.acknowledged = self.committed = 0
        self._commit_fut: Any = None

    async def force_commit(self, *_: Any, **__: Any) -> bool:
        acknowledged = self.acknowledged
        await asyncio.sleep(0.01)
        self.committed = acknowledged
        return True


async def committed_at_the_end() -> int:
    """Acknowledge something while a commit is under way, and commit all of it."""
    consumer: Any = Consumer()
    consumer.acknowledged = 1
    under_way = asyncio.create_task(consumer.commit())
    await asyncio.sleep(0)
    consumer.acknowledged = 2
    app: Any = SimpleNamespace(consumer=consumer)
    await WorkerApp.commit_all(app)
    await under_way
    committed: int = consumer.committed
    return committed


def test_the_last_commit_is_not_one_that_was_under_way() -> None:
    assert asyncio.run(committed_at_the_end()) == 2


class EndedError(Exception):
    """Stands for the end of the process."""


def passed_over(earliest: int, first: int, then: int, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Let a reader that has read up to `first` find `then`; what Faust is told to take for done."""
    done: list[tuple[int, int]] = []

    async def earliest_offsets(place: str) -> dict[str, int]:
        return {place: earliest}

    async def add_gap(_: str, begin: int, last: int) -> None:
        done.append((begin, last))

    def end(*_: Any, **__: Any) -> None:
        raise EndedError

    monkeypatch.setattr(worker_app, "end", end)
    asyncio.run(pass_over(SimpleNamespace(earliest_offsets=earliest_offsets), add_gap, "place", first, then))
    return done


def test_what_the_broker_has_deleted_is_passed_over_and_nothing_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert passed_over(500, 101, 500, monkeypatch) == [(101, 499)]
    assert passed_over(700, 101, 500, monkeypatch) == [(101, 499)]


def test_a_hole_in_what_the_broker_still_has_ends_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    for earliest in (0, 101, 499):
        with pytest.raises(EndedError):
            passed_over(earliest, 101, 500, monkeypatch)


def test_faust_asks_before_it_passes_over_a_hole() -> None:
    app = worker_app.make_app(BrokerSettings("127.0.0.1:1"), group="g", instance="i")
    assert app.consumer._add_gap.func is pass_over
