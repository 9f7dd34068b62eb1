"""Before a worker or a gateway begins: its topics are there as they should be, and it may do what it will do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, KafkaError, KafkaException, Producer, TopicCollection
from confluent_kafka.admin import AclOperation

from sourdine.agents.connection import ANSWER_S, Connection
from sourdine.errors import AccessError, TransportError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from confluent_kafka.admin import ClusterMetadata

    from sourdine.broker import BrokerSettings
    from sourdine.topics import Layout, Right

_UNSEEN: Final = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.UNKNOWN_TOPIC_OR_PART)
_NOT_YET: Final = (
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
)
_LOOK_S: Final = 0.2
#: A clock that is off by more says that one of the two was never set.
MAX_OFF_S: Final = 60.0
_REJECTS: Final = "sourdine.rejects.v1"
_APPLY: Final = "let an administrator run `sourdine topics apply`"


def require(settings: BrokerSettings, layout: Layout, principal: str) -> None:
    """Make sure that a principal finds its topics and has its rights, so that nothing starts by halves.

    Parameters
    ----------
    settings : BrokerSettings
        Where the broker is, and the user.
    layout : Layout
        As topics and rights should be.
    principal : str
        Whose rights the user must have.

    Raises
    ------
    TransportError
        If the broker does not answer.
    AccessError
        If it refuses the user, a topic is missing or has another count of partitions, or a right is missing.
    """
    connection = Connection(settings)
    metadata = connection.greet()
    if settings.is_plain:  # nobody has a name there, and so no rights of its own
        _require_topics(connection, layout, metadata, principal)
        return
    rights = sorted(right for right in layout.rights if right.principal == principal)
    futures = connection.client.describe_topics(
        TopicCollection(_names(layout, principal)), include_authorized_operations=True, request_timeout=ANSWER_S
    )
    for name, future in futures.items():
        try:
            found = future.result(timeout=ANSWER_S + 1.0)
        except KafkaException as error:
            if error.args[0].code() not in _UNSEEN:
                connection.answer(future)
            raise _no_topic(connection, name) from None
        _check_partitions(connection, layout, name, len(found.partitions))
        for right in rights:
            if right.name == name:
                _check_right(connection, right, found.authorized_operations or ())
    _check_groups(connection, [right for right in rights if right.kind == "group" and not right.is_prefix])


def check_clock(settings: BrokerSettings, clock: Callable[[], float] = time.time) -> None:
    """Hold this machine's clock against the broker's, which says of each message when it took it.

    What it is asked with is an empty message in the topic of rejects, where each that sends may write.

    Parameters
    ----------
    settings : BrokerSettings
        Where the broker is, and the user.
    clock : callable, default=time.time
        Seconds since 1970-01-01T00:00:00Z.

    Raises
    ------
    TransportError
        If the broker does not answer.
    AccessError
        If one of the two clocks is wrong.
    """
    if settings.is_plain:  # on this machine, and by its clock
        return
    taken: list[tuple[int, int]] = []
    producer = Producer(settings.for_librdkafka() | {"log_level": 0, "acks": "all", "message.timeout.ms": 20_000})
    asked_s = clock()

    def note(fault: KafkaError | None, sent: Any) -> None:
        if fault is None:
            taken.append(sent.timestamp())

    producer.produce(_REJECTS, key=b"0", on_delivery=note)
    producer.flush(ANSWER_S)
    answered_s = clock()
    if not taken:
        raise TransportError("unreachable", f"Kafka at {settings.bootstrap} takes no message: its log says more")
    kind, milliseconds = taken[0]
    if kind != TIMESTAMP_LOG_APPEND_TIME:
        return
    off_s = max(asked_s - milliseconds / 1000, milliseconds / 1000 - answered_s)
    if off_s > MAX_OFF_S:
        side = "ahead of" if asked_s > milliseconds / 1000 else "behind"
        words = f"this machine's clock is {off_s:.0f} s {side} that of Kafka at {settings.bootstrap}: set the wrong one"
        raise AccessError("clock", words)


def _require_topics(connection: Connection, layout: Layout, metadata: ClusterMetadata, principal: str) -> None:
    for name in _names(layout, principal):
        if name not in metadata.topics:
            raise _no_topic(connection, name)
        _check_partitions(connection, layout, name, len(metadata.topics[name].partitions))


def _names(layout: Layout, principal: str) -> list[str]:
    """Return the topics that a principal has to do with, but for those that it knows by their beginning."""
    rights = [right for right in layout.rights if right.principal == principal]
    return sorted({right.name for right in rights if right.kind == "topic" and not right.is_prefix})


def _no_topic(connection: Connection, name: str) -> AccessError:
    return AccessError("topic", f"{connection}: no topic {name} for user {connection.user}: {_APPLY}")


def _check_partitions(connection: Connection, layout: Layout, name: str, n_partitions: int) -> None:
    n_wanted = layout.topics[name].partitions
    if n_partitions != n_wanted:
        words = f"topic {name} has {n_partitions} partitions, expected {n_wanted}: sourdine topics plan says more"
        raise AccessError("partitions", f"{connection}: {words}")


def _check_groups(connection: Connection, rights: list[Right]) -> None:
    for right in rights:
        _check_right(connection, right, _group_operations(connection, right.name))


def _group_operations(connection: Connection, group: str) -> Iterable[AclOperation]:
    """Return what the user may do with a group; a broker that has just started is still reading which there are."""
    deadline = time.monotonic() + ANSWER_S
    while True:
        asked = connection.client.describe_consumer_groups(
            [group], include_authorized_operations=True, request_timeout=ANSWER_S
        )[group]
        try:
            return asked.result(timeout=ANSWER_S + 1.0).authorized_operations or ()
        except KafkaException as error:
            code = error.args[0].code()
        if code == KafkaError.GROUP_AUTHORIZATION_FAILED:
            return ()
        if code not in _NOT_YET or time.monotonic() > deadline:
            connection.answer(asked)
        time.sleep(_LOOK_S)


def _check_right(connection: Connection, right: Right, operations: Iterable[AclOperation]) -> None:
    if AclOperation[right.operation.upper()] not in operations:
        words = f"user {connection.user} may not {right.operation} {right.kind} {right.name}"
        if connection.user != right.principal:
            raise AccessError("right", f"{connection}: {words}: name the file of user {right.principal}, or {_APPLY}")
        raise AccessError("right", f"{connection}: {words}: {_APPLY}")
