"""The end of a gateway whose broker does not answer: in order, and with time to spare."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.gateways import NOWHERE
from tests.live import Notes

from sourdine.gateway import sender
from sourdine.gateway.gateway import DRAIN_S
from sourdine.gateway.sender import STOP_S, Sender
from sourdine.gateway.store import Store
from sourdine.operations.ending import END_S


class Stubborn:
    """A producer that takes everything, acknowledges nothing, and cannot be closed."""

    def __init__(self) -> None:
        self.client, self.n_sent, self.is_dropped = self, 0, False

    async def start(self) -> None:
        """Begin."""

    async def send(self, *_: Any, **__: Any) -> asyncio.Future[Any]:
        self.n_sent += 1
        return asyncio.get_running_loop().create_future()

    async def stop(self) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None:
        self.is_dropped = True


def test_the_steps_of_an_end_leave_time_to_spare() -> None:
    """Sound that waits is heard once more before them, and a busy machine takes its time."""
    assert DRAIN_S + 2 * STOP_S <= END_S - 2.0


def test_a_producer_that_cannot_be_closed_is_let_go_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    producer = Stubborn()
    monkeypatch.setattr(sender, "AIOKafkaProducer", lambda **_: producer)

    async def run_and_end(one: Sender) -> None:
        running = asyncio.create_task(one.run())
        one.take_window(7, b"sealed")
        while not producer.n_sent:
            await asyncio.sleep(0.01)
        await one.drain(0.0)
        running.cancel()
        await asyncio.wait([running], timeout=60.0)
        assert running.cancelled()

    with closing(Store(tmp_path)) as store:
        one = Sender(NOWHERE, store, Notes(), max_windows=8, n_sensors=1)
        asyncio.run(run_and_end(one))
    assert producer.is_dropped
    assert one.n_windows_lost == 1
