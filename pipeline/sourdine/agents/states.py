"""States of sensors at the broker: read when a partition comes to a worker, and written from time to time.

Whoever has a partition writes under keys of its own, so that a process which was frozen and wakes up late can neither
replace nor delete a newer state. The reader takes the newest by its position; older keys go once a newer state stands.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Collection

    from sourdine.agents.outbox import Outbox
    from sourdine.agents.rejects import Rejects
    from sourdine.broker import BrokerSettings

TOPIC: Final = "sourdine.checkpoints.v1"
#: Whose state it is, of which stage, and who wrote it.
_KEY: Final = re.compile(rb"(?P<sensor>[0-9]{1,10}) (?P<stage>[a-z]+) .+")
_WAIT_MS: Final = 5_000


class States:
    """The states of one stage.

    Parameters
    ----------
    broker : BrokerSettings
        Where they are.
    outbox : Outbox
        What they are sent with.
    rejects : Rejects
        Counts what is no state.
    stage : str
        Name of the stage.
    """

    def __init__(self, broker: BrokerSettings, outbox: Outbox, rejects: Rejects, stage: str) -> None:
        self._broker, self._outbox, self._rejects, self._stage = broker, outbox, rejects, stage
        self._writer = os.urandom(8).hex()
        self._consumer: Any = None
        self.is_reading = False
        self._others: dict[tuple[int, int], set[bytes]] = defaultdict(set)

    async def read(self, partitions: Collection[int]) -> dict[int, dict[int, list[bytes]]]:
        """Read all states of the sensors of some partitions.

        Parameters
        ----------
        partitions : collection of int
            The same in this topic as in that of the input.

        Returns
        -------
        dict of int to dict of int to list of bytes
            By partition and sensor, the sealed states, one of each process that has written one.
        """
        self.is_reading = True
        try:
            return await self._read(partitions)
        finally:
            self.is_reading = False

    async def _read(self, partitions: Collection[int]) -> dict[int, dict[int, list[bytes]]]:
        consumer, places = await self._started(), [TopicPartition(TOPIC, partition) for partition in partitions]
        consumer.assign(places)
        begins, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        # Not seek_to_beginning: the reset of a new assignment may come after it, and lead to the end.
        for place in places:
            consumer.seek(place, begins[place])
        newest: dict[int, dict[bytes, bytes | None]] = {partition: {} for partition in partitions}
        while any([await consumer.position(place) < ends[place] for place in places]):
            for place, records in (await consumer.getmany(*places, timeout_ms=_WAIT_MS)).items():
                newest[place.partition].update((record.key, record.value) for record in records)
        consumer.assign([])
        return {partition: self._by_sensor(partition, kept) for partition, kept in newest.items()}

    async def write(self, partition: int, sensor_id: int, state: bytes) -> Future[Any]:
        """Write a sensor's state; what other processes wrote goes once it stands.

        Parameters
        ----------
        partition : int
            Of the sensor.
        sensor_id : int
            Number of the sensor.
        state : bytes
            Sealed.

        Returns
        -------
        asyncio.Future
            Done once it stands.
        """
        # Before any waiting: what is read meanwhile, in an assignment after this one, is not this state's to delete.
        key, others = self._key(sensor_id), self._others.pop((partition, sensor_id), set())
        done = await self._outbox.send(TOPIC, key, state, partition)
        if others:
            await done
            for other in others:
                await self._outbox.send(TOPIC, other, None, partition)
        return done

    def forget(self) -> None:
        """Write under other keys from here on: the partitions are being given out anew."""
        self._writer = os.urandom(8).hex()
        self._others.clear()

    async def stop(self) -> None:
        """Disconnect."""
        if self._consumer is not None:
            await self._consumer.stop()

    async def _started(self) -> Any:
        if self._consumer is None:
            consumer = AIOKafkaConsumer(**self._broker.for_aiokafka(), enable_auto_commit=False)
            await consumer.start()
            self._consumer = consumer
        return self._consumer

    def _key(self, sensor_id: int) -> bytes:
        return f"{sensor_id} {self._stage} {self._writer}".encode()

    def _by_sensor(self, partition: int, newest: dict[bytes, bytes | None]) -> dict[int, list[bytes]]:
        found: dict[int, list[bytes]] = defaultdict(list)
        for key, state in newest.items():
            named = _KEY.fullmatch(key)
            if named is None:
                self._rejects.count_state(0, "bad_key", partition)
            elif named["stage"] == self._stage.encode() and state is not None:
                sensor_id = int(named["sensor"])
                found[sensor_id].append(state)
                self._others[partition, sensor_id].add(key)
        return found
