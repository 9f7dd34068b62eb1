"""Topics and rights as data: what topics.toml says, as frozen values. Nothing here connects to anything."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: What a topic's messages are: opaque sealed bytes, or one of the open records.
Form: TypeAlias = Literal["sealed", "event", "level", "health", "reject", "ledger"]
Kind: TypeAlias = Literal["topic", "group", "cluster"]

#: Names at the broker that are ours: no other system's may begin so.
OUR_TOPICS: Final = "sourdine."
OUR_GROUPS: Final = "sourdine-"

_FILE: Final = Path(__file__).with_name("topics.toml")
_CLUSTER: Final = "kafka-cluster"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic.

    Parameters
    ----------
    name : str
        At the broker.
    holds : str
        What its messages are, in words.
    form : str
        ``sealed``, or the kind of open record.
    partitions : int
        How many; never changed later.
    cleanup : str
        ``delete`` or ``compact,delete``.
    retention_s : int
        Age from which a segment may go.
    segment_s : int
        Time that one segment holds at most.
    delete_delay_s : int
        Between a segment's deletion and its file's.
    max_message_bytes : int
        Of one batch as sent.
    compacted_after_s : int or None, default=None
        Age from which an older message of the same key is compacted away.
    gone_after_s : int or None, default=None
        Promised: age from which no message is on the broker's disk.
    """

    name: str
    holds: str
    form: Form
    partitions: int
    cleanup: str
    retention_s: int
    segment_s: int
    delete_delay_s: int
    max_message_bytes: int
    compacted_after_s: int | None = None
    gone_after_s: int | None = None

    def configs(self) -> dict[str, str]:
        """Return what the broker keeps for it, in the broker's words."""
        configs = {
            "cleanup.policy": self.cleanup,
            "file.delete.delay.ms": f"{1000 * self.delete_delay_s}",
            "max.message.bytes": f"{self.max_message_bytes}",
            "message.timestamp.type": "LogAppendTime",
            "retention.ms": f"{1000 * self.retention_s}",
            "segment.ms": f"{1000 * self.segment_s}",
        }
        if self.compacted_after_s is not None:
            configs["max.compaction.lag.ms"] = f"{1000 * self.compacted_after_s}"
        return configs

    def on_disk_at_most_s(self, retention_check_s: int) -> int:
        """Return the longest that a message can be on the disk of a broker that runs.

        Parameters
        ----------
        retention_check_s : int
            How often the broker looks for what is over its time.

        Returns
        -------
        int
            A message waits for its segment's end, the segment for its age, the broker for its next look, and the file
            for its deletion.
        """
        return self.segment_s + self.retention_s + retention_check_s + self.delete_delay_s


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One thing that a principal may do.

    Parameters
    ----------
    principal : str
        A user of the broker.
    kind : str
        ``topic``, ``group`` or ``cluster``.
    name : str
        Of the topic or group, or what it begins with.
    is_prefix : bool
        Whether the name is what others begin with.
    operation : str
        As Kafka names it, in lower case: ``read``, ``write``, ``alter_configs``, …
    """

    principal: str
    kind: Kind
    name: str
    is_prefix: bool
    operation: str

    def __str__(self) -> str:
        """Return it in words."""
        if self.kind == "cluster":
            return f"{self.principal} may {self.operation} the cluster"
        names = f"{self.kind}s {self.name}…" if self.is_prefix else f"{self.kind} {self.name}"
        return f"{self.principal} may {self.operation} {names}"


@dataclass(frozen=True, slots=True)
class Layout:
    """All topics and rights.

    Parameters
    ----------
    topics : mapping of str to Topic
        By name.
    rights : frozenset of Right
        What is not in it is denied.
    principals : mapping of str to str
        What each is, in words.
    retention_check_s : int
        How often the broker looks for what is over its time, at most.
    """

    topics: Mapping[str, Topic]
    rights: frozenset[Right]
    principals: Mapping[str, str]
    retention_check_s: int = field(default=60)


@cache
def layout() -> Layout:
    """Return what comes with the application."""
    return load(_FILE)


def load(path: Path) -> Layout:
    """Read a file of topics and rights.

    Parameters
    ----------
    path : pathlib.Path
        A TOML file like the shipped one.

    Returns
    -------
    Layout
        Frozen.

    Raises
    ------
    ValueError
        If the file names a topic that it does not have, or promises what its times do not hold.
    """
    tables = tomllib.loads(path.read_text("utf-8"))
    topics = {name: Topic(name=name, **keys) for name, keys in tables["topics"].items()}
    rights = frozenset(right for name, keys in tables["principals"].items() for right in _rights(name, keys))
    check_s: int = tables["broker"]["retention_check_s"]
    _check(topics, rights, check_s)
    principals = {name: keys["is"] for name, keys in tables["principals"].items()}
    return Layout(MappingProxyType(topics), rights, MappingProxyType(principals), check_s)


def _rights(principal: str, keys: dict[str, Any]) -> Iterator[Right]:
    """Walk the rights of one principal; reading and writing imply what a client must see of a topic or group."""
    for operation in ("read", "write"):
        yield from (Right(principal, "topic", name, False, operation) for name in keys.get(operation, ()))
    yield from (Right(principal, "group", name, False, "read") for name in keys.get("groups", ()))
    yield from (Right(principal, "group", name, True, "read") for name in keys.get("group_prefixes", ()))
    for name, operations in keys.get("topic_prefixes", {}).items():
        yield from (Right(principal, "topic", name, True, operation) for operation in operations)
    yield from (Right(principal, "cluster", _CLUSTER, False, operation) for operation in keys.get("cluster", ()))


def _check(topics: Mapping[str, Topic], rights: frozenset[Right], check_s: int) -> None:
    unknown = {right.name for right in rights if right.kind == "topic" and not right.is_prefix} - topics.keys()
    if unknown:
        raise ValueError(f"rights on topics that are not there: {', '.join(sorted(unknown))}")
    for topic in topics.values():
        longest_s = topic.on_disk_at_most_s(check_s)
        if topic.gone_after_s is not None and longest_s > topic.gone_after_s:
            raise ValueError(f"{topic.name}: on disk for up to {longest_s} s, promised {topic.gone_after_s} s")
