"""The matrix of rights on the real broker, cell by cell: what is listed works, and everything else is denied."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)
from tests.kafka.broker.server import Broker

from sourdine.topics import layout

TOPICS = sorted(layout().topics)
PRINCIPALS = sorted(layout().principals)
GROUPS = ("sourdine-describe", "sourdine-classify", "sourdine-gate", "sourdine-sink-city", "sourdine-console-page")
ELSEWHERE = ("sourdine", "sourdine-describe-too", "anything")

DENIED = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    KafkaError._NOENT,  # librdkafka, of a topic that it is not told of
}
HANG_S = 30.0


@pytest.fixture(scope="module")
def filled(city: Broker) -> Broker:
    """Put one message into each topic, so that there is something to read."""
    producer = Producer(city.settings().for_librdkafka())
    for name in TOPICS:
        producer.produce(name, key=b"17", value=b"x", partition=0)
    assert producer.flush(HANG_S) == 0
    return city


def is_denied(error: KafkaError) -> bool:
    """Whether an answer is a refusal of the right asked for; any other error is a fault of the test."""
    assert error.code() in DENIED, error
    return True


def allowed(attempt: Callable[[], Any]) -> bool:
    """Try something, and say whether it is permitted."""
    try:
        attempt()
    except KafkaException as refusal:
        return not is_denied(refusal.args[0])
    return True


def answers(futures: dict[Any, Any]) -> None:
    """Wait for what an administrator asked for."""
    for future in futures.values():
        future.result(timeout=HANG_S)


def listed(principal: str, kind: str, operation: str) -> set[str]:
    """Names on which a principal has a right by its own name, or by what it begins with."""
    names = {*TOPICS} if kind == "topic" else {*GROUPS, *ELSEWHERE}
    rights = [
        right
        for right in layout().rights
        if (right.principal, right.kind, right.operation) == (principal, kind, operation)
    ]
    return {
        name
        for name in names
        for right in rights
        if name == right.name or (right.is_prefix and name.startswith(right.name))
    }


def written(settings: dict[str, Any], topics: Iterable[str]) -> set[str]:
    """Write one message into each topic, and give those that took it."""
    taken: set[str] = set()
    told: set[str] = set()

    def delivered(error: KafkaError | None, message: Any) -> None:
        told.add(message.topic())
        if error is None or not is_denied(error):
            taken.add(message.topic())

    producer = Producer(settings)
    for name in topics:
        producer.produce(name, key=b"17", value=b"y", partition=1, on_delivery=delivered)
    assert producer.flush(HANG_S) == 0
    assert told == {*topics}
    return taken


def read(settings: dict[str, Any], topics: Iterable[str]) -> set[str]:
    """Read the first message of each topic, outside any group, and give the topics that gave it."""
    consumer = Consumer(settings | {"group.id": "none", "enable.auto.commit": False})
    seen = {name for name in topics if is_seen(consumer, name)}
    consumer.assign([TopicPartition(name, 0, OFFSET_BEGINNING) for name in seen])
    given: set[str] = set()
    told: set[str] = set()
    while told != seen:
        message = consumer.poll(HANG_S)
        assert message is not None, f"no answer on {sorted(seen - told)}"
        if message.topic() is None:  # that the group is none of ours
            assert is_denied(message.error())
            continue
        told.add(message.topic())
        if message.error() is None or not is_denied(message.error()):
            given.add(message.topic())
    consumer.close()
    return given


def is_seen(consumer: Consumer, topic: str) -> bool:
    """Whether a client is told of a topic at all; without that, it asks for no messages."""
    error = consumer.list_topics(topic, timeout=HANG_S).topics[topic].error
    return error is None or not is_denied(error)


def commits(client: AdminClient, group: str) -> bool:
    """Say how far a group has read, and whether the group permits it; the topic may refuse for itself."""
    position = TopicPartition("sourdine.events.v1", 0, 0)
    futures = client.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, [position])])
    return allowed(lambda: answers(futures))


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_topics_are_written_and_read_as_listed(principal: str, filled: Broker) -> None:
    settings = filled.settings(principal).for_librdkafka() | {"log_level": 0}
    assert written(settings, TOPICS) == listed(principal, "topic", "write")
    assert read(settings, TOPICS) == listed(principal, "topic", "read")


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_groups_are_used_as_listed(principal: str, filled: Broker) -> None:
    client = filled.admin(principal)
    used = {group for group in (*GROUPS, *ELSEWHERE) if commits(client, group)}
    assert used == listed(principal, "group", "read")


def attempts(client: AdminClient) -> dict[str, Callable[[], None]]:
    """Everything that one can do to topics and rights beside writing and reading; what can be is only validated."""
    shorter = ConfigEntry("retention.ms", "1", incremental_operation=AlterConfigOpType.SET)
    topics = [ConfigResource(ResourceType.TOPIC, name, incremental_configs=[shorter]) for name in TOPICS]
    plain = [ConfigResource(ResourceType.TOPIC, name) for name in TOPICS]
    there = (ResourcePatternType.LITERAL, "User:gate", "*", AclOperation.READ, AclPermissionType.ALLOW)
    grant = AclBinding(ResourceType.TOPIC, "sourdine.candidates.v1", *there)  # granted already: it changes nothing
    ours, others = NewTopic("sourdine.new.v1", 1), NewTopic("elsewhere", 1)
    return {
        "make a topic of ours": lambda: answers(client.create_topics([ours], validate_only=True)),
        "make another topic": lambda: answers(client.create_topics([others], validate_only=True)),
        "delete a topic": lambda: answers(client.delete_topics([TOPICS[0]])),
        "add partitions": lambda: answers(client.create_partitions([NewPartitions(TOPICS[0], 99)], validate_only=True)),
        "delete messages": lambda: answers(client.delete_records([TopicPartition(TOPICS[0], 0, 0)])),
        "see what is set": lambda: answers(client.describe_configs(plain)),
        "set something": lambda: answers(client.incremental_alter_configs(topics, validate_only=True)),
        "grant a right": lambda: answers(client.create_acls([grant])),
        "set the broker": lambda: answers(
            client.incremental_alter_configs(
                [ConfigResource(ResourceType.BROKER, "1", incremental_configs=[shorter])], validate_only=True
            )
        ),
    }


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_topics_and_rights_are_changed_by_the_administrator_alone(principal: str, filled: Broker) -> None:
    done = {what for what, attempt in attempts(filled.admin(principal)).items() if allowed(attempt)}
    may = {"make a topic of ours", "see what is set", "set something", "grant a right"}
    assert done == (may if principal == "admin" else set())


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_nobody_begins_a_transaction(principal: str, filled: Broker) -> None:
    producer = Producer(filled.settings(principal).for_librdkafka() | {"transactional.id": "x", "log_level": 0})
    assert not allowed(lambda: producer.init_transactions(HANG_S))
