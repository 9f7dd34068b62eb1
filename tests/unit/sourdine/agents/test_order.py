"""No input is acknowledged before what lies in front of it is done: Faust would commit past it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from dsp_core.zone import BlockError

pytest.importorskip("faust")

from sourdine.agents.progress import Progress
from sourdine.agents.rejects import Rejects
from sourdine.agents.shell import MAX_TOGETHER, ScoringShell
from sourdine.cut import Message


class Came:
    """A message as Faust hands it over; `acked` counts down from the stream's own hold on it."""

    def __init__(self, offset: int, key: bytes = b"7", partition: int = 3, value: bytes = b"sealed") -> None:
        self.offset, self.key, self.value, self.partition, self.timestamp = offset, key, value, partition, 0.0
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
        self.values: list[bytes] = []

    async def send(self, topic: str, key: bytes, value: bytes, partition: int) -> asyncio.Future[None]:
        self.values.append(value)
        self.sends.append(asyncio.get_running_loop().create_future())
        return self.sends[-1]


class Stage:
    """Gives a candidate of each window but those that say `bad`, and keeps how many came together."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def push_all(self, messages: Sequence[Message]) -> list[bytes | BlockError]:
        self.sizes.append(len(messages))
        return [refused() if message.sealed == b"bad" else message.sealed for message in messages]


def refused() -> BlockError:
    """A refusal as the core makes it."""
    refusal = BlockError("bad_seal: expected what was sealed, got a changed bit")
    refusal.reason = "bad_seal"
    return refusal


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
    await asyncio.sleep(0)
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


async def scored(values: list[bytes]) -> tuple[list[int], list[bytes], list[int]]:
    """Take windows in without letting go of the loop; sizes of the calls, what was sent, what was acknowledged."""
    outbox: Any = Broker()
    stage: Any = Stage()
    shell = ScoringShell(stage, outbox, Rejects(outbox, "classify", Progress()), "candidates")
    consumer: list[int] = []
    for offset, value in enumerate(values):
        came = Came(offset, value=value)
        await shell.take(SimpleNamespace(message=came), consumer)
        came.ack(consumer)
    await asyncio.sleep(0)
    for send in outbox.sends:
        send.set_result(None)
    await asyncio.sleep(0)
    return stage.sizes, outbox.values, consumer


def test_what_waits_is_scored_in_one_call() -> None:
    values = [b"%d" % n for n in range(7)]
    assert asyncio.run(scored(values)) == ([7], values, list(range(7)))


def test_more_than_a_call_takes_are_several() -> None:
    values = [b"%d" % n for n in range(2 * MAX_TOGETHER + 3)]
    assert asyncio.run(scored(values)) == ([MAX_TOGETHER, MAX_TOGETHER, 3], values, list(range(len(values))))


def test_a_refusal_is_its_own() -> None:
    values = [b"first", b"bad", b"last"]
    assert asyncio.run(scored(values)) == ([3], [b"first", b"last"], [0, 1, 2])


def test_nothing_is_called_with_nothing() -> None:
    outbox: Any = Broker()
    stage: Any = Stage()
    given = Rejects(outbox, "classify", Progress()).guard_all(stage.push_all, [(None, Came(0))])
    assert (given, stage.sizes) == ([None], [])


def test_no_more_than_a_call_takes_are_kept_waiting() -> None:
    async def sizes() -> list[int]:
        outbox: Any = Broker()
        stage: Any = Stage()
        shell = ScoringShell(stage, outbox, Rejects(outbox, "classify", Progress()), "candidates")
        for offset in range(MAX_TOGETHER):
            await shell.take(SimpleNamespace(message=Came(offset)), [])
        return list(stage.sizes)

    assert asyncio.run(sizes()) == [MAX_TOGETHER]
