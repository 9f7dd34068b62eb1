"""What a worker sends: 64 messages at a time at most, and the process ends before it commits past a lost one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from aiokafka import AIOKafkaProducer

from sourdine.agents.exits import EXIT_SEND, leave

if TYPE_CHECKING:
    from sourdine.broker import BrokerSettings

#: One awaited send after the other makes some 116 a second; this many at a time make thousands, in bounded memory.
MAX_IN_FLIGHT: Final = 64
#: What comes within this time travels in one request; each costs the processor as much as several messages.
_LINGER_MS: Final = 25


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
        self._starting = asyncio.Lock()
        self._producer: Any = None

    async def flush(self) -> None:
        """Wait until all of it stands at the broker, and whoever waited for that has acknowledged what it came from."""
        if self._producer is not None:
            await self._producer.flush()
            await asyncio.sleep(0)

    async def stop(self) -> None:
        """Send what waits, and disconnect."""
        if self._producer is not None:
            await self._producer.stop()

    async def send(self, topic: str, key: bytes, value: bytes | None, partition: int) -> asyncio.Future[Any]:
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
        await self._room.acquire()
        try:
            producer = await self._started()
            future: asyncio.Future[Any] = await producer.send(topic, value, key=key, partition=partition)
        except Exception as error:  # noqa: BLE001  whatever it is, the message is not sent
            leave(EXIT_SEND, f"a message to {topic} was not sent: {type(error).__name__}")
        future.add_done_callback(lambda done: self._sent(topic, done))
        return future

    async def _started(self) -> Any:
        async with self._starting:
            if self._producer is None:
                options = {"acks": "all", "enable_idempotence": True, "linger_ms": _LINGER_MS}
                self._producer = AIOKafkaProducer(**self._broker.for_aiokafka(), **options)
                await self._producer.start()
        return self._producer

    def _sent(self, topic: str, future: asyncio.Future[Any]) -> None:
        self._room.release()
        if future.cancelled() or (error := future.exception()) is None:
            return
        leave(EXIT_SEND, f"a message to {topic} was not sent: {type(error).__name__}")
