"""No input is acknowledged before what lies in front of it is done: Faust would commit past it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("faust")

from sourdine.agents.progress import Progress
from sourdine.agents.rejects import Rejects
from sourdine.agents.shell import ScoringShell
from sourdine.cut import Message


class Came:
    """A message as Faust hands it over; `acked` counts down from the stream's own hold on it."""

    def __init__(self, offset: int, key: bytes = b"7", partition: int = 3) -> None:
        self.offset, self.key, self.value, self.partition, self.timestamp = offset, key, b"sealed", partition, 0.0
        self.holds = 1

    def incref(self, n: int = 1) -> None:
        self.holds += n

    def ack(self, consumer: list[int], n: int = 1) -> None:
        self.holds -= n
        if self.holds == 0:
            consumer.append(self.offset)


class Broker:
    """Sends that are done when a test says so."""

    def __init__(self) -> None:
        self.sends: list[asyncio.Future[None]] = []

    async def send(self, *_: Any) -> asyncio.Future[None]:
        self.sends.append(asyncio.get_running_loop().create_future())
        return self.sends[-1]


class Stage:
    """Gives a candidate of each window."""

    def push(self, message: Message) -> list[bytes]:
        return [message.sealed]


async def acknowledged(keys: list[bytes], done: list[int]) -> list[int]:
    """Take messages in, let some sends be done, and give the offsets that Faust has heard of."""
    outbox: Any = Broker()
    stage: Any = Stage()
    shell = ScoringShell(stage, outbox, Rejects(outbox, "classify", Progress()), "candidates")
    consumer: list[int] = []
    for offset, key in enumerate(keys):
        came = Came(offset, key)
        await shell.take(SimpleNamespace(message=came), consumer)
        came.ack(consumer)  # as the stream does once the agent asks for the next
    for n in done:
        outbox.sends[n].set_result(None)
    await asyncio.sleep(0)
    return consumer


@pytest.mark.parametrize(
    ("keys", "done", "expected"),
    [
        ([b"7", b"7", b"7"], [0, 1], [0, 1]),
        ([b"7", b"7", b"7"], [1, 2], []),
        ([b"7", b"7", b"7"], [2, 0], [0]),
        ([b"7", b"rubbish", b"7"], [], []),
        ([b"7", b"rubbish", b"7"], [0], [0, 1]),
        ([b"rubbish", b"7", b"7"], [], [0]),
    ],
    ids=["in order", "head waits", "gap waits", "refused waits", "refused follows", "refused first"],
)
def test_order(keys: list[bytes], done: list[int], expected: list[int]) -> None:
    assert asyncio.run(acknowledged(keys, done)) == expected
