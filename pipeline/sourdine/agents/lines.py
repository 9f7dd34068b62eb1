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


def read(settings: BrokerSettings, layout: Layout) -> dict[int, dict[str, Any]]:
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
    try:
        places = [TopicPartition(LEDGER, number) for number in range(layout.topics[LEDGER].partitions)]
        for place in places:
            first, end = reader.get_watermark_offsets(place, timeout=ANSWER_S)
            place.offset = OFFSET_BEGINNING
            reader.assign([place])
            while first < end:
                first, line = _next(reader, first)
                if line is not None and _is_newer(line, found.get(line["sensor_id"])):
                    found[line["sensor_id"]] = line
    except KafkaException as error:
        raise TransportError("unreachable", f"{connection}: {LEDGER}: {error.args[0].name()}") from None
    finally:
        reader.close()
    return found


def _next(reader: Consumer, first: int) -> tuple[int, dict[str, Any] | None]:
    came = reader.poll(ANSWER_S)
    error = KafkaError(KafkaError._TIMED_OUT) if came is None else came.error()
    if came is None or error is not None:
        raise KafkaException(error)
    offset, value = came.offset(), came.value()
    return (first if offset is None else offset) + 1, None if value is None else orjson.loads(value)


def _is_newer(line: dict[str, Any], other: dict[str, Any] | None) -> bool:
    return other is None or line["kafka_offset"] >= other["kafka_offset"]
