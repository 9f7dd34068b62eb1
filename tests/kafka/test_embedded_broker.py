"""The broker that needs no Java: the demonstration on it, what a worker asks of it, and how a worker sends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest
from confluent_kafka import Consumer, TopicPartition

from sourdine.agents.outbox import MAX_IN_FLIGHT, Outbox
from sourdine.agents.preflight import require
from sourdine.deployed.embedded_broker import EmbeddedBroker
from sourdine.errors import AccessError
from sourdine.topics import Layout, layout

CANDIDATES = "sourdine.candidates.v1"


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    """End it with the test."""
    made = EmbeddedBroker(layout())
    yield made
    made.stop()


def without(name: str) -> Layout:
    """Give our topics but for one."""
    topics = {other: topic for other, topic in layout().topics.items() if other != name}
    return replace(layout(), topics=MappingProxyType(topics))


def with_partitions(name: str, n: int) -> Layout:
    """Give our topics, one of them with other partitions."""
    topics = dict(layout().topics) | {name: replace(layout().topics[name], partitions=n)}
    return replace(layout(), topics=MappingProxyType(topics))


def test_the_demonstration_tells_of_the_glass_and_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-m", "sourdine", "demo", "--kafka"]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as shown:
        assert shown.stdout is not None
        lines: list[str] = []
        for line in shown.stdout:
            lines.append(line)
            if "glass break" in line:
                shown.send_signal(signal.SIGINT)
    assert shown.returncode == 0, lines
    assert any("sensor 2  glass break" in line for line in lines)
    assert any(line.split()[:1] == ["sourdine.windows.v1"] for line in lines), lines
    assert not list(tmp_path.iterdir())


def test_a_demonstration_without_a_folder_says_so_in_one_line() -> None:
    command = [sys.executable, "-P", "-m", "sourdine", "demo", "--kafka", "street.wav"]
    shown = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tempfile.gettempdir())
    assert shown.returncode == 2
    assert shown.stderr == "sourdine: --kafka takes no PATH: sourdine gateway hears streams of your own\n"


def test_the_worker_finds_its_topics(broker: EmbeddedBroker) -> None:
    require(broker.settings, layout(), "gate")


@pytest.mark.parametrize(
    ("made", "reason"),
    [(without(CANDIDATES), "topic"), (with_partitions(CANDIDATES, 3), "partitions")],
)
def test_the_worker_does_not_begin_where_a_topic_is_not_as_it_must_be(made: Layout, reason: str) -> None:
    broker = EmbeddedBroker(made)
    try:
        with pytest.raises(AccessError, match=CANDIDATES) as refusal:
            require(broker.settings, layout(), "gate")
        assert refusal.value.reason == reason
    finally:
        broker.stop()


def test_what_is_sent_arrives_in_order_and_the_rest_when_all_ends(broker: EmbeddedBroker) -> None:
    n_partitions, n_messages = layout().topics[CANDIDATES].partitions, 5 * MAX_IN_FLIGHT

    async def send() -> None:
        outbox = Outbox(broker.settings)
        done = [await outbox.send(CANDIDATES, b"1", b"%d" % n, n % n_partitions) for n in range(n_messages)]
        await done[0]
        await outbox.stop()
        assert all(one.done() for one in done)

    asyncio.run(asyncio.wait_for(send(), 60))
    reader = Consumer(broker.settings.for_librdkafka() | {"group.id": "foreign", "log_level": 0})
    reader.assign([TopicPartition(CANDIDATES, partition, 0) for partition in range(n_partitions)])
    came = reader.consume(n_messages, timeout=60)
    reader.close()
    by_partition = {n: [int(m.value() or 0) for m in came if m.partition() == n] for n in range(n_partitions)}
    assert by_partition == {n: list(range(n, n_messages, n_partitions)) for n in range(n_partitions)}
