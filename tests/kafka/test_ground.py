"""What everything else stands on: a Faust worker on the real broker, over TLS and SCRAM, as a static member."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import ConsumerGroupDescription, NewTopic
from tests.kafka.broker.server import SUPER_USER, Broker
from tests.kafka.processes import Worker, wait_until

N_PARTITIONS = 4
ASSIGNED = '"event":"assigned"'


@pytest.fixture(scope="module")
def ground(broker: Broker) -> Broker:
    """Make the two topics that the relay worker carries from and to."""
    client = broker.admin()
    for future in client.create_topics([NewTopic(f"ground.{end}", N_PARTITIONS, 1) for end in ("in", "out")]).values():
        future.result(timeout=30)
    return broker


@pytest.fixture
def group(ground: Broker, tmp_path: Path) -> Iterator[Group]:
    """Make a group of workers, and end those that are left."""
    made = Group(ground, tmp_path)
    yield made
    for one in made.workers:
        one.end(signal.SIGKILL)


class Group:
    """Workers that share the partitions, in a group that no other test uses."""

    def __init__(self, broker: Broker, folder: Path) -> None:
        self.name = folder.name
        self.workers: list[Worker] = []
        self._broker = broker
        self._folder = folder
        self._client = broker.admin()

    def start(self, instance: str, user: str = SUPER_USER, **changes: str) -> Worker:
        """Start a worker, as a user of the broker."""
        environment = {
            "SOURDINE_KAFKA": str(self._broker.file_of(user)),
            "GROUP": self.name,
            "INBOUND": "ground.in",
            "OUTBOUND": "ground.out",
        }
        self.workers.append(Worker("tests.kafka.relay_worker", self._folder, instance, **environment | changes))
        self.workers[-1].start()
        return self.workers[-1]

    def start_two(self) -> tuple[Worker, Worker]:
        """Start two, and wait until each has half of the partitions."""
        one, other = self.start("one"), self.start("other")
        wait_until(lambda: [len(own) for own in self.shares().values()] == [2, 2], "two workers share the partitions")
        wait_until(lambda: all(worker.said(ASSIGNED) for worker in (one, other)), "both are ready")
        return one, other

    def shares(self) -> dict[str, frozenset[int]]:
        """Partitions of each member, by its static name, as the broker's coordinator has them."""
        try:
            group = self._client.describe_consumer_groups([self.name])[self.name].result(timeout=30)
        except KafkaException as error:
            if error.args[0].code() in _NOT_YET:
                return {}
            raise
        return shares_of(group)


#: A broker that has just started has first to find out which groups there are.
_NOT_YET = {KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.NOT_COORDINATOR}


def shares_of(group: ConsumerGroupDescription) -> dict[str, frozenset[int]]:
    """Read the partitions of each member."""
    return {
        member.group_instance_id: frozenset(one.partition for one in member.assignment.topic_partitions)
        for member in group.members
    }


def test_a_raw_message_goes_through(ground: Broker, group: Group) -> None:
    worker = group.start("one")
    producer = Producer(ground.settings().for_librdkafka())
    producer.produce("ground.in", key=b"17", value=b"\x00raw\xff")
    assert producer.flush(30) == 0
    reader = Consumer(ground.settings().for_librdkafka() | {"group.id": "reader", "auto.offset.reset": "earliest"})
    reader.subscribe(["ground.out"])
    message = reader.poll(60)
    reader.close()
    assert message is not None, worker.log.read_text("utf-8")[-3000:]
    assert (message.key(), message.value()) == (b"17", b"\x00raw\xff")
    assert not worker.listens(), "its pages must not be served"
    assert worker.end() == 0
    assert worker.files() == []


def test_worker_needs_no_more_than_its_rights(city: Broker, group: Group) -> None:
    windows, candidates = "sourdine.windows.v1", "sourdine.candidates.v1"
    worker = group.start("one", "classify", GROUP="sourdine-classify", INBOUND=windows, OUTBOUND=candidates)
    message = secrets.token_bytes(32)
    producer = Producer(city.settings("gateway").for_librdkafka())
    producer.produce(windows, key=b"17", value=message)
    assert producer.flush(30) == 0
    settings = city.settings("gate").for_librdkafka()
    reader = Consumer(settings | {"group.id": "sourdine-gate", "auto.offset.reset": "earliest"})
    reader.subscribe([candidates])
    found = None
    while found is None or found.value() != message:  # other tests write there too
        found = reader.poll(60)
        assert found is not None, worker.log.read_text("utf-8")[-3000:]
    reader.close()
    assert found.key() == b"17"
    assert worker.end() == 0


def test_static_member_comes_back_unnoticed(group: Group) -> None:
    workers = group.start_two()
    shared = group.shares()
    # One of the two leads the group, and neither way of ending says farewell to it.
    for how, (one, other) in ((signal.SIGTERM, workers), (signal.SIGKILL, workers[::-1])):
        n_joined, n_other = one.said(ASSIGNED), other.said(ASSIGNED)
        one.end(how)
        one.start()
        wait_until(lambda one=one, n=n_joined: one.said(ASSIGNED) > n, "the worker is back")  # type: ignore[misc]
        assert group.shares() == shared
        assert other.said(ASSIGNED) == n_other, "the other was made to join again"


def test_a_lost_worker_is_taken_over(group: Group) -> None:
    one, _ = group.start_two()
    one.end(signal.SIGKILL)
    wait_until(lambda: group.shares() == {"other": frozenset(range(N_PARTITIONS))}, "the other has all of them")


def test_what_was_acknowledged_outlives_a_kill(ground: Broker) -> None:
    keys = {b"%d" % number for number in range(100)}
    producer = Producer(ground.settings().for_librdkafka() | {"acks": "all", "log_level": 0})
    for key in keys:
        producer.produce("ground.out", key=key, value=b"kept", partition=0)
    assert producer.flush(30) == 0
    ground.kill()
    ground.start()
    reader = Consumer(ground.settings().for_librdkafka() | {"group.id": "kept", "auto.offset.reset": "earliest"})
    reader.subscribe(["ground.out"])
    kept: list[bytes | None] = []
    while not keys <= set(kept):
        message = reader.poll(60)
        assert message is not None, f"{len(keys - set(kept))} are missing"
        kept.append(message.key())
    reader.close()
