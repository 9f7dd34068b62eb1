"""What is acknowledged when a worker is told to end is committed, whatever Faust commits at that moment."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("faust")

from faust.transport.consumer import Consumer as FaustConsumer

from sourdine.agents.worker_app import WorkerApp


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
