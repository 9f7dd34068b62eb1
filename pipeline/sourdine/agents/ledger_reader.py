"""The workers' ledger at the broker: the newest line of each sensor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from sourdine.agents.connection import ANSWER_S, Connection
from sourdine.errors import TransportError

if TYPE_CHECKING:
    from sourdine.broker import BrokerSettings
    from sourdine.topics import Layout

LEDGER: Final = "sourdine.ledger.v1"

_COUNTS: Final = ("sensor_id", "slot", "kafka_offset", "processed", "late", "held", "duplicate", "gap")


def read(settings: BrokerSettings, layout: Layout) -> tuple[dict[int, dict[str, Any]], int]:
    """Read what the workers counted.

    Parameters
    ----------
    settings : BrokerSettings
        Where the broker is, and who we are: the user `console` may.
    layout : Layout
        As topics should be.

    Returns
    -------
    dict of int to dict
        By sensor.
    int
        Messages that no worker can have written.

    Raises
    ------
    TransportError
        If the broker does not answer.
    AccessError
        If it refuses the user, or the right is missing.
    """
    connection = Connection(settings)
    connection.greet()
    reader = Consumer(
        settings.for_librdkafka() | {"group.id": "sourdine-console-ledger", "enable.auto.commit": False, "log_level": 0}
    )
    found: dict[int, dict[str, Any]] = {}
    n_foreign = 0
    try:
        places = [TopicPartition(LEDGER, number) for number in range(layout.topics[LEDGER].partitions)]
        for place in places:
            first, end = reader.get_watermark_offsets(place, timeout=ANSWER_S)
            place.offset = OFFSET_BEGINNING
            reader.assign([place])
            while first < end:
                first, value = _next(reader, first)
                line = None if value is None else line_of(value)
                n_foreign += value is not None and line is None
                if line is not None and is_newer(line, found.get(line["sensor_id"])):
                    found[line["sensor_id"]] = line
    except KafkaException as error:
        raise TransportError("unreachable", f"{connection}: {LEDGER}: {error.args[0].name()}") from None
    finally:
        reader.close()
    return found, n_foreign


def line_of(value: bytes) -> dict[str, Any] | None:
    """Read one message.

    Parameters
    ----------
    value : bytes
        As it lies at the broker: whoever may write there may have written anything.

    Returns
    -------
    dict or None
        A sensor's counts; None if they are not all there.
    """
    try:
        line = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(line, dict) or not isinstance(line.get("rejected"), dict):
        return None
    line.setdefault("slot", 0)  # of an earlier version
    counts = [*(line.get(name) for name in _COUNTS), *line["rejected"].values()]
    return line if all(type(count) is int for count in counts) else None


def is_newer(line: dict[str, Any], other: dict[str, Any] | None) -> bool:
    """Return whether a line holds more than another: a worker that was frozen may write an older one last.

    Parameters
    ----------
    line : dict
        As it lies in the topic behind the other.
    other : dict or None
        None if there is none.
    """
    # By time first: where the topic of sound was made anew, places begin again.
    return other is None or _place(line) >= _place(other)


def _place(line: dict[str, Any]) -> tuple[int, int]:
    return line["slot"], line["kafka_offset"]


def _next(reader: Consumer, first: int) -> tuple[int, bytes | None]:
    came = reader.poll(ANSWER_S)
    error = KafkaError(KafkaError._TIMED_OUT) if came is None else came.error()
    if came is None or error is not None:
        raise KafkaException(error)
    offset, value = came.offset(), came.value()
    return (first if offset is None else offset) + 1, value
