"""What a worker sends: 64 messages at a time at most, and the process ends before it commits past a lost one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from aiokafka import AIOKafkaProducer

from sourdine.agents.exits import EXIT_SEND
from sourdine.operations.ending import end
from sourdine.operations.lines import Name, type_of
from sourdine.operations.told import Told

if TYPE_CHECKING:
    from sourdine.broker import BrokerSettings

#: One awaited send after the other makes some 116 a second; this many at a time make thousands, in bounded memory.
MAX_IN_FLIGHT: Final = 64
#: What comes within this time travels together. A request costs the processor as much as several messages, and the
#: producer's own linger counts for each partition apart: with it three times as many went out.
_LINGER_S: Final = 0.025


@dataclass(slots=True)
class _Letter:
    """A message on its way."""

    topic: str
    key: bytes
    value: bytes | None
    partition: int
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Outbox:
    """A producer whose sends are counted.

    Faust's own producer is not used: its flush swallows failed batches, and a message costs three times as much.

    Parameters
    ----------
    broker : BrokerSettings
        Where to send.
    """

    def __init__(self, broker: BrokerSettings) -> None:
        self._broker = broker
        self._room = asyncio.Semaphore(MAX_IN_FLIGHT)
        self._letters: list[_Letter] = []
        self._has_letters = asyncio.Event()
        self._postman: asyncio.Task[None] | None = None
        self._n_unsent = 0
        #: Messages that the broker has.
        self.n_delivered = 0
        self._is_empty = asyncio.Event()
        self._is_empty.set()

    async def settle(self) -> None:
        """Wait until the broker has everything that was to be sent, and what came of it is acknowledged."""
        await self._is_empty.wait()

    async def stop(self) -> None:
        """Send what waits, and disconnect."""
        await self.settle()
        if self._postman is not None:
            self._postman.cancel()
            await asyncio.wait([self._postman])

    async def send(self, topic: str, key: bytes, value: bytes | None, partition: int) -> asyncio.Future[None]:
        """Send one message, as soon as there is room.

        Parameters
        ----------
        topic : str
            Where to.
        key : bytes
            Of the message.
        value : bytes or None
            None deletes an older message of the key.
        partition : int
            Of the topic.

        Returns
        -------
        asyncio.Future
            Done once the broker has it. It never fails: the process does.
        """
        self._n_unsent += 1
        self._is_empty.clear()
        try:
            await self._room.acquire()
        except asyncio.CancelledError:
            self._has_one_less()
            raise
        if self._postman is None:
            self._postman = asyncio.create_task(self._carry())
        letter = _Letter(topic, key, value, partition)
        self._letters.append(letter)
        self._has_letters.set()
        return letter.done

    async def _carry(self) -> None:
        """Hand over what has gathered, in the order in which it came."""
        topic = "any topic"
        try:
            async with AIOKafkaProducer(**self._broker.for_aiokafka(), acks="all", enable_idempotence=True) as producer:
                while True:
                    await self._has_letters.wait()
                    if not self._room.locked():
                        await asyncio.sleep(_LINGER_S)
                    letters, self._letters = self._letters, []
                    self._has_letters.clear()
                    for letter in letters:
                        topic = letter.topic
                        sent = await producer.send(topic, letter.value, key=letter.key, partition=letter.partition)
                        sent.add_done_callback(lambda result, letter=letter: self._delivered(letter, result))
        except Exception as error:  # noqa: BLE001  whatever it is, the message is not sent
            end(EXIT_SEND, Told.SEND_FAILED, topic=Name(topic), error=type_of(error))

    def _delivered(self, letter: _Letter, result: asyncio.Future[Any]) -> None:
        self._room.release()
        if not result.cancelled():
            if (error := result.exception()) is not None:
                end(EXIT_SEND, Told.SEND_FAILED, topic=Name(letter.topic), error=type_of(error))
            self.n_delivered += 1
            if not letter.done.done():
                letter.done.set_result(None)
        self._has_one_less()  # after whoever waits for the message: it is acknowledged before all counts as settled

    def _has_one_less(self) -> None:
        self._n_unsent -= 1
        if not self._n_unsent:
            self._is_empty.set()
