"""Sealed messages are gone from the broker's disk when topics.toml says so, on quiet topics and on busy ones."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import Producer
from tests.kafka.broker.server import Broker
from tests.kafka.processes import wait_until

from sourdine.agents.admin import Admin
from sourdine.agents.topics import apply
from sourdine.topics import Layout, Topic, layout

QUIET, BUSY, COMPACTED = "sourdine.sound.v1", "sourdine.windows.v1", "sourdine.checkpoints.v1"
#: Of the broker of the tests.
CHECK_S = 1
#: What a busy machine may add to a promise of seconds.
SLACK_S = 15.0


def short(topic: Topic) -> Topic:
    """Give a sealed topic's times in seconds where they are minutes; the rest stays."""
    if topic.compacted_after_s is not None:
        return replace(topic, compacted_after_s=2, segment_s=1, delete_delay_s=1)
    return replace(topic, retention_s=5, segment_s=1, delete_delay_s=1)


@pytest.fixture
def hasty(city: Broker) -> Iterator[Layout]:
    """Make the times of sealed topics short in the way in which they are made at all, and afterwards as they were."""
    topics = {name: short(topic) if topic.form == "sealed" else topic for name, topic in layout().topics.items()}
    admin = Admin(city.settings("admin"))
    changed = replace(layout(), topics=topics)
    assert apply(admin, changed, lambda one: None) == []
    yield changed
    assert apply(admin, layout(), lambda one: None) == []


def on_disk(storage: Path, sentinel: bytes) -> list[Path]:
    """Files of the broker that hold it, those that wait for their deletion too."""
    held = []
    for folder, _, names in os.walk(storage):  # which passes over a folder that is deleted while we look
        for file in (Path(folder, name) for name in names):
            with suppress(FileNotFoundError):
                if sentinel in file.read_bytes():
                    held.append(file)
    return held


def test_sealed_messages_are_gone_when_promised(city: Broker, hasty: Layout) -> None:
    producer = Producer(city.settings().for_librdkafka() | {"linger.ms": 0})
    sentinels = {topic: secrets.token_bytes(32) for topic in (QUIET, BUSY)}
    for topic, sentinel in sentinels.items():
        producer.produce(topic, key=b"17", value=sentinel, partition=3)
    assert producer.flush(30) == 0
    # In its own folder: by the time that all others are looked through, it may be gone already.
    held = [on_disk(city.storage / f"{topic}-3", sentinel) for topic, sentinel in sentinels.items()]
    assert all(held), "the test would find nothing"

    def are_gone() -> bool:
        producer.produce(BUSY, key=b"17", value=b"more", partition=3)
        assert producer.flush(30) == 0
        return not any(on_disk(city.storage, sentinel) for sentinel in sentinels.values())

    promised_s = max(hasty.topics[topic].on_disk_at_most_s(CHECK_S) for topic in sentinels)
    wait_until(are_gone, "the messages are gone", promised_s + SLACK_S)


def test_older_checkpoints_are_compacted_away(city: Broker, hasty: Layout) -> None:
    producer = Producer(city.settings().for_librdkafka() | {"linger.ms": 0})
    older, newer = secrets.token_bytes(32), secrets.token_bytes(32)

    def keep(sensor: bytes, state: bytes) -> None:
        producer.produce(COMPACTED, key=sensor, value=state, partition=3)
        assert producer.flush(30) == 0

    keep(b"17", older)
    keep(b"17", newer)
    assert on_disk(city.storage, older)

    def is_gone() -> bool:
        keep(b"18", b"of another sensor")
        return not on_disk(city.storage, older)

    wait_until(is_gone, "the older state is gone")
    assert on_disk(city.storage, newer), "the newest state is kept"
    assert hasty.topics[COMPACTED].cleanup == "compact,delete"
