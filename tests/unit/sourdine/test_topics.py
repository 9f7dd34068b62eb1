"""topics.toml keeps what the design promises of topics and rights."""

from __future__ import annotations

from pathlib import Path

import pytest

import sourdine.topics
from sourdine.topics import OUR_GROUPS, OUR_TOPICS, Right, layout, load

SHIPPED = Path(sourdine.topics.__file__).with_name("topics.toml")
SEALED = {name for name, topic in layout().topics.items() if topic.form == "sealed"}


def who(operation: str, name: str) -> set[str]:
    """Principals that may do something with a topic."""
    return {right.principal for right in layout().rights if (right.operation, right.name) == (operation, name)}


def test_names_are_ours() -> None:
    assert all(name.startswith(OUR_TOPICS) for name in layout().topics)
    assert all(right.name.startswith(OUR_GROUPS) for right in layout().rights if right.kind == "group")


def test_sealed_messages_are_gone_after_ten_minutes() -> None:
    passing = {name for name in SEALED if layout().topics[name].compacted_after_s is None}
    assert passing == {f"sourdine.{one}.v1" for one in ("sound", "windows", "candidates")}
    for name in passing:
        topic = layout().topics[name]
        assert topic.on_disk_at_most_s(layout().retention_check_s) <= 600 == topic.gone_after_s
        # What a worker may lag behind before blocks are dropped stays far below what is kept.
        assert topic.retention_s >= 3 * 120


def test_time_is_the_brokers() -> None:
    assert {topic.configs()["message.timestamp.type"] for topic in layout().topics.values()} == {"LogAppendTime"}


def test_a_sensor_has_one_partition_number() -> None:
    assert len({topic.partitions for topic in layout().topics.values()}) == 1


def test_batch_of_a_producer_fits() -> None:
    assert min(topic.max_message_bytes for topic in layout().topics.values()) > 16_384 + 1_024


def test_sealed_topics_are_read_by_the_stages_alone() -> None:
    assert {name: who("read", name) for name in SEALED} == {
        "sourdine.sound.v1": {"describe"},
        "sourdine.windows.v1": {"classify"},
        "sourdine.candidates.v1": {"gate"},
        "sourdine.checkpoints.v1": {"describe", "gate"},
    }


def test_nobody_reads_what_they_write() -> None:
    for name in layout().topics.keys() - {"sourdine.checkpoints.v1"}:
        assert who("read", name) & who("write", name) == set()


def test_the_administrator_alone_makes_and_sets_and_reads_nothing() -> None:
    plain = {"read", "write"}
    assert {right.principal for right in layout().rights if right.operation not in plain} == {"admin"}
    assert {right.operation for right in layout().rights if right.principal == "admin"} & plain == set()
    assert {right.operation for right in layout().rights} & {"delete", "all"} == set()


@pytest.mark.parametrize(
    ("right", "words"),
    [
        (Right("gate", "topic", "sourdine.events.v1", False, "write"), "gate may write topic sourdine.events.v1"),
        (Right("sink", "group", "sourdine-sink-", True, "read"), "sink may read groups sourdine-sink-…"),
        (Right("admin", "cluster", "kafka-cluster", False, "alter"), "admin may alter the cluster"),
    ],
)
def test_rights_are_said_in_words(right: Right, words: str) -> None:
    assert right in layout().rights
    assert str(right) == words


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("gone_after_s = 600", "gone_after_s = 594", "sourdine.sound.v1: on disk for up to 595 s, promised 594 s"),
        ('write = ["sourdine.sound.v1"]', 'write = ["sourdine.sond.v1"]', "not there: sourdine.sond.v1"),
    ],
)
def test_file_that_contradicts_itself_is_refused(before: str, after: str, words: str, tmp_path: Path) -> None:
    text = SHIPPED.read_text("utf-8")
    assert before in text
    (tmp_path / "topics.toml").write_text(text.replace(before, after), "utf-8")
    with pytest.raises(ValueError, match=words):
        load(tmp_path / "topics.toml")
