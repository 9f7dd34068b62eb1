"""Around a stage that keeps states: nothing is acknowledged, and no state stands, before all that it needs does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from sourdine.agents.keeping import KeepingShell
from sourdine.cut import Message
from sourdine.hearing import SealedWindow

WINDOWS = "sourdine.windows.v1"


class Stage:
    """Knows odd sensors, needs the last message of each again, and gives a window for each 20th offset."""

    def __init__(self) -> None:
        self.last: dict[int, int] = {}
        #: From where even sensors must be read.
        self.needed = 2**63

    def push(self, message: Message) -> Sequence[Any]:
        """Take a message."""
        self.last[message.sensor_id] = message.kafka_offset
        return [SealedWindow(message.sensor_id, b"window")] if message.kafka_offset % 20 == 0 else []

    def knows(self, sensor_id: int) -> bool:
        """Whether it keeps a state of it."""
        return sensor_id % 2 == 1 and sensor_id in self.last

    def read_from(self, sensor_id: int) -> int:
        """Need the last one again."""
        return self.last[sensor_id] if sensor_id % 2 == 1 else self.needed

    def state(self, sensor_id: int) -> bytes:
        """Say how far it came."""
        return b"%d" % self.last[sensor_id]

    def told_with(self, sensor_id: int) -> Sequence[Any]:
        """Tell nothing."""
        return []

    def restore(self, sensor_id: int, states: list[bytes]) -> None:
        """Have nothing to restore."""


class Came:
    """A message of Faust, that says when it is acknowledged for good."""

    def __init__(self, sensor_id: int, offset: int, acked: list[int]) -> None:
        self.key, self.value, self.offset, self.partition = b"%d" % sensor_id, b"sound", offset, 0
        self.timestamp, self.refcount, self._acked = 1000.0 + offset, 1, acked

    def incref(self) -> None:
        """Count one more."""
        self.refcount += 1

    def ack(self, consumer: Any) -> None:
        """Count one less."""
        self.refcount -= 1
        if self.refcount == 0:
            self._acked.append(self.offset)


class Desk:
    """The shell, and all that stands around it."""

    def __init__(self) -> None:
        self.acked: list[int] = []
        self.sent: list[asyncio.Future[None]] = []
        self.written: list[tuple[int, bytes]] = []
        self.stage = Stage()
        consumer = SimpleNamespace(assignment=lambda: [SimpleNamespace(partition=0)])
        rejects: Any = SimpleNamespace(guard=lambda push, message, came: push(message))
        app: Any = SimpleNamespace(consumer=consumer)
        outbox: Any = SimpleNamespace(send=self._send)
        states: Any = SimpleNamespace(read=self._read, write=self._write, forget=lambda: None)
        self.shell = KeepingShell(app, lambda: self.stage, outbox, rejects, states, {SealedWindow: WINDOWS})

    async def take(self, sensor_id: int, *offsets: int) -> None:
        """Let messages come, as Faust gives them."""
        for offset in offsets:
            came = Came(sensor_id, offset, self.acked)
            await self.shell.take(SimpleNamespace(message=came))
            assert came.value is None, "what it brought is let go of"
            came.ack(None)

    async def _send(self, topic: str, key: bytes, value: bytes, partition: int) -> asyncio.Future[None]:
        self.sent.append(asyncio.get_running_loop().create_future())
        return self.sent[-1]

    async def _read(self, partitions: set[int]) -> dict[int, dict[int, list[bytes]]]:
        return {number: {} for number in partitions}

    async def _write(self, number: int, sensor_id: int, state: bytes) -> asyncio.Future[None]:
        self.written.append((sensor_id, state))
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


@pytest.fixture
def desk() -> Desk:
    """Give a worker of one partition."""
    return Desk()


def test_inputs_are_acknowledged_in_the_order_of_the_broker(desk: Desk) -> None:
    async def main() -> None:
        await desk.take(2, 1, 2)
        await desk.take(1, 3, 4, 5)
        await desk.take(2, 6, 7)
        assert desk.acked == [1, 2], "Faust would commit past 3, and 6 is not behind it"
        await desk.shell.keep()
        assert desk.written == [(1, b"5")]
        assert desk.acked == [1, 2, 3, 4], "5 is needed again"
        await desk.take(1, 8)
        await desk.shell.keep()
        assert desk.acked == [1, 2, 3, 4, 5, 6, 7]

    asyncio.run(main())


def test_no_state_stands_before_what_left_before_it(desk: Desk) -> None:
    async def main() -> None:
        await desk.take(1, 19, 20, 21)
        keeping = asyncio.create_task(desk.shell.keep())
        await asyncio.sleep(0.05)
        assert (len(desk.sent), desk.written, desk.acked) == (1, [], [])
        desk.sent[0].set_result(None)
        await keeping
        assert (desk.written, desk.acked) == ([(1, b"21")], [19, 20])

    asyncio.run(main())


def test_what_was_given_to_others_is_never_acknowledged(desk: Desk) -> None:
    async def main() -> None:
        await desk.take(1, 19, 20)
        keeping = asyncio.create_task(desk.shell.keep())
        await asyncio.sleep(0.05)
        desk.shell.forget()
        desk.sent[0].set_result(None)
        await keeping
        assert desk.acked == []

    asyncio.run(main())


def test_a_state_is_written_when_its_oldest_input_is_due(desk: Desk) -> None:
    async def main() -> None:
        await desk.take(1, 1, 10)
        await desk.shell.keep(15.0)
        assert desk.written == []
        await desk.take(1, 16)
        await desk.shell.keep(15.0)
        assert desk.written == [(1, b"16")]
        await desk.shell.keep(15.0)
        assert len(desk.written) == 1, "nothing has changed"

    asyncio.run(main())


def test_what_was_held_and_never_heard_is_acknowledged_in_the_end(desk: Desk) -> None:
    async def main() -> None:
        desk.stage.needed = 3  # sensor 2 is not known, and 3 waits for its turn
        await desk.take(2, 3)
        await desk.shell.keep()
        assert desk.acked == []
        desk.stage.needed = 2**63  # it was refused
        await desk.take(2, 4)
        await desk.shell.keep()
        assert desk.acked == [3, 4]
        assert desk.written == []

    asyncio.run(main())


def test_a_state_of_a_partition_that_was_given_away_meanwhile_is_not_written(desk: Desk) -> None:
    async def main() -> None:
        await desk.take(1, 19, 20, 21)
        keeping = asyncio.create_task(desk.shell.keep())
        await asyncio.sleep(0.05)
        desk.shell.forget()
        desk.sent[0].set_result(None)
        await keeping
        assert (desk.written, desk.acked) == ([], []), "another may have written a newer one"

    asyncio.run(main())
