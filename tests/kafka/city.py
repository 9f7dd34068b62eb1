"""A small city for the tests: sensors that hear the demo's street, workers on the real broker, and a foreign reader."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from aiokafka.partitioner import murmur2
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import ConsumerGroupDescription, MemberDescription
from dsp_core.records import Event
from dsp_core.zone import Describe, Sealer, Trigger
from numpy.typing import NDArray
from tests.chain import blocks_of, classifier, street
from tests.kafka.broker.server import Broker
from tests.kafka.processes import Worker, wait_until
from tests.sounds import RATE

from sourdine.cut import Message, untouched_gate
from sourdine.flow import Flow
from sourdine.outgoing.cloudevents import encode
from sourdine.topics import layout

WINDOWS: Final = "sourdine.windows.v1"
CANDIDATES: Final = "sourdine.candidates.v1"
EVENTS: Final = "sourdine.events.v1"
STATES: Final = "sourdine.checkpoints.v1"
REJECTS: Final = "sourdine.rejects.v1"

#: A broker that is started again while others use the machine takes its time.
_FLUSH_S: Final = 300.0
_NOT_YET: Final = {KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE}
#: Batches as small as those of our own producers: the broker's limit on a message holds for a batch.
_AS_OURS: Final = {"acks": "all", "enable.idempotence": True, "batch.size": 16_384, "log_level": 0}


def partition_of(sensor_id: int) -> int:
    """Give the partition that the tests put a sensor into, in every topic."""
    return sensor_id % layout().topics[WINDOWS].partitions


def by_key(sensor_id: int) -> int:
    """Give the partition that a producer finds by the key."""
    return int(murmur2(b"%d" % sensor_id) & 0x7FFFFFFF) % layout().topics[WINDOWS].partitions


def windows_of(sensor_id: int, samples: NDArray[Any], start_slot: int, sealer: Sealer) -> list[bytes]:
    """Hear a sound as a gateway does; its sealed windows."""
    core = street().core
    describe = Describe(sensor_id=sensor_id, sample_rate=RATE, start_slot=start_slot, policy=core)
    trigger = Trigger(sensor_id=sensor_id, alarms_per_day=core.alarms_per_day)
    found = []
    for block in blocks_of(samples, sensor_id=sensor_id):
        found += [*trigger.push(describe.push(block)), trigger.lull()]
    found += [*trigger.push(describe.finish()), *trigger.finish(), trigger.lull()]
    return [sealer.seal_window(window) for window in found if window is not None]


def events_of(sensor_id: int, samples: NDArray[Any], start_slot: int) -> list[bytes]:
    """Hear a sound in one process; its events as they leave."""
    flow = Flow(
        sensor_id=sensor_id, sample_rate=RATE, start_slot=start_slot, policy=street().core, classify=classifier()
    )
    records = [record for block in blocks_of(samples, sensor_id=sensor_id) for record in flow.push(block)]
    return [encode(record) for record in [*records, *flow.finish()] if isinstance(record, Event)]


class City:
    """The broker, the zone's key, and the workers of one test."""

    def __init__(self, broker: Broker, folder: Path, key: Path) -> None:
        self.sealer = Sealer(key)
        self.workers: dict[str, Worker] = {}
        self._broker, self._folder, self._key = broker, folder, key
        self._producer = Producer(broker.settings().for_librdkafka() | _AS_OURS)
        self._start_offsets = self._ends()

    def send(self, topic: str, sensor_id: int, value: bytes, key: bytes | None = None) -> None:
        """Send one message."""
        name = b"%d" % sensor_id if key is None else key
        self._producer.produce(topic, value, name, partition_of(sensor_id), on_delivery=self._is_delivered)

    @staticmethod
    def _is_delivered(error: KafkaError | None, _: Any) -> None:
        assert error is None, error

    def make_room(self) -> None:
        """Wait until not too much waits for the broker."""
        while self._producer.poll(0) >= 0 and len(self._producer) > 20_000:
            self._producer.poll(0.1)

    def flush(self) -> None:
        """Wait until the broker has everything."""
        assert self._producer.flush(_FLUSH_S) == 0

    def enrol(self, sensors: Iterable[int]) -> None:
        """Give sensors a state from which nothing has left yet, so that they need not wait for the next hour."""
        for sensor_id in sensors:
            self.send(STATES, sensor_id, self.sealed_state(sensor_id), b"%d gate enrolled" % sensor_id)
        self.flush()

    def sealed_state(self, sensor_id: int) -> bytes:
        """Give the state of a gate that has heard nothing yet."""
        return untouched_gate(self.sealer, street().core, sensor_id)

    def lag(self, group: str, topic: str) -> int:
        """Count the messages of this test that a group has not committed yet; wait a little for the next commit."""
        time.sleep(1.0)
        asked = [ConsumerGroupTopicPartitions(group)]
        client = self._broker.admin()  # its answers end with it
        (answer,) = client.list_consumer_group_offsets(asked).values()
        committed = {place.partition: place.offset for place in answer.result(timeout=30).topic_partitions or ()}
        ends = {number: end for (name, number), end in self._ends().items() if name == topic}
        return sum(end - max(0, committed.get(number, 0)) for number, end in ends.items())

    def start(self, stage: str, instance: str, **more: str) -> Worker:
        """Start a worker of a stage, as its own user."""
        name = f"{stage}-{instance}"
        variables = {
            "SOURDINE_STAGE": stage,
            "SOURDINE_INSTANCE": name,
            "SOURDINE_KEY": str(self._key),
            "SOURDINE_KAFKA": str(self._broker.file_of(stage)),
            **more,
        }
        worker = self.workers.get(name) or Worker("sourdine.agents.app", self._folder, name, **variables)
        self.workers[name] = worker
        worker.start()
        return worker

    def wait_for(self, topic: str, n: int, sensors: Iterable[int] | None = None, hang_s: float = 90.0) -> list[bytes]:
        """Read what is new of sensors in a topic with a client that is not ours, until so many values differ."""
        keys = None if sensors is None else {b"%d" % sensor for sensor in sensors}
        with self._reading(topic) as reader:
            values: list[bytes] = []

            def are_there() -> bool:
                while (message := reader.poll(0.2)) is not None:
                    value = message.value()
                    if value is not None and (keys is None or message.key() in keys):
                        values.append(value)
                return len(set(values)) >= n

            try:
                wait_until(are_there, f"{n} values in {topic}", hang_s)
            except AssertionError as late:
                logs = "".join(worker.log.read_text("utf-8")[-1500:] for worker in self.workers.values())
                raise AssertionError(f"{late}, but {len(set(values))}\n{logs}") from None
        return values

    def log_of(self, topic: str, sensors: Iterable[int]) -> list[Message]:
        """Read what is new of sensors in a topic as a worker is given it, with the broker's times and places."""
        keys, ends = {b"%d" % sensor for sensor in sensors}, self._ends()
        n_left = sum(end - self._start_offsets[place] for place, end in ends.items() if place[0] == topic)
        log = []
        with self._reading(topic) as reader:
            for _ in range(n_left):
                came = reader.poll(30.0)
                assert came is not None
                assert came.error() is None
                if came.key() in keys:
                    log.append(Message(int(came.key()), came.value(), came.timestamp()[1], came.offset()))
        return log

    def members(self, group: str) -> list[MemberDescription]:
        """Give the members of a group as the broker has them."""
        client = self._broker.admin()
        described: ConsumerGroupDescription = client.describe_consumer_groups([group])[group].result(timeout=30)
        return list(described.members)

    def end(self) -> None:
        """Kill what still runs."""
        for worker in self.workers.values():
            worker.end(signal.SIGKILL)

    def _ends(self) -> dict[tuple[str, int], int]:
        with self._reading() as reader:
            return {
                (name, partition): _end(reader, TopicPartition(name, partition))
                for name, topic in layout().topics.items()
                for partition in range(topic.partitions)
            }

    @contextmanager
    def _reading(self, topic: str | None = None) -> Iterator[Consumer]:
        reader = Consumer(self._broker.settings().for_librdkafka() | {"group.id": "foreign", "log_level": 0})
        if topic is not None:
            places = [place for place in self._start_offsets.items() if place[0][0] == topic]
            reader.assign([TopicPartition(topic, partition, offset) for (_, partition), offset in places])
        try:
            yield reader
        finally:
            reader.close()


def _end(reader: Consumer, place: TopicPartition) -> int:
    """Ask a broker for the end of a partition; one that has just come back may not know yet that it leads it."""
    deadline = time.monotonic() + 30.0
    while True:
        try:
            end: int = reader.get_watermark_offsets(place, timeout=30)[1]
        except KafkaException as fault:
            if fault.args[0].code() not in _NOT_YET or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return end


def recently() -> int:
    """Give a second that a scene of a minute may begin in, so that the gates still count its slots."""
    return int(time.time()) - 60
